from dataclasses import replace

import pytest

from activation.dialects import notation_for
from activation.errors import PlanError
from activation.fragments import Ownership, intended, readable, relevant, settle
from activation.model import Fragment, FragmentChange, ServiceId
from activation.notation import EVERYTHING
from tests.activation.services import DEVICE, OLT, SWITCH, fragment

EOS = notation_for(SWITCH)


def share(service: str, text: str, *foreign: tuple[str, ...]) -> Fragment:
    return Fragment(service_id=ServiceId(service), device=DEVICE, intent="test", text=text, foreign=frozenset(foreign))


def after(
    running: str, old: Fragment | None, new: Fragment | None, *others: Fragment
) -> tuple[str, frozenset[tuple[str, ...]]]:
    """Return the planned lines and the new fragment's foreign nodes."""
    changes = [FragmentChange(old=old, new=new)]
    ownership = Ownership.of(EOS, changes, others)
    before = relevant(ownership, EOS, EOS.parse(running, EVERYTHING))
    (settled,) = settle(ownership, EOS, before, changes)
    return EOS.show(intended(ownership, EOS, before)), settled.new.foreign if settled.new else frozenset()


VLAN = "vlan 5\n   name {}\n"
A, B = share("a", VLAN.format("x")), share("b", VLAN.format("x"))


def test_a_shared_node_stays_until_its_last_owner_goes() -> None:
    assert after(VLAN.format("x"), A, None, B) == (VLAN.format("x"), frozenset())
    assert after(VLAN.format("x"), A, None) == ("", frozenset())


def test_what_stood_there_first_is_foreign_and_stays() -> None:
    planned, foreign = after("vlan 5\n", None, A)
    assert planned == VLAN.format("x")
    assert foreign == {("vlan 5",)}
    assert after(planned, replace(A, foreign=foreign), None)[0] == "vlan 5\n"


def test_a_changed_foreign_value_comes_back() -> None:
    planned, foreign = after(VLAN.format("guests"), None, A)
    assert foreign == {("vlan 5",), ("vlan 5", "name guests")}
    assert after(planned, replace(A, foreign=foreign), None)[0] == VLAN.format("guests")


def test_a_value_somebody_changed_since_is_not_taken_back() -> None:
    owner = share("a", VLAN.format("x"), ("vlan 5",), ("vlan 5", "name guests"))
    assert after(VLAN.format("by-hand"), owner, None)[0] == VLAN.format("by-hand")


def test_the_second_owner_inherits_what_is_foreign() -> None:
    first = share("a", VLAN.format("x"), ("vlan 5",))
    assert after(VLAN.format("x"), None, B, first)[1] == {("vlan 5",)}


def test_a_node_another_service_made_is_not_foreign() -> None:
    assert after(VLAN.format("x"), None, B, A)[1] == frozenset()


def test_modify_keeps_what_was_foreign() -> None:
    owner = share("a", VLAN.format("x"), ("vlan 5",))
    assert after(VLAN.format("x"), owner, share("a", VLAN.format("y"))) == (VLAN.format("y"), frozenset({("vlan 5",)}))


def test_what_was_put_into_a_section_of_ours_goes_with_it_and_is_seen() -> None:
    ownership = Ownership.of(EOS, [FragmentChange(old=A, new=None)], [])
    standing = EOS.parse("vlan 5\n   name x\n   state suspend\n", EVERYTHING)
    before = relevant(ownership, EOS, standing)
    assert before == standing
    assert intended(ownership, EOS, before) == frozenset()


def test_what_stands_beside_ours_in_a_foreign_section_is_not_our_business() -> None:
    owner = share("a", VLAN.format("x"), ("vlan 5",))
    planned, _ = after("vlan 5\n   name x\n   state suspend\n", owner, None)
    assert planned == "vlan 5\n"


def test_a_physical_interface_is_nobodys() -> None:
    owner = share("a", "interface Ethernet7\n   description x\n")
    assert after("", None, owner) == (owner.text, frozenset())
    assert after(owner.text, owner, None) == ("", frozenset())


def test_a_foreign_node_keeps_the_section_it_stands_in() -> None:
    owner = share("a", VLAN.format("x"), ("vlan 5", "name guests"))
    assert after(VLAN.format("x"), owner, None)[0] == VLAN.format("guests")


def test_two_services_cannot_want_two_values_in_one_place() -> None:
    with pytest.raises(PlanError, match="service b wants vlan 5 / name y where service a has vlan 5 / name x"):
        Ownership.of(EOS, [FragmentChange(old=None, new=share("b", VLAN.format("y")))], [A])


def test_the_same_service_among_the_others_is_no_other() -> None:
    ownership = Ownership.of(EOS, [FragmentChange(old=A, new=share("a", VLAN.format("y")))], [A])
    assert ownership.staying == ()


def test_covers_are_sections_and_none_inside_another() -> None:
    old = fragment("arista_eos")
    adding = Ownership.of(EOS, [FragmentChange(old=None, new=old)], [])
    assert adding.covers == (
        ("class-map type qos match-any lm-vlan-1042",),
        ("interface Ethernet1",),
        ("interface Ethernet2",),
        ("policy-map type quality-of-service lm-downstream", "class lm-vlan-1042"),
        ("vlan 1042",),
    )


def test_a_section_that_may_lose_its_last_owner_is_read_whole() -> None:
    old, other = fragment("arista_eos"), fragment("arista_eos", 1043)
    policy_map = ("policy-map type quality-of-service lm-downstream",)
    leaving = [FragmentChange(old=old, new=None)]
    assert policy_map in Ownership.of(EOS, leaving, []).covers
    assert policy_map not in Ownership.of(EOS, leaving, [other]).covers


def test_neighbours_share_what_services_made_not_what_was_there() -> None:
    new = [FragmentChange(old=None, new=fragment("arista_eos"))]
    shared = fragment("arista_eos", 1043)
    beside = share("far", "vlan 1042\n   state active\n", ("vlan 1042",))
    assert Ownership.of(EOS, new, [shared, beside]).neighbours() == ("svc-1043",)


def test_paths_are_readable() -> None:
    netconf = notation_for(OLT)
    shown = {readable(path) for path in netconf.parse(fragment("bbf_olt").text)}
    assert "interfaces / interface[name='vani-1042'] / type[.='v-ani']" in shown
