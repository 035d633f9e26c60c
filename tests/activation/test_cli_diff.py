import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.cli_diff import edit
from activation.cli_tree import parse, show, slot
from activation.notation import EVERYTHING, Scope
from activation.platforms import CliRules
from tests.activation.appliers import EosDevice, FrrDevice, Refused, eos_normal, frr_normal
from tests.activation.services import ROUTER, SWITCH

EOS, FRR = SWITCH.cli_rules, ROUTER.cli_rules
vlan_ids = st.integers(10, 14)
classes = st.dictionaries(vlan_ids, st.integers(1, 3))


@st.composite
def switches(draw: st.DrawFn) -> str:
    """Return the configuration of a switch whose references all hold."""
    policed = draw(classes)
    lines = [f"vlan {vlan_id}\n   name v{name}" for vlan_id, name in draw(classes).items()]
    lines += [f"class-map type qos match-any c{vlan_id}\n   match vlan {vlan_id}" for vlan_id in policed]
    if policed:
        lines.append("policy-map type quality-of-service p")
    lines += [f"   class c{c}\n      police rate {rate} mbps burst-size 9 kbytes" for c, rate in policed.items()]
    for port in (1, 2):
        allowed = ",".join(map(str, sorted(draw(st.sets(vlan_ids))))) or "none"
        lines.append(f"interface Ethernet{port}\n   switchport trunk allowed vlan {allowed}")
        lines += [f"   description d{draw(st.integers(1, 2))}"] * draw(st.booleans())
        lines += ["   service-policy type qos input p"] * (bool(policed) and draw(st.booleans()))
    return "\n".join(lines)


@st.composite
def routers(draw: st.DrawFn) -> str:
    """Return the configuration of a router whose routes all have an interface."""
    lines: list[str] = []
    for unit in sorted(draw(st.sets(st.integers(1, 4)))):
        lines.append(f"interface eth1.{unit}")
        lines += [f" description d{draw(st.integers(1, 2))}"] * draw(st.booleans())
        lines += [f" ip address 10.0.{n}.1/32" for n in draw(st.sets(st.integers(1, 2)))]
        lines += ["exit", *[f"ip route 10.1.{unit}.1/32 eth1.{unit}"] * draw(st.booleans())]
    return "\n".join(lines)


@given(before=switches(), after=switches())
@settings(max_examples=60, deadline=None)
def test_a_switch_takes_the_edit_between_any_two_states(before: str, after: str) -> None:
    device = EosDevice(eos_normal(before))
    device.run(edit(parse(before, EOS, EVERYTHING), parse(after, EOS, EVERYTHING), EOS))
    assert device.normal() == eos_normal(after)


@given(before=routers(), after=routers())
@settings(max_examples=60, deadline=None)
def test_a_router_takes_the_edit_between_any_two_states(before: str, after: str) -> None:
    device = FrrDevice(before)
    device.run(edit(parse(before, FRR, EVERYTHING), parse(after, FRR, EVERYTHING), FRR))
    assert device.normal() == frr_normal(after)


@given(text=switches())
@settings(max_examples=30, deadline=None)
def test_the_canonical_text_reads_back(text: str) -> None:
    nodes = parse(text, EOS, EVERYTHING)
    assert parse(show(nodes, EOS), EOS, EVERYTHING) == nodes


@given(text=switches(), asked=st.sets(st.integers(0, 30)))
@settings(max_examples=40, deadline=None)
def test_reading_a_scope_is_reading_all_and_choosing(text: str, asked: set[int]) -> None:
    everything = parse(text, EOS, EVERYTHING)
    slots = sorted(slot(node, EOS) for node in everything)
    scope = Scope.of(one for at, one in enumerate(slots) if at in asked)
    assert parse(text, EOS, scope) == {node for node in everything if scope.admits(slot(node, EOS))}


EDITS = {
    "nothing to do": (EOS, "vlan 5\n   name a", "vlan 5\n   name a", ""),
    "one value of a range list": (
        EOS,
        "interface Ethernet1\n   switchport trunk allowed vlan 1000,1042-1044",
        "interface Ethernet1\n   switchport trunk allowed vlan 1000,1042,1044",
        "interface Ethernet1\n   switchport trunk allowed vlan remove 1043\nexit\n",
    ),
    "a value is replaced, not removed first": (
        EOS,
        "policy-map type quality-of-service p\n   class c\n      police rate 100 mbps burst-size 9 kbytes",
        "policy-map type quality-of-service p\n   class c\n      police rate 500 mbps burst-size 9 kbytes",
        """\
policy-map type quality-of-service p
   class c
      police rate 500 mbps burst-size 9 kbytes
   exit
exit
""",
    ),
    "the platform's own way to remove": (
        EOS,
        "interface Ethernet2\n   service-policy type qos input p",
        "interface Ethernet2",
        "interface Ethernet2\n   no service-policy type qos input p\nexit\n",
    ),
    "a negative line is removed by its positive": (
        EOS,
        "interface Ethernet2\n   no lldp transmit",
        "interface Ethernet2",
        "interface Ethernet2\n   lldp transmit\nexit\n",
    ),
    "the route goes before its interface, what is in the interface before it": (
        FRR,
        "interface eth1.5\n description d\n ip address 10.0.0.1/32\nexit\nip route 10.1.1.1/32 eth1.5",
        "",
        """\
no ip route 10.1.1.1/32 eth1.5
interface eth1.5
 no ip address 10.0.0.1/32
 no description
exit
no interface eth1.5
""",
    ),
}


@pytest.mark.parametrize(("rules", "before", "after", "expected"), EDITS.values(), ids=EDITS)
def test_edit(rules: CliRules, before: str, after: str, expected: str) -> None:
    assert edit(parse(before, rules, EVERYTHING), parse(after, rules, EVERYTHING), rules) == expected


def test_the_small_switch_refuses_what_a_real_one_would() -> None:
    device = EosDevice("class-map type qos match-any c\npolicy-map type quality-of-service p\n   class c\n")
    with pytest.raises(Refused, match="in use"):
        device.run("no class-map type qos match-any c")
