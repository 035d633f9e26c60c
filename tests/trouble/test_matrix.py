"""Every trouble of the table, on every driver it can hit, through the real core.

For each: what the monitor says, in the device's own words; what is on all devices, byte for byte; nothing left behind;
and the next order goes well.
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from activation.drivers.netconf_ncclient import NcclientNetconf
from activation.states import MonitorState
from inventory.model import Device
from inventory.store import Row
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.rig import (
    REAL_DRIVERS,
    TEMPLATES,
    Rig,
    broadband,
    configurations,
    core,
    database,
    ftth_lab,
    lab_devices,
)
from tests.trouble.cases import COMPLETES, TROUBLES, Box, Trouble

pytestmark = pytest.mark.lab

PATIENCE_S = 5.0
CASES = [(name, box) for name, trouble in TROUBLES.items() for box in trouble.boxes]


@pytest.fixture(scope="module")
def lab() -> Iterator[EmbeddedLab]:
    with ftth_lab() as running:
        yield running


@pytest.fixture(scope="module")
def carried(lab: EmbeddedLab, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the devices carry after an order without trouble."""
    rig = rig_of(lab, tmp_path_factory.mktemp("well"), "olt1", Trouble(title="", faults=()))
    assert rig.create(broadband()).state == MonitorState.COMPLETED
    found = configurations(lab)
    assert rig.terminate("svc-1042").state == MonitorState.COMPLETED
    end(rig)
    return found


@pytest.mark.parametrize(("name", "box"), CASES)
def test_trouble(
    name: str, box: Box, lab: EmbeddedLab, carried: Mapping[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trouble, device, before = TROUBLES[name], device_of(box), configurations(lab)
    rig = rig_of(lab, tmp_path, box, trouble)
    try:
        with caplog.at_level(logging.ERROR):
            monitor = ordered(rig, lab, device, trouble)
        check_monitor(monitor, device, trouble)
        assert configurations(lab) == (before if trouble.code else carried)
        if trouble.sticks:
            assert lab.leftovers(device)
        else:
            check_nothing_is_left(lab)
        assert not [record.message for record in caplog.records if "unexpected" in record.message]
        if trouble.code:
            assert rig.create(broadband()).state == MonitorState.COMPLETED
            assert configurations(lab) == carried
        assert rig.terminate("svc-1042").state == MonitorState.COMPLETED
        assert configurations(lab) == before
        check_nothing_is_left(lab)
    finally:
        lab.faults.clear(device)
        end(rig)


def ordered(rig: Rig, lab: EmbeddedLab, device: str, trouble: Trouble) -> Row:
    """Return the monitor of an order during which the device makes the trouble."""
    if trouble.warm:
        rig.core.warm().join()
    if trouble.dropped:
        lab.faults.set(device, Fault("idle_disconnect", value=0.05))
        wait_until_nobody_is_connected(lab_devices(lab)[device])
    for fault in trouble.faults:
        lab.faults.set(device, fault)
    monitor = rig.create(broadband())
    lab.faults.clear(device)
    return monitor


def wait_until_nobody_is_connected(device: Device) -> None:
    """Wait until no connection to ``device`` is established, as proc(5) has it in net/tcp."""
    address = "".join(f"{int(part):02X}" for part in reversed(device.address.split(".")))
    peer, established = f"{address}:{device.port:04X}", "01"
    deadline = time.monotonic() + PATIENCE_S
    while [row for row in Path("/proc/net/tcp").read_text().splitlines() if row.split()[2:4] == [peer, established]]:
        assert time.monotonic() < deadline, f"{device.name} drops nobody"
        time.sleep(0.01)


def check_monitor(monitor: Row, device: str, trouble: Trouble) -> None:
    errors = monitor.document.get("errorMessage", [])
    if trouble.code == COMPLETES:
        assert (monitor.state, errors) == (MonitorState.COMPLETED, [])
        return
    assert monitor.state == MonitorState.IN_ERROR
    assert {error["device"] for error in errors} == {device}
    assert re.fullmatch(trouble.code, errors[0]["code"]), errors
    assert re.search(trouble.words, errors[0]["message"]), errors[0]["message"]
    assert errors[0]["message"].startswith(f"{device}: ")
    assert not [error for error in errors if error["code"] == "rollbackFailed"]


def check_nothing_is_left(lab: EmbeddedLab) -> None:
    """Wait until no device holds a lock, an uncommitted change or an unconfirmed commit.

    Sessions that broke close behind the order's back.
    """
    deadline = time.monotonic() + PATIENCE_S
    while left := {node.name: found for node in lab.nodes() if (found := lab.leftovers(node.name))}:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def device_of(box: Box) -> str:
    return box.partition("-")[0]


def rig_of(lab: EmbeddedLab, folder: Path, box: Box, trouble: Trouble) -> Rig:
    drivers = REAL_DRIVERS.including("netconf-fast", NcclientNetconf()) if box == "olt1-ncclient" else REAL_DRIVERS
    devices = list(lab_devices(lab, timeout_s=trouble.timeout_s).values())
    if trouble.pinned:
        keys = {node.name: node.host_key for node in lab.nodes()}
        devices = [replace(device, host_key=keys[device.name]) for device in devices]
    return Rig(core(devices, TEMPLATES, drivers), database(folder))


def end(rig: Rig) -> None:
    rig.core.close()
    rig.database.close()
