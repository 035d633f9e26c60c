"""Checking devices tells the pool how they behave, as pushing does."""

import pytest

from activation.check_sync import SyncCheck
from activation.drivers.fake import FakeNetwork
from activation.errors import DeviceQuarantined, DeviceUnreachable
from activation.quarantine import PATIENCE
from tests.activation.rig import Rig, fake_service

pytestmark = pytest.mark.db


@pytest.fixture
def checks(rig: Rig) -> SyncCheck:
    assert not rig.create(fake_service()).document.get("errorMessage")
    reach = rig.core.reach
    return SyncCheck(devices=reach.devices, platforms=reach.platforms, sessions=reach.sessions)


def test_a_device_that_answers_no_check_is_left_alone(checks: SyncCheck, rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["read"] = ["unreachable"] * PATIENCE
    for _ in range(PATIENCE):
        (checked,) = checks.run(["a"], rig.database)
        assert isinstance(checked.error, DeviceUnreachable)
    (checked,) = checks.run(["a"], rig.database)
    assert isinstance(checked.error, DeviceQuarantined)


def test_a_check_that_is_answered_ends_the_failures_in_a_row(checks: SyncCheck, rig: Rig, network: FakeNetwork) -> None:
    network.devices["a"].faults["read"] = ["unreachable"]
    assert next(iter(checks.run(["a"], rig.database))).error is not None
    assert checks.sessions.records.state("a").failures == 1
    (checked,) = checks.run(["a"], rig.database)
    assert checked.drift is not None
    assert checked.drift.in_sync
    assert checks.sessions.records.state("a").failures == 0
