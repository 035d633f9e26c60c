"""The whole transaction on the embedded lab: real sockets, real drivers, real trouble."""

from collections.abc import Iterator

import pytest

from activation.sessions import SessionPool
from activation.states import MonitorState
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.rig import REAL_DRIVERS, TEMPLATES, Rig, broadband, configurations, core, lab_devices

pytestmark = pytest.mark.lab

DEVICES = ("olt1", "sw1", "r1")


@pytest.fixture(autouse=True)
def restored(lab: EmbeddedLab) -> Iterator[None]:
    """Every test leaves every device byte for byte as it found it."""
    before = configurations(lab)
    yield
    assert configurations(lab) == before


def impatient(rig: Rig, lab: EmbeddedLab) -> Rig:
    devices = list(lab_devices(lab, timeout_s=0.6).values())
    rig.core.close()
    rig.core = core(devices, TEMPLATES, REAL_DRIVERS)
    return rig


def test_add_upgrade_and_cease(lab_rig: Rig, lab: EmbeddedLab) -> None:
    before = configurations(lab)

    added = lab_rig.create(broadband(100, 50))
    assert added.state == MonitorState.COMPLETED
    with_service = configurations(lab)
    assert all(with_service[name] != before[name] for name in DEVICES)

    upgraded = lab_rig.modify(broadband(500, 250))
    verdicts = {each["device"]: each["readBack"] for each in upgraded.document["plan"]["devices"]}
    assert verdicts == {"olt1": "ok", "sw1": "ok", "r1": "unchanged"}
    assert configurations(lab)["r1"] == with_service["r1"]
    assert configurations(lab)["sw1"] == with_service["sw1"].replace(
        "police rate 100 mbps burst-size 1000 kbytes", "police rate 500 mbps burst-size 5000 kbytes"
    )

    assert lab_rig.terminate("svc-1042").state == MonitorState.COMPLETED
    assert configurations(lab) == before


def test_second_add_of_the_same_plans_the_same_diff(lab_rig: Rig) -> None:
    first = lab_rig.create(broadband()).document["plan"]["devices"]
    lab_rig.terminate("svc-1042")
    second = lab_rig.create(broadband()).document["plan"]["devices"]
    lab_rig.terminate("svc-1042")

    assert [each["diff"] for each in first] == [each["diff"] for each in second]


@pytest.mark.parametrize("device", DEVICES)
def test_unreachable_device_fails_the_order_and_nothing_is_anywhere(
    device: str, lab_rig: Rig, lab: EmbeddedLab
) -> None:
    before = configurations(lab)
    lab.cut(device)

    monitor = lab_rig.create(broadband())

    [error] = monitor.document["errorMessage"]
    assert (error["code"], error["device"]) == ("deviceUnreachable", device)
    assert configurations(lab) == before


@pytest.mark.parametrize("device", DEVICES)
def test_device_that_was_away_is_configured_once_it_is_back(device: str, lab_rig: Rig, lab: EmbeddedLab) -> None:
    lab_rig.core.warm().join()
    lab.cut(device)
    lab.restore(device)

    assert lab_rig.create(broadband()).state == MonitorState.COMPLETED
    assert lab_rig.terminate("svc-1042").state == MonitorState.COMPLETED


TROUBLE: dict[str, str] = {
    "refuse_edit": "editRefused",
    "refuse_commit": "editRefused",
    "drop_before_commit": "outcomeUnknown",
    "commit_changes_nothing": "readBackMismatch",
    "hang_in_commit": "outcomeUnknown",
}


CASES = [(fault, device) for fault in TROUBLE for device in DEVICES]
# Line by line everything is live before r1 hangs: that is the next test's.
CASES.remove(("hang_in_commit", "r1"))


@pytest.mark.parametrize(("fault", "device"), CASES)
def test_trouble_on_one_device_leaves_every_device_as_before(
    fault: str, device: str, lab_rig: Rig, lab: EmbeddedLab
) -> None:
    before = configurations(lab)
    lab.faults.set(device, Fault(fault))

    monitor = impatient(lab_rig, lab).create(broadband())

    assert monitor.state == MonitorState.IN_ERROR
    first = monitor.document["errorMessage"][0]
    assert (first["code"], first["device"]) == (TROUBLE[fault], device)
    assert not [each for each in monitor.document["errorMessage"] if each["code"] == "rollbackFailed"]
    assert configurations(lab) == before
    lab.faults.clear(device)
    assert lab_rig.create(broadband()).state == MonitorState.COMPLETED
    lab_rig.terminate("svc-1042")


def test_router_that_hangs_with_every_line_taken_is_resolved_by_reading_back(lab_rig: Rig, lab: EmbeddedLab) -> None:
    lab.faults.set("r1", Fault("hang_in_commit"))
    rig = impatient(lab_rig, lab)

    assert rig.create(broadband()).state == MonitorState.COMPLETED
    assert rig.terminate("svc-1042").state == MonitorState.COMPLETED


@pytest.mark.parametrize("device", DEVICES)
def test_answer_lost_after_the_commit_is_resolved_by_reading_back(device: str, lab_rig: Rig, lab: EmbeddedLab) -> None:
    lab.faults.set(device, Fault("drop_after_commit"))

    assert lab_rig.create(broadband()).state == MonitorState.COMPLETED
    assert lab_rig.terminate("svc-1042").state == MonitorState.COMPLETED


@pytest.mark.parametrize("device", DEVICES)
def test_one_failing_rollback_is_repaired(device: str, lab_rig: Rig, lab: EmbeddedLab) -> None:
    before = configurations(lab)
    other = "sw1" if device != "sw1" else "olt1"
    lab.faults.set(device, Fault("rollback_fails"))
    lab.faults.set(other, Fault("commit_changes_nothing"))

    monitor = lab_rig.create(broadband())

    assert {each["code"] for each in monitor.document["errorMessage"]} == {"readBackMismatch"}
    assert configurations(lab) == before


def test_warm_activation_takes_well_below_a_second(lab_rig: Rig) -> None:
    lab_rig.core.warm().join()
    phases = lab_rig.create(broadband()).document["plan"]["timingsS"]
    lab_rig.terminate("svc-1042")

    assert sum(phases.values()) < 0.8


def test_session_pool_holds_one_warm_session_per_device_afterwards(lab_rig: Rig) -> None:
    lab_rig.create(broadband())
    lab_rig.terminate("svc-1042")

    pool: SessionPool = lab_rig.core.reach.sessions
    assert [pool.idle(name) for name in DEVICES] == [1, 1, 1]
