from collections.abc import Sequence

import pytest

from activation.drift import DeviceDrift, check
from activation.errors import NothingToRepair
from activation.model import Fragment, FragmentChange
from activation.plan import plan_device, readback_matches
from activation.platforms import Platform
from activation.repair import adopt, baseline_id, chosen, is_baseline, is_passing, reapply
from tests.activation.appliers import EosDevice, cli_apply, netconf_apply
from tests.activation.services import DEVICE, OLT, OLT_BASE, ROUTER, SWITCH, adding, fragment
from tests.activation.test_drift import ON_SWITCH, POLICY, SWITCH_WITH_BOTH

TYPED = cli_apply(EosDevice)
MESSED_UP = (
    SWITCH_WITH_BOTH.replace("vlan 1042\n   name ftth-1042\n", "")
    .replace("police rate 500", "police rate 7")
    .replace(
        "interface Ethernet1", "   class by-hand\n      police rate 1 mbps burst-size 9 kbytes\ninterface Ethernet1"
    )
    .replace("policy-map", "class-map type qos match-any by-hand\n   match vlan 7\npolicy-map")
    .replace("   service-policy type qos input lm-downstream\n", "")
)


def drift(running: str, fragments: Sequence[Fragment], platform: Platform = SWITCH) -> DeviceDrift:
    return check(DEVICE, platform, running, fragments)


def applied(
    running: str, repair: Sequence[FragmentChange], fragments: Sequence[Fragment]
) -> tuple[str, list[Fragment]]:
    """Return the switch's configuration and its fragments after a repair."""
    edit, settled = plan_device(DEVICE, SWITCH, running, repair, fragments)
    after = TYPED(running, edit.edit) if edit.changes else running
    assert readback_matches(edit, after, SWITCH) == []
    changed = {change.old.service_id for change in settled if change.old} | {c.new.service_id for c in settled if c.new}
    kept = [each for each in fragments if each.service_id not in changed]
    new = [change.new for change in settled if change.new is not None and not is_passing(change.new.service_id)]
    return after, kept + new


def test_reapplying_everything_ends_in_sync_and_takes_away_what_is_foreign() -> None:
    found = drift(MESSED_UP, ON_SWITCH)
    running, fragments = applied(MESSED_UP, reapply(DEVICE, SWITCH, found.deviations), ON_SWITCH)
    assert drift(running, fragments).in_sync
    assert "class by-hand" not in running
    assert {each.text for each in fragments} == {each.text for each in ON_SWITCH}
    assert not any(each.foreign for each in fragments)


def test_reapplying_leaves_foreign_nodes_alone_unless_asked() -> None:
    found = drift(MESSED_UP, ON_SWITCH)
    wanted = [each for each in found.deviations if each.kind != "foreign"]
    running, _ = applied(MESSED_UP, reapply(DEVICE, SWITCH, wanted), ON_SWITCH)
    (left,) = drift(running, ON_SWITCH).deviations
    assert (left.kind, left.place) == ("foreign", f"{POLICY} / class by-hand")


def test_adopting_everything_ends_in_sync_without_a_line_for_the_device() -> None:
    found = drift(MESSED_UP, ON_SWITCH)
    running, fragments = applied(MESSED_UP, adopt(DEVICE, SWITCH, found.deviations, ON_SWITCH), ON_SWITCH)
    assert running == MESSED_UP
    assert drift(running, fragments).in_sync
    by_owner = {each.service_id: each for each in fragments}
    assert set(by_owner) == {"svc-1042", "svc-1043", baseline_id(DEVICE)}
    assert "police rate 7" in by_owner[fragment("arista_eos", 1043).service_id].text
    assert "service-policy" not in by_owner[fragment("arista_eos", 1042).service_id].text
    assert is_baseline(baseline_id(DEVICE))


def test_what_was_adopted_as_baseline_outlives_every_service() -> None:
    stranger = [each for each in drift(MESSED_UP, ON_SWITCH).deviations if each.kind == "foreign"]
    running, fragments = applied(MESSED_UP, adopt(DEVICE, SWITCH, stranger, ON_SWITCH), ON_SWITCH)
    baseline = [each for each in fragments if is_baseline(each.service_id)]
    ending = [FragmentChange(old=each, new=None) for each in fragments if not is_baseline(each.service_id)]
    edit, _ = plan_device(DEVICE, SWITCH, running, ending, baseline)
    after = TYPED(running, edit.edit)
    assert "class by-hand" in after
    assert "lm-vlan" not in after
    assert drift(after, baseline).in_sync
    released, _ = plan_device(DEVICE, SWITCH, after, [FragmentChange(old=baseline[0], new=None)])
    assert not released.changes, released.diff


def test_one_place_can_be_chosen_and_the_rest_stays() -> None:
    found = drift(MESSED_UP, ON_SWITCH)
    some = chosen(found.deviations, [f"{POLICY} / class lm-vlan-* / police rate"])
    _, fragments = applied(MESSED_UP, adopt(DEVICE, SWITCH, some, ON_SWITCH), ON_SWITCH)
    left = {each.place for each in drift(MESSED_UP, fragments).deviations}
    assert left == {each.place for each in found.deviations} - {some[0].place}


def test_a_pattern_that_means_nothing_names_what_there_is() -> None:
    with pytest.raises(NothingToRepair, match=r"'vlan 9' means no deviation; there are: .*vlan 1042"):
        chosen(drift(MESSED_UP, ON_SWITCH).deviations, ["vlan 9"])
    with pytest.raises(NothingToRepair, match="none, the device is in sync"):
        chosen((), ["vlan 9"])


def test_the_olt_goes_both_ways() -> None:
    wanted = fragment("bbf_olt")
    built = netconf_apply(OLT_BASE, plan_device(DEVICE, OLT, OLT_BASE, adding(wanted))[0].edit)
    changed = built.replace("<onu-id>1<", "<onu-id>9<").replace(":onu-id>1<", ":onu-id>9<")
    found = drift(changed, [wanted], OLT)
    assert [each.kind for each in found.deviations] == ["changed"]
    edit, _ = plan_device(DEVICE, OLT, changed, reapply(DEVICE, OLT, found.deviations), [wanted])
    assert drift(netconf_apply(changed, edit.edit), [wanted], OLT).in_sync
    (adopted,) = adopt(DEVICE, OLT, found.deviations, [wanted])
    assert adopted.new is not None
    assert drift(changed, [adopted.new], OLT).in_sync
    assert not plan_device(DEVICE, OLT, changed, [adopted])[0].changes


def test_a_value_of_the_router_that_nobody_changed_is_left_as_rendered() -> None:
    wanted = fragment("frr")
    running = wanted.text.replace("description lastmile", "description mine")
    found = drift(running, [wanted], ROUTER)
    (change,) = adopt(DEVICE, ROUTER, found.deviations, [wanted])
    assert change.new is not None
    assert change.new.text.count("description mine") == 1
    assert adopt(DEVICE, ROUTER, (), [wanted]) == ()
