"""The process dies at any moment of a push; the next one puts everything right."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from activation.drivers.fake import FakeNetwork
from activation.recovery import ROLLBACK_TRIES
from activation.states import MonitorState
from activation.store import unfinished
from activation.transact import CONFIRM_TIMEOUT_S
from api.runtime.database import Database
from inventory.ledger import UnitOfWork
from tests.activation.rig import STOOD, DeviceList, Rig, fake_core, fake_device, fake_service, fresh

UNTOUCHED = dict.fromkeys("abc", STOOD)
CONFIGURED = dict.fromkeys("abc", STOOD + "port 7\n  set speed 100\nroute 7\n")
LAST_WRITE = 5
"""Writes of one activation: plan and staging, committing, readingBack, confirming, the end."""


class Killed(BaseException):
    """The process is gone: nothing may catch this."""


class DyingDatabase:
    """A database whose process dies as it begins its n-th write."""

    def __init__(self, database: Database, dies_at: int) -> None:
        self._database, self._left = database, dies_at

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        self._left -= 1
        if self._left == 0:
            raise Killed
        with self._database.begin() as uow:
            yield uow

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._database.read() as connection:
            yield connection


def killed_at(write: int, rig: Rig, network: FakeNetwork, external_id: str = "one") -> str:
    """Start an activation, kill it at its n-th write, and come back as a new process; return the monitor's id."""
    with rig.database.begin() as uow:
        monitor_id = rig.core.create(uow, fake_service(), external_id=external_id, correlation_id="order-1")
    with pytest.raises(Killed):
        rig.run(monitor_id, DyingDatabase(rig.database, write))
    network.cut_sessions()
    rig.core = fake_core(network)
    return monitor_id


def states(network: FakeNetwork) -> dict[str, str]:
    return {name: fake.running for name, fake in network.devices.items()}


@pytest.mark.parametrize("write", range(1, LAST_WRITE + 1))
def test_recovery_restores_every_device_and_the_job_then_completes(write: int, rig: Rig, network: FakeNetwork) -> None:
    monitor_id = killed_at(write, rig, network)

    assert rig.core.recover(rig.database) == (write > 1)
    assert states(network) == UNTOUCHED
    assert all(not fake.pending for fake in network.devices.values())

    assert rig.run(monitor_id).state == MonitorState.COMPLETED
    assert states(network) == CONFIGURED


@pytest.mark.parametrize("write", range(1, LAST_WRITE + 1))
def test_job_that_runs_again_without_recovery_recovers_its_own_transaction(
    write: int, rig: Rig, network: FakeNetwork
) -> None:
    monitor = rig.run(killed_at(write, rig, network))

    assert monitor.state == MonitorState.COMPLETED
    assert states(network) == CONFIGURED
    with rig.database.read() as connection:
        assert unfinished(connection) == ()


def test_the_kill_did_strike_after_commits_and_confirms(rig: Rig, network: FakeNetwork) -> None:
    killed_at(LAST_WRITE, rig, network)

    assert states(network) == CONFIGURED


def test_completed_activation_is_neither_rolled_back_nor_run_again(rig: Rig, network: FakeNetwork) -> None:
    monitor = rig.create(fake_service())
    rig.core = fake_core(network)

    assert rig.core.recover(rig.database) == 0
    assert rig.run(monitor.id) == monitor
    assert states(network) == CONFIGURED


@pytest.mark.parametrize("write", [5, 6, 7])
def test_crash_while_rolling_back_rolls_back_again(write: int, rig: Rig, network: FakeNetwork) -> None:
    # Writes 1 to 4 lead to confirming, which is refused; 5 says rollingBack, 6 rolledBack, 7 ends the monitor.
    network.devices["b"].faults["confirm"] = ["refuse"]
    monitor_id = killed_at(write, rig, network)

    rig.core.recover(rig.database)

    assert states(network) == UNTOUCHED
    assert rig.run(monitor_id).state == MonitorState.COMPLETED


def test_interrupted_modify_goes_back_to_the_old_service_first(rig: Rig, network: FakeNetwork) -> None:
    rig.create(fake_service(100))
    with rig.database.begin() as uow:
        monitor_id = rig.core.modify(uow, fake_service(500), external_id=fresh(), correlation_id="order-1")
    with pytest.raises(Killed):
        rig.run(monitor_id, DyingDatabase(rig.database, LAST_WRITE))
    network.cut_sessions()
    rig.core = fake_core(network)

    rig.core.recover(rig.database)

    assert states(network) == CONFIGURED
    assert rig.run(monitor_id).state == MonitorState.COMPLETED


def test_device_that_cannot_be_reached_is_rolled_back_later_and_the_job_then_completes(
    rig: Rig, network: FakeNetwork
) -> None:
    monitor_id = killed_at(LAST_WRITE, rig, network)
    network.devices["b"].faults["connect"] = ["unreachable"] * 4

    assert rig.core.recover(rig.database) == 1
    assert (network.devices["a"].running, network.devices["c"].running) == (STOOD, STOOD)
    again = rig.try_once(monitor_id)

    assert again is not None
    assert (again.delay_s, "b: connect" in again.reason) == (2.0, True)
    waiting = rig.monitor(monitor_id)
    assert waiting.state == MonitorState.IN_PROGRESS
    note = waiting.document["rollback"]
    assert (note["devices"], note["tries"], "b: connect" in note["reason"]) == (["b"], 2, True)
    ended = rig.run(monitor_id)
    assert (ended.state, "rollback" in ended.document) == (MonitorState.COMPLETED, False)
    assert states(network) == CONFIGURED


def test_device_that_stays_away_ends_the_monitor_and_says_so(rig: Rig, network: FakeNetwork) -> None:
    monitor_id = killed_at(LAST_WRITE, rig, network)
    network.devices["b"].faults["connect"] = ["unreachable" for _ in range(2 * ROLLBACK_TRIES)]
    pauses_s = [again.delay_s for _ in range(ROLLBACK_TRIES - 1) if (again := rig.try_once(monitor_id))]

    monitor = rig.run(monitor_id)

    assert (len(pauses_s), sum(pauses_s) > CONFIRM_TIMEOUT_S) == (ROLLBACK_TRIES - 1, True)
    assert monitor.state == MonitorState.IN_ERROR
    assert [(each["code"], each["device"]) for each in monitor.document["errorMessage"]] == [("rollbackFailed", "b")]
    assert rig.steps(monitor)[-1] == "rollbackFailed"
    assert (network.devices["a"].running, network.devices["c"].running) == (STOOD, STOOD)


def test_device_that_left_the_inventory_does_not_keep_the_platform_from_starting(
    rig: Rig, network: FakeNetwork
) -> None:
    monitor_id = killed_at(LAST_WRITE, rig, network)
    rig.core.reach.devices = DeviceList([fake_device("a"), fake_device("c", "fake_line")])
    rig.core.reach.sessions.devices = rig.core.reach.devices

    assert rig.core.recover(rig.database) == 1

    assert rig.try_once(monitor_id) is not None
    assert (network.devices["a"].running, network.devices["c"].running) == (STOOD, STOOD)


def test_killed_while_staging_nothing_can_be_left_on_a_device_that_is_away(rig: Rig, network: FakeNetwork) -> None:
    monitor_id = killed_at(2, rig, network)
    network.devices["b"].faults["connect"] = ["unreachable"] * 2

    rig.core.recover(rig.database)

    assert rig.run(monitor_id).state == MonitorState.COMPLETED


def test_change_waits_for_the_rollback_in_front_of_it(rig: Rig, network: FakeNetwork) -> None:
    first = rig.accept(fake_service(number=7))
    network.devices["b"].faults["commit"] = ["refuse"]
    network.devices["c"].faults["rollback"] = ["lost_before", "lost_before"]
    assert rig.try_once(first) is not None
    assert network.devices["c"].running != STOOD
    second = rig.accept(fake_service(number=8))

    again = rig.try_once(second)

    assert again is not None
    assert "waits for the rollback of lm-" in again.reason
    assert rig.run(first).state == rig.run(second).state == MonitorState.COMPLETED
    for number in (7, 8):
        rig.terminate(f"svc-{number}")
    assert states(network) == UNTOUCHED


@pytest.mark.parametrize("write", range(3, LAST_WRITE + 1))
def test_change_waits_for_what_a_dead_worker_left_on_the_devices(write: int, rig: Rig, network: FakeNetwork) -> None:
    first = killed_at(write, rig, network)
    second = rig.accept(fake_service(number=8))

    again = rig.try_once(second)

    assert again is not None
    assert "waits for the rollback of lm-" in again.reason
    assert rig.run(first).state == rig.run(second).state == MonitorState.COMPLETED
    for number in (7, 8):
        rig.terminate(f"svc-{number}")
    assert states(network) == UNTOUCHED


def test_rollback_that_died_leaves_alone_what_came_after_a_transaction_that_only_staged(
    rig: Rig, network: FakeNetwork
) -> None:
    first = killed_at(2, rig, network)
    second = rig.accept(fake_service(number=8))
    assert rig.run(second).state == MonitorState.COMPLETED
    with_second = states(network)
    assert with_second != UNTOUCHED

    with pytest.raises(Killed):
        rig.run(first, DyingDatabase(rig.database, 2))
    network.cut_sessions()
    rig.core = fake_core(network)

    assert rig.core.recover(rig.database) == 1
    assert states(network) == with_second
