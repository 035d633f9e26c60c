from dataclasses import replace
from typing import Final

from activation.model import Fragment, FragmentChange, Plan, PlanId, ServiceId
from activation.plan import make_plan, plan_device, unified_patch
from activation.platforms import Platform, load_platforms
from activation.risk import removed_lines, shared_places, unowned_nodes
from tests.activation.rig import FAKE_TEMPLATES, STOOD

FAKE: Final = load_platforms(FAKE_TEMPLATES)["fake"]


def _platform(_: str) -> Platform:
    return FAKE


def _fragment(text: str, service: str = "s1") -> Fragment:
    return Fragment(service_id=ServiceId(service), device="a", intent="fake-port", text=text)


def _plan(running: str, old: str | None, new: str | None, *others: Fragment) -> Plan:
    change = FragmentChange(old=_fragment(old) if old else None, new=_fragment(new) if new else None)
    edit, settled = plan_device("a", FAKE, running, [change], others)
    return make_plan([edit], settled, PlanId("p"))


def test_an_add_takes_nothing_away_and_touches_nobodys_nodes() -> None:
    plan = _plan(STOOD, None, "port 7\n  set speed 10\n")
    assert (removed_lines(plan), unowned_nodes(plan, _platform)) == (0, 0)


def test_a_delete_counts_the_lines_it_takes() -> None:
    service = "port 7\n  set speed 10\n"
    plan = _plan(STOOD + service, service, None)
    assert (removed_lines(plan), unowned_nodes(plan, _platform)) == (2, 0)


def test_a_value_that_stood_before_any_service_is_nobodys() -> None:
    plan = _plan(STOOD, None, "port 1\n  set speed 99\n")
    assert unowned_nodes(plan, _platform) == 1
    assert shared_places(plan, _platform) == {"a": frozenset()}


def test_what_somebody_put_by_hand_below_a_service_goes_with_it_and_counts() -> None:
    service = "port 7\n  set speed 10\n"
    plan = _plan(STOOD + service + "  by hand\n", service, None)
    assert unowned_nodes(plan, _platform) == 1


def test_a_foreign_node_that_stays_as_it_is_does_not_count() -> None:
    plan = _plan(STOOD, None, "port 1\nroute 3\n")
    assert unowned_nodes(plan, _platform) == 0


def test_places_of_old_and_new_are_shared_places() -> None:
    plan = _plan(STOOD + "port 7\n", "port 7\n", "port 8\n")
    assert shared_places(plan, _platform) == {"a": frozenset({("port 7",), ("port 8",)})}


def test_the_hash_does_not_depend_on_who_the_neighbours_are() -> None:
    alone = _plan(STOOD + "port 7\n", None, "port 7\nroute 3\n", _fragment("port 7\n", "s2"))
    crowded = _plan(STOOD + "port 7\n", None, "port 7\nroute 3\n", _fragment("port 7\n", "s3"))
    assert alone.edits[0].shared_with != crowded.edits[0].shared_with
    assert alone.plan_hash == crowded.plan_hash


def test_the_patch_names_each_device_as_a_file() -> None:
    plan = _plan(STOOD, None, "port 7\n")
    other = replace(plan.edits[0], device="b")
    patch = unified_patch([plan.edits[0], other])
    assert [line for line in patch.splitlines() if line.startswith(("---", "+++"))] == [
        "--- a/a",
        "+++ b/a",
        "--- a/b",
        "+++ b/b",
    ]
    assert patch.count("+port 7\n") == 2


def test_the_patch_is_the_plans_diff_and_without_one_the_difference_of_its_texts() -> None:
    edit = _plan(STOOD, None, "port 7\n  set speed 10\n").edits[0]
    assert unified_patch([edit]) == unified_patch([replace(edit, diff="what a service adopts")]) != ""
    assert unified_patch([replace(edit, before=edit.after)]) == ""
