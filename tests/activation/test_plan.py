import hashlib
import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.errors import PlanError
from activation.model import DeviceEdit, FragmentChange, PlanId
from activation.plan import (
    canonical_bytes,
    make_plan,
    matches_before,
    owned_paths,
    plan_device,
    readback_matches,
    touched_paths,
)
from tests.activation.appliers import netconf_apply, netconf_normal
from tests.activation.services import (
    DEVICE,
    OLT,
    OLT_BASE,
    ROUTER,
    ROUTER_BASE,
    SWITCH,
    SWITCH_BASE,
    adding,
    fragment,
    removing,
)

POLICED = "policy-map type quality-of-service lm-downstream / class lm-vlan-1042"
SWITCH_AT_100 = """\
vlan 1042
   name ftth-1042
class-map type qos match-any lm-vlan-1042
   match vlan 1042
policy-map type quality-of-service lm-downstream
   class lm-vlan-1042
      police rate {mbps} mbps burst-size {kbytes} kbytes
interface Ethernet1
   switchport trunk allowed vlan 1000,1042
interface Ethernet2
   switchport trunk allowed vlan 1000,1042
   service-policy type qos input lm-downstream
"""


def test_an_upgrade_of_the_switch_is_its_police_line() -> None:
    change = FragmentChange(old=fragment("arista_eos", mbps=100), new=fragment("arista_eos", mbps=500))
    edit, _ = plan_device(DEVICE, SWITCH, SWITCH_AT_100.format(mbps=100, kbytes=125), [change])
    assert [line.strip() for line in edit.edit.splitlines()] == [
        "policy-map type quality-of-service lm-downstream",
        "class lm-vlan-1042",
        "police rate 500 mbps burst-size 625 kbytes",
        "exit",
        "exit",
    ]
    assert [line for line in edit.diff.splitlines() if line[0] in "+-"][2:] == [
        "-      police rate 100 mbps burst-size 125 kbytes",
        "+      police rate 500 mbps burst-size 625 kbytes",
    ]
    assert edit.shared_with == ()


def test_an_upgrade_does_not_touch_the_router() -> None:
    old, new = fragment("frr", mbps=100), fragment("frr", mbps=500)
    edit, _ = plan_device(DEVICE, ROUTER, ROUTER_BASE + old.text, [FragmentChange(old=old, new=new)])
    assert (edit.changes, edit.edit, edit.inverse, edit.diff) == (False, "", "", "")
    assert edit.before == edit.after != ""


def test_an_upgrade_of_the_olt_moves_the_tcont_to_another_profile() -> None:
    old, new = fragment("bbf_olt", mbps=100), fragment("bbf_olt", mbps=500)
    running = netconf_apply(OLT_BASE, plan_device(DEVICE, OLT, OLT_BASE, adding(old))[0].edit)
    change = [FragmentChange(old=old, new=new)]
    alone, _ = plan_device(DEVICE, OLT, running, change)
    together, _ = plan_device(DEVICE, OLT, running, change, [fragment("bbf_olt", 1043, 100)])
    assert alone.edit.count("operation=") == 3
    assert 'operation="replace">up-500M</traffic-descriptor-profile-ref>' in alone.edit
    assert 'traffic-descriptor-profile nc:operation="create"' in alone.edit
    assert 'traffic-descriptor-profile nc:operation="delete"' in alone.edit
    assert "delete" not in together.edit
    assert (alone.shared_with, together.shared_with) == ((), ("svc-1043",))


def test_removing_what_is_gone_already_needs_no_edit() -> None:
    edit, _ = plan_device(DEVICE, SWITCH, SWITCH_BASE, removing(fragment("arista_eos")))
    assert not edit.changes


def test_adding_what_stands_there_already_makes_it_foreign() -> None:
    new = fragment("frr")
    edit, (settled,) = plan_device(DEVICE, ROUTER, ROUTER_BASE + new.text, adding(new))
    assert not edit.changes
    assert settled.new is not None
    removal, _ = plan_device(DEVICE, ROUTER, ROUTER_BASE + new.text, removing(settled.new))
    assert not removal.changes


def test_what_is_missing_of_an_owned_fragment_comes_back() -> None:
    old = fragment("frr")
    edit, _ = plan_device(DEVICE, ROUTER, ROUTER_BASE, [FragmentChange(old=old, new=old)])
    assert "interface eth1.1042\n" in edit.edit


def test_more_running_configuration_than_touched_changes_nothing() -> None:
    new = fragment("arista_eos")
    more = SWITCH_BASE.replace("vlan 1000\n", "vlan 7\n   name other\n!\nvlan 1000\n").replace(
        "1000\n   sw", "7\n   sw"
    )
    few, many = (plan_device(DEVICE, SWITCH, text, adding(new))[0] for text in (SWITCH_BASE, more))
    assert few == many


def test_the_fingerprint_follows_the_touched_nodes_only() -> None:
    new = fragment("arista_eos")
    elsewhere = SWITCH_BASE.replace("description olt1 uplink1", "description changed")
    here = SWITCH_BASE.replace("vlan 1000\n   name", "vlan 1042\n   name taken\nvlan 1000\n   name")
    prints = [plan_device(DEVICE, SWITCH, r, adding(new))[0].base_fingerprint for r in (SWITCH_BASE, elsewhere, here)]
    assert prints[0] == prints[1] != prints[2]


def test_touched_paths_are_those_of_the_edit() -> None:
    changes = adding(fragment("bbf_olt"))
    edit, _ = plan_device(DEVICE, OLT, OLT_BASE, changes)
    assert edit.touched == touched_paths(OLT, changes)
    assert len(edit.touched) == 9


def test_readback_tells_what_is_missing_wrong_and_left_over() -> None:
    new = fragment("arista_eos")
    edit, _ = plan_device(DEVICE, SWITCH, SWITCH_BASE, adding(new))
    assert readback_matches(edit, SWITCH_BASE, SWITCH)[0].startswith("missing: class-map")
    wrong = SWITCH_AT_100.format(mbps=99, kbytes=125)
    have, want = (f"{POLICED} / police rate {mbps} mbps burst-size 125 kbytes" for mbps in (99, 100))
    assert readback_matches(edit, wrong, SWITCH) == [f"differs: {have} instead of {want}"]
    assert matches_before(edit, wrong, SWITCH)[0].startswith("not expected: class-map")
    assert matches_before(edit, SWITCH_BASE, SWITCH) == []


def test_readback_reads_netconf_whatever_its_prefixes() -> None:
    edit, _ = plan_device(DEVICE, OLT, OLT_BASE, adding(fragment("bbf_olt")))
    assert readback_matches(edit, netconf_normal(netconf_apply(OLT_BASE, edit.edit)), OLT) == []
    assert len(readback_matches(edit, OLT_BASE, OLT)) == len(owned_paths(OLT, fragment("bbf_olt")))


def test_a_fragment_of_another_device_is_refused() -> None:
    stranger = replace(fragment("frr"), device="r9")
    with pytest.raises(PlanError, match="svc-1042 on r9"):
        plan_device(DEVICE, ROUTER, ROUTER_BASE, adding(stranger))


def test_the_plan_hash_is_over_every_byte_and_not_over_the_order() -> None:
    edits = [
        plan_device(DEVICE, SWITCH, SWITCH_BASE, adding(fragment("arista_eos")))[0],
        replace(plan_device(DEVICE, ROUTER, ROUTER_BASE, adding(fragment("frr")))[0], device="r1"),
    ]
    plan = make_plan(edits, [], PlanId("p1"))
    assert plan == make_plan(edits[::-1], [], PlanId("p1"))
    assert len(plan.plan_hash) == hashlib.sha256().digest_size * 2
    other = make_plan([replace(edits[0], inverse=""), edits[1]], [], PlanId("p1"))
    assert other.plan_hash != plan.plan_hash


letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
paths = st.lists(st.lists(letters, max_size=3).map(tuple), max_size=3).map(tuple)
TEXTS = {name: letters for name in (each.name for each in fields(DeviceEdit)) if name not in {"touched", "shared_with"}}


@given(edit=st.builds(DeviceEdit, touched=paths, shared_with=st.just(("svc-1",)), **TEXTS))
def test_what_is_signed_is_sorted_compact_json_whatever_writes_it(edit: DeviceEdit) -> None:
    """Approvals of older releases stay good: the bytes are those that the standard library writes."""
    signed = {name: value for name, value in edit.document().items() if name != "shared_with"}
    expected = json.dumps(signed, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
    assert canonical_bytes(edit) == expected.encode()
