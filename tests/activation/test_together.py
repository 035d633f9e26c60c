"""Activations that meet at their devices: one transaction for all, and each for itself where that fails."""

import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import pytest

from activation.drivers.fake import FakeNetwork
from activation.fragment_store import fragments_sharing
from activation.states import MonitorState
from inventory.store import Row
from tests.activation.rig import STOOD, Rig, fake_service, fresh

PATIENCE_S = 10.0
DEVICES = ("a", "b", "c")


def requested(rig: Rig, services: Sequence[dict[str, Any]]) -> list[str]:
    with rig.database.begin() as uow:
        return [
            rig.core.create(uow, service, external_id=fresh(), correlation_id=service["id"]) for service in services
        ]


def run_together(rig: Rig, monitor_ids: Sequence[str], *, failures: int = 0) -> list[Row]:
    """Hand all to the core while their devices are held, so that they form one group."""
    ended: SimpleQueue[object] = SimpleQueue()
    with rig.core.reach.locks.held(DEVICES):
        rig.core.accept([rig.job(monitor_id, ended.put, failures=failures) for monitor_id in monitor_ids])
        until(lambda: len(rig.core._lines) == len(monitor_ids))
    outcomes = [ended.get(timeout=PATIENCE_S) for _ in monitor_ids]
    assert not any(isinstance(outcome, BaseException) for outcome in outcomes)
    return [rig.monitor(monitor_id) for monitor_id in monitor_ids]


def until(done: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    deadline_s, pause = time.monotonic() + patience_s, threading.Event()
    while not done():
        assert time.monotonic() < deadline_s
        pause.wait(0.001)


def commits(network: FakeNetwork, name: str) -> int:
    return network.devices[name].phases.count("commit")


def test_a_group_commits_once_per_device(rig: Rig, network: FakeNetwork) -> None:
    services = [fake_service(number=number) for number in (1, 2, 3, 4)]
    monitors = run_together(rig, requested(rig, services))
    assert [monitor.state for monitor in monitors] == [MonitorState.COMPLETED] * 4
    assert [commits(network, name) for name in DEVICES] == [1, 1, 1]
    for number in (1, 2, 3, 4):
        assert f"route {number}" in network.devices["a"].running
    steps = ["staging", "committing", "readingBack", "confirming", "done"]
    assert all(rig.steps(monitor) == steps for monitor in monitors)


def test_each_monitor_tells_its_own_share(rig: Rig) -> None:
    services = [fake_service(number=number) for number in (1, 2, 3)]
    first, second, third = run_together(rig, requested(rig, services))
    assert first.document["plan"]["planId"] == second.document["plan"]["planId"] == third.document["plan"]["planId"]
    for monitor, number, other in ((second, 2, 3), (third, 3, 2)):
        diffs = [device["diff"] for device in monitor.document["plan"]["devices"]]
        assert len(diffs) == len(DEVICES)
        assert all(f"+route {number}" in diff and f"route {other}" not in diff for diff in diffs)
        assert all(device["readBack"] == "ok" for device in monitor.document["plan"]["devices"])


def test_a_group_that_is_refused_once_is_undone_and_goes_in_parts(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["stage"] = ["refuse"]
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in (1, 2, 3)]))
    assert [monitor.state for monitor in monitors] == [MonitorState.COMPLETED] * 3
    assert network.devices["b"].phases.count("stage") == 4
    assert [commits(network, name) for name in DEVICES] == [3, 3, 3]
    assert rig.steps(monitors[1])[:3] == ["staging", "rollingBack", "rolledBack"]
    assert rig.steps(monitors[1])[3:] == ["staging", "committing", "readingBack", "confirming", "done"]


def test_one_member_that_cannot_be_does_not_stop_the_others(rig: Rig, network: FakeNetwork) -> None:
    alone = rig.create(fake_service(number=9, speed=100))
    assert alone.state == MonitorState.COMPLETED
    clash = fake_service(number=9, speed=500)
    clash["id"] = "clash"
    for part in clash["supportingService"]:
        part["id"] = f"clash-{part['id']}"
    monitors = run_together(rig, requested(rig, [fake_service(number=1), clash, fake_service(number=2)]))
    states = [monitor.state for monitor in monitors]
    assert states == [MonitorState.COMPLETED, MonitorState.IN_ERROR, MonitorState.COMPLETED]
    assert "set speed 100" in network.devices["a"].running
    assert "set speed 500" not in network.devices["a"].running
    assert "route 2" in network.devices["a"].running


def test_a_group_whose_rollback_waits_is_rolled_back_once(rig: Rig, network: FakeNetwork) -> None:
    """The second to come back must not undo what the first has made since."""
    network.devices["b"].faults["commit"] = ["refuse"]
    network.devices["c"].faults["rollback"] = ["lost_before", "lost_before"]
    monitor_ids = requested(rig, [fake_service(number=number) for number in (1, 2, 3)])
    before = run_together(rig, monitor_ids)
    assert [monitor.state for monitor in before] == [MonitorState.IN_PROGRESS] * 3
    after = [rig.run(monitor_id) for monitor_id in monitor_ids]
    assert [monitor.state for monitor in after] == [MonitorState.COMPLETED] * 3
    for number in (1, 2, 3):
        assert all(f"route {number}" in network.devices[name].running for name in DEVICES)


def test_the_members_of_an_interrupted_group_come_back_at_once(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["commit"] = ["refuse"]
    network.devices["c"].faults["rollback"] = ["lost_before", "lost_before"]
    monitor_ids = requested(rig, [fake_service(number=number) for number in (1, 2, 3)])
    run_together(rig, monitor_ids)
    back = [threading.Thread(target=rig.try_once, args=(monitor_id,)) for monitor_id in monitor_ids]
    for thread in back:
        thread.start()
    for thread in back:
        thread.join(PATIENCE_S)
    assert [rig.run(monitor_id).state for monitor_id in monitor_ids] == [MonitorState.COMPLETED] * 3
    for number in (1, 2, 3):
        assert all(f"route {number}" in network.devices[name].running for name in DEVICES)


def test_taking_all_away_again_leaves_the_devices_as_they_were(rig: Rig, network: FakeNetwork) -> None:
    services = [fake_service(number=number) for number in (1, 2, 3)]
    run_together(rig, requested(rig, services))
    with rig.database.begin() as uow:
        ends = [rig.core.terminate(uow, service["id"], external_id=fresh(), correlation_id="x") for service in services]
    monitors = run_together(rig, ends)
    assert [monitor.state for monitor in monitors] == [MonitorState.COMPLETED] * 3
    assert [network.devices[name].running for name in DEVICES] == [STOOD] * 3


def test_what_is_read_for_a_plan_does_not_grow_with_what_is_configured(rig: Rig) -> None:
    for number in range(10, 30):
        assert rig.create(fake_service(number=number, names=("a",))).state == MonitorState.COMPLETED
    shared = {("port 10",), ("port 10", "set speed")}
    with rig.database.read() as connection:
        found = fragments_sharing(connection, ["svc-new"], {"a": shared, "b": shared})
        none = fragments_sharing(connection, ["svc-new"], {"a": {("port 99",)}})
        own = fragments_sharing(connection, ["svc-10"], {"a": shared})
    assert [fragment.service_id for fragment in found["a"]] == ["svc-10-a"]
    assert found["b"] == none["a"] == own["a"] == ()


def test_fragments_of_an_older_release_are_indexed_at_start(rig: Rig) -> None:
    rig.create(fake_service(number=7))
    with rig.database.begin() as uow:
        uow.connection.exec_driver_sql("DELETE FROM fragment_place")
    rig.core.recover(rig.database)
    with rig.database.read() as connection:
        found = fragments_sharing(connection, ["svc-new"], {"a": {("port 7",)}})
    assert [fragment.service_id for fragment in found["a"]] == ["svc-7-a"]


MANY = tuple(range(10, 42))


def test_one_culprit_of_many_stands_alone_with_the_devices_words_and_few_transactions(
    rig: Rig, network: FakeNetwork
) -> None:
    network.devices["b"].refuses = "port 27"
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    states = {number: monitor.state for number, monitor in zip(MANY, monitors, strict=True)}
    assert [number for number, state in states.items() if state != MonitorState.COMPLETED] == [27]
    [error] = monitors[MANY.index(27)].document["errorMessage"]
    assert (error["code"], error["device"], "% Invalid input" in error["message"]) == ("editRefused", "b", True)
    assert all(f"route {number}" in network.devices["a"].running for number in MANY if number != 27)
    assert network.devices["b"].phases.count("stage") <= 8
    assert commits(network, "b") <= 5


def test_a_culprit_whom_the_device_names_is_tried_at_once(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].refuses, network.devices["b"].quotes = "port 27", True
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert [n for n, monitor in zip(MANY, monitors, strict=True) if monitor.state != MonitorState.COMPLETED] == [27]
    assert network.devices["b"].phases.count("stage") == 3
    assert commits(network, "b") == 1


def test_a_group_that_is_too_much_for_a_device_goes_in_smaller_ones(rig: Rig, network: FakeNetwork) -> None:
    """The first answer to a commit never comes; the device is as it was before, and does not get so much again."""
    network.devices["b"].faults["commit"] = ["lost_before"]
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert {monitor.state for monitor in monitors} == {MonitorState.COMPLETED}
    assert commits(network, "b") == 5
    assert rig.core.sizes.limit(["b"]) <= len(MANY) // 2
    assert rig.steps(monitors[0])[-1] == "done"


def test_a_device_that_falls_silent_over_everything_fails_the_group(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["commit"] = ["lost_before"] * 40
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert {monitor.state for monitor in monitors} == {MonitorState.IN_ERROR}
    assert commits(network, "b") <= 4
    assert [network.devices[name].running for name in DEVICES] == [STOOD] * 3


def test_a_device_that_refuses_everybody_is_believed_after_three(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].refuses = "port"
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert {monitor.state for monitor in monitors} == {MonitorState.IN_ERROR}
    assert {monitor.document["errorMessage"][0]["code"] for monitor in monitors} == {"editRefused"}
    assert network.devices["b"].phases.count("stage") < len(MANY)
    assert network.devices["a"].running == network.devices["b"].running == STOOD


def test_a_device_out_of_reach_fails_the_whole_group_at_once(rig: Rig, network: FakeNetwork) -> None:
    network.devices["b"].faults["connect"] = ["unreachable"] * 9
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert {monitor.document["errorMessage"][0]["code"] for monitor in monitors} == {"deviceUnreachable"}
    assert network.devices["b"].phases == ["connect"]


def test_the_batch_size_of_a_device_bounds_the_group(rig: Rig, network: FakeNetwork) -> None:
    for _ in range(3):
        rig.core.sizes.learn("b", 40, 100.0)
    limit = rig.core.sizes.limit(DEVICES)
    run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]))
    assert limit < len(MANY) // 2
    assert commits(network, "a") >= len(MANY) // (2 * limit)


@pytest.mark.parametrize(("failures", "groups"), [(0, 1), (1, 1), (4, 3), (5, 11), (6, 32), (7, 32)])
def test_what_took_workers_with_it_goes_in_ever_smaller_groups(
    rig: Rig, network: FakeNetwork, failures: int, groups: int
) -> None:
    monitors = run_together(rig, requested(rig, [fake_service(number=number) for number in MANY]), failures=failures)
    assert {monitor.state for monitor in monitors} == {MonitorState.COMPLETED}
    assert commits(network, "b") == groups


def test_each_shared_place_has_its_sharer(rig: Rig) -> None:
    rig.create(fake_service(number=7, names=("a",)))
    rig.create(fake_service(number=8, names=("a",)))
    places = {("port 7",), ("port 8",), ("port 9",)}
    with rig.database.read() as connection:
        found = fragments_sharing(connection, ["svc-new"], {"a": places})
    assert sorted(fragment.service_id for fragment in found["a"]) == ["svc-7-a", "svc-8-a"]
