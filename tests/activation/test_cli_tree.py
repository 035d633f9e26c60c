import pytest

from activation.cli_tree import parse, show, slot, unit
from activation.errors import PlanError
from activation.notation import EVERYTHING, Scope
from tests.activation.services import ROUTER, SWITCH

EOS, FRR = SWITCH.cli_rules, ROUTER.cli_rules
RUNNING = """\
! Command: show running-config
vlan 10-12
   name trio
!
interface Ethernet1
   switchport trunk allowed vlan 7,9-10
!
   description after a comment
end
"""


def test_a_range_list_is_one_node_per_value() -> None:
    nodes = parse(RUNNING, EOS, EVERYTHING)
    assert {node[-1] for node in nodes if node[0] == "interface Ethernet1"} == {
        "switchport trunk allowed vlan 7",
        "switchport trunk allowed vlan 9",
        "switchport trunk allowed vlan 10",
        "description after a comment",
    }


def test_a_section_of_many_is_a_section_of_each() -> None:
    nodes = parse(RUNNING, EOS, EVERYTHING)
    assert {("vlan 10", "name trio"), ("vlan 11", "name trio"), ("vlan 12", "name trio")} <= nodes


def test_add_as_a_template_writes_it_means_the_same() -> None:
    typed = "interface Ethernet1\n   switchport trunk allowed vlan add 7"
    shown = "interface Ethernet1\n   switchport trunk allowed vlan 7"
    assert parse(typed, EOS, EVERYTHING) == parse(shown, EOS, EVERYTHING)


def test_an_empty_range_list_has_no_values() -> None:
    nodes = parse("interface Ethernet1\n   switchport trunk allowed vlan none", EOS, EVERYTHING)
    assert nodes == frozenset()


def test_a_scope_keeps_what_it_covers_and_the_way_there() -> None:
    scope = Scope.of([("vlan 11", "name")])
    assert parse(RUNNING, EOS, scope) == {("vlan 11",), ("vlan 11", "name trio")}


def test_reading_costs_what_is_covered_not_what_is_configured() -> None:
    many = "".join(f"vlan {n}\n   name v{n}\n" for n in range(2, 2000))
    assert len(parse(many + RUNNING, EOS, Scope.of([("interface Ethernet1",)]))) == 4


@pytest.mark.parametrize("values", ["10-5", "1-99999"])
def test_a_range_that_makes_no_sense_is_refused(values: str) -> None:
    with pytest.raises(PlanError, match=f"{values} is no range"):
        parse(f"interface Ethernet1\n   switchport trunk allowed vlan {values}", EOS, EVERYTHING)


def test_the_slot_of_a_single_value_line_is_without_its_value() -> None:
    section = "interface Ethernet1"
    assert slot((section, "description x"), EOS) == slot((section, "description y"), EOS) == (section, "description")
    assert slot((section, "descriptions x"), EOS) == (section, "descriptions x")


def test_the_unit_of_a_line_is_its_section() -> None:
    assert unit(("vlan 5", "name")) == ("vlan 5",)
    assert unit(("ip route 10.0.0.0/8 eth1",)) == ("ip route 10.0.0.0/8 eth1",)


def test_canonical_order_is_that_of_creation_then_natural() -> None:
    text = "interface Vlan10\nvlan 100\nvlan 20\ninterface Vlan2\nclass-map type qos match-any c\n"
    assert show(parse(text, EOS, EVERYTHING), EOS).splitlines() == [
        "vlan 20",
        "vlan 100",
        "class-map type qos match-any c",
        "interface Vlan2",
        "interface Vlan10",
    ]


def test_frr_closes_its_sections() -> None:
    text = "interface eth1.5\n description d\nexit\n!\nip route 10.0.0.0/8 eth1.5\n"
    assert show(parse(text, FRR, EVERYTHING), FRR) == text.replace("!\n", "")
