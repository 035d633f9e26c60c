import re
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activation.drift import Deviation, DeviceDrift, check, places_to_read
from activation.drift_policy import DriftRule, compiled, policy_for
from activation.model import Fragment
from activation.plan import plan_device
from activation.platforms import Platform
from tests.activation.appliers import netconf_apply
from tests.activation.services import (
    DEVICE,
    OLT,
    OLT_BASE,
    OLT_OCCUPIED,
    PLATFORMS,
    ROUTER,
    ROUTER_BASE,
    ROUTER_OCCUPIED,
    SMARTAX_BASE,
    SWITCH,
    SWITCH_BASE,
    adding,
    fragment,
)

ON_SWITCH = [fragment("arista_eos", 1042), fragment("arista_eos", 1043, 500)]
SWITCH_WITH_BOTH = """\
hostname sw1
vlan 1000
   name access-mgmt
vlan 1042
   name ftth-1042
vlan 1043
   name ftth-1043
class-map type qos match-any lm-vlan-1042
   match vlan 1042
class-map type qos match-any lm-vlan-1043
   match vlan 1043
policy-map type quality-of-service lm-downstream
   class lm-vlan-1042
      police rate 100 mbps burst-size 125 kbytes
   class lm-vlan-1043
      police rate 500 mbps burst-size 625 kbytes
interface Ethernet1
   description olt1 uplink1
   switchport trunk allowed vlan 1000,1042-1043
   switchport mode trunk
interface Ethernet2
   switchport trunk allowed vlan 1000,1042-1043
   service-policy type qos input lm-downstream
"""
POLICY = "policy-map type quality-of-service lm-downstream"


def short(drift: DeviceDrift) -> list[tuple[str, str, list[str]]]:
    return [(each.kind, each.place, list(each.owners)) for each in drift.deviations]


def switch(running: str, *rules: DriftRule, whole: bool = False) -> DeviceDrift:
    return check(DEVICE, SWITCH.model_copy(update={"drift": rules}), running, ON_SWITCH, whole=whole)


def test_a_device_as_intended_is_in_sync() -> None:
    drift = switch(SWITCH_WITH_BOTH)
    assert (drift.in_sync, drift.diff, drift.services, drift.ignored) == (True, "", 2, 0)
    assert drift.nodes == len(["vlan", "name", "class-map", "match", "class", "police", "allowed", "allowed"]) * 2 + 2


CHANGES: dict[str, tuple[Callable[[str], str], list[tuple[str, str, list[str]]]]] = {
    "a value": (
        lambda text: text.replace("police rate 100", "police rate 7"),
        [("changed", f"{POLICY} / class lm-vlan-1042 / police rate", ["svc-1042"])],
    ),
    "a line": (
        lambda text: text.replace("   name ftth-1043\n", ""),
        [("missing", "vlan 1043 / name", ["svc-1043"])],
    ),
    "a section with all below it": (
        lambda text: text.replace("vlan 1042\n   name ftth-1042\n", ""),
        [("missing", "vlan 1042", ["svc-1042"])],
    ),
    "one value of a range on one port": (
        lambda text: text.replace("1000,1042-1043\n   switchport mode", "1000,1042\n   switchport mode"),
        [("missing", "interface Ethernet1 / switchport trunk allowed vlan 1043", ["svc-1043"])],
    ),
    "a shared line": (
        lambda text: text.replace("   service-policy type qos input lm-downstream\n", ""),
        [("missing", "interface Ethernet2 / service-policy type qos input", ["svc-1042", "svc-1043"])],
    ),
    "a stranger in a section of ours": (
        lambda text: text.replace(
            "interface Ethernet1", "   class by-hand\n      police rate 1 mbps\ninterface Ethernet1"
        ),
        [("foreign", f"{POLICY} / class by-hand", ["svc-1042", "svc-1043"])],
    ),
    "a stranger in a port": (lambda text: text.replace("trunk\n", "trunk\n   mtu 9000\n"), []),
    "a stranger beside us": (lambda text: text + "vlan 77\n   name guests\n", []),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_deviates_is_named_with_its_owners(case: str) -> None:
    change, expected = CHANGES[case]
    assert short(switch(change(SWITCH_WITH_BOTH))) == expected


def test_the_diff_leads_from_running_to_intended() -> None:
    drift = switch(
        SWITCH_WITH_BOTH.replace("police rate 100 mbps", "police rate 7 mbps").replace("   name ftth-1043\n", "")
    )
    lines = [line for line in drift.diff.splitlines()[2:] if line[0] in "+-"]
    assert lines == [
        "+vlan 1043",
        "+   name ftth-1043",
        "-      police rate 7 mbps burst-size 125 kbytes",
        "+      police rate 100 mbps burst-size 125 kbytes",
    ]


def test_the_whole_device_shows_what_nobody_owns() -> None:
    drift = switch(SWITCH_WITH_BOTH, whole=True)
    assert [each.place for each in drift.deviations if each.kind == "foreign"] == [
        "hostname",
        "interface Ethernet1 / description",
        "interface Ethernet1 / switchport mode",
        "interface Ethernet1 / switchport trunk allowed vlan 1000",
        "interface Ethernet2 / switchport trunk allowed vlan 1000",
        "vlan 1000",
    ]
    assert all(each.owners == () for each in drift.deviations)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_fresh_service_is_in_sync_on_every_platform_and_gone_without_its_nodes(name: str) -> None:
    base = {"bbf_olt": OLT_BASE, "arista_eos": SWITCH_BASE, "frr": ROUTER_BASE, "smartax": SMARTAX_BASE}[name]
    wanted = fragment(name)
    running = base + wanted.text if name != "bbf_olt" else netconf_apply(base, _edit(OLT, base, wanted))
    platform = PLATFORMS[name]
    assert check(DEVICE, platform, running, [wanted]).in_sync
    lacking = check(DEVICE, platform, base, [wanted])
    assert {each.kind for each in lacking.deviations} == {"missing"}
    assert sum(len(each.nodes) for each in lacking.deviations) == lacking.nodes


def test_a_leaf_of_the_olt_that_changed_shows_both_values() -> None:
    wanted = fragment("bbf_olt")
    running = netconf_apply(OLT_BASE, _edit(OLT, OLT_BASE, wanted))
    (changed,) = check(DEVICE, OLT, running.replace(">1<", ">9<", 1), [wanted]).deviations
    assert (changed.kind, changed.place) == ("changed", "interfaces / interface[name='vani-1042'] / v-ani / onu-id")
    assert changed.wanted is not None
    assert changed.standing is not None
    assert [changed.wanted[-1][-7:], changed.standing[-1][-7:]] == ["[.='1']", "[.='9']"]


def test_what_stood_before_its_first_owner_is_no_section_of_ours() -> None:
    before = "<maximum-bandwidth"
    stood = _stood(OLT, OLT_OCCUPIED, fragment("bbf_olt"))
    running = netconf_apply(OLT_OCCUPIED, _edit(OLT, OLT_OCCUPIED, fragment("bbf_olt")))
    strange = re.sub(rf"(\s*{before})", r"<by-hand>1</by-hand>\1", running, count=1)
    assert strange != running
    assert check(DEVICE, OLT, strange, [stood]).in_sync
    assert [each.kind for each in check(DEVICE, OLT, strange, [fragment("bbf_olt")]).deviations] == ["foreign"]


def test_the_router_shows_what_a_person_added_to_a_subinterface() -> None:
    running = ROUTER_BASE + fragment("frr").text.replace("exit\n", " shutdown\nexit\n", 1)
    assert short(check(DEVICE, ROUTER, running, [fragment("frr")])) == [
        ("foreign", "interface eth1.1042 / shutdown", ["svc-1042"])
    ]
    assert check(DEVICE, ROUTER, ROUTER_OCCUPIED, []).in_sync


RULES = (
    DriftRule(path="vlan * / name", policy="ignore"),
    DriftRule(path=f"{POLICY} / class by-*", kinds=("foreign",), policy="adopt"),
    DriftRule(path=POLICY, policy="reapply"),
)
POLICIES = {
    ("missing", "vlan 1042 / name"): "ignore",
    ("missing", "vlan 1042"): "report",
    ("foreign", f"{POLICY} / class by-hand"): "adopt",
    ("foreign", f"{POLICY} / class by-hand / police rate"): "adopt",
    ("missing", f"{POLICY} / class by-hand"): "reapply",
    ("changed", f"{POLICY} / class lm-vlan-1 / police rate"): "reapply",
    ("changed", f"{POLICY}-2"): "report",
}


@pytest.mark.parametrize("case", POLICIES, ids=" ".join)
def test_the_first_rule_that_applies_counts(case: tuple[str, str]) -> None:
    assert policy_for(RULES, case[0], case[1]) == POLICIES[case]  # type: ignore[arg-type]  # a table of literals


def test_ignored_places_are_counted_and_not_shown() -> None:
    running = SWITCH_WITH_BOTH.replace("   name ftth-1043\n", "   name x\n").replace("police rate 100", "police rate 7")
    drift = switch(running, *RULES)
    assert [(each.place, each.policy) for each in drift.deviations] == [
        (f"{POLICY} / class lm-vlan-1042 / police rate", "reapply")
    ]
    assert drift.ignored == 1


def test_a_rule_must_name_a_place() -> None:
    with pytest.raises(ValidationError, match="an empty path; legal"):
        DriftRule(path=" ", policy="ignore")


@given(st.text(alphabet="ab*/ .[]'=", max_size=12))
def test_a_pattern_without_stars_means_itself(text: str) -> None:
    literal = text.replace("*", "").strip()
    assert compiled(literal).fullmatch(literal) or literal != " / ".join(each.strip() for each in literal.split(" / "))


def test_a_thousand_services_are_checked_in_seconds() -> None:
    fragments = [fragment("arista_eos", vlan) for vlan in range(1042, 2042)]
    running = SWITCH_BASE + "".join(each.text for each in fragments)
    started = perf_counter()
    drift = check(DEVICE, SWITCH, running.replace("name ftth-1500", "name mine"), fragments)
    assert [each.place for each in drift.deviations] == ["vlan 1500 / name"]
    assert perf_counter() - started < 10.0


def test_few_services_are_read_by_place_and_many_by_branch() -> None:
    few = places_to_read(OLT, [fragment("bbf_olt")])
    many = places_to_read(OLT, [fragment("bbf_olt", vlan) for vlan in range(1042, 1062)])
    assert {len(path) for path in many} == {1}
    assert {path[:1] for path in few} == set(many)
    assert len(few) > len(many)


def _edit(platform: Platform, running: str, wanted: Fragment) -> str:
    return plan_device(DEVICE, platform, running, adding(wanted))[0].edit


def _stood(platform: Platform, running: str, wanted: Fragment) -> Fragment:
    (settled,) = plan_device(DEVICE, platform, running, adding(wanted))[1]
    assert settled.new is not None
    return replace(wanted, foreign=settled.new.foreign)


def test_heads_gather_only_what_deviates_alike() -> None:
    drift = switch(SWITCH_WITH_BOTH.replace("vlan 1042\n   name ftth-1042\n", ""), RULES[0])
    (head,) = drift.deviations
    assert isinstance(head, Deviation)
    assert head.nodes == (("vlan 1042",),)
    assert drift.ignored == 1
