"""OLTs that offer less than ours: the same order, and the same promise when it fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.drivers.netconf_ncclient import NcclientNetconf
from activation.drivers.registry import DriverRegistry
from activation.states import MonitorState
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from labs.errors import LabStartError
from tests.activation.rig import (
    REAL_DRIVERS,
    TEMPLATES,
    Rig,
    broadband,
    configurations,
    core,
    database,
    lab_devices,
)
from tests.activation.variants import VARIANTS, variant
from tests.trouble.test_matrix import check_nothing_is_left

pytestmark = pytest.mark.lab

DRIVERS = {"fast": REAL_DRIVERS, "ncclient": REAL_DRIVERS.including("netconf-fast", NcclientNetconf())}
FAULTS: dict[str, tuple[str, str]] = {
    "refuse_edit": ("olt1", "editRefused"),
    "commit_changes_nothing": ("olt1", "readBackMismatch"),
    "commit_in_part": ("olt1", "readBackMismatch"),
    "drop_before_commit": ("olt1", "outcomeUnknown"),
    "refuse_commit": ("sw1", "editRefused"),
}


@pytest.fixture(scope="module", params=VARIANTS)
def lab(request: pytest.FixtureRequest) -> Iterator[EmbeddedLab]:
    with EmbeddedLab(variant(VARIANTS[request.param]), ssh_port=0, netconf_port=0) as running:
        yield running


@pytest.fixture(params=DRIVERS)
def rig(request: pytest.FixtureRequest, lab: EmbeddedLab, tmp_path: Path) -> Iterator[Rig]:
    drivers: DriverRegistry = DRIVERS[request.param]
    built = Rig(core(list(lab_devices(lab, timeout_s=5.0).values()), TEMPLATES, drivers), database(tmp_path))
    yield built
    built.core.close()
    built.database.close()


def test_an_order_comes_and_goes(rig: Rig, lab: EmbeddedLab) -> None:
    before = configurations(lab)
    assert rig.create(broadband()).state == MonitorState.COMPLETED
    assert configurations(lab)["olt1"] != before["olt1"]
    check_nothing_is_left(lab)
    assert rig.terminate("svc-1042").state == MonitorState.COMPLETED
    assert configurations(lab) == before


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_fails_every_device_is_as_before(kind: str, rig: Rig, lab: EmbeddedLab) -> None:
    before = configurations(lab)
    device, code = FAULTS[kind]
    lab.faults.set(device, Fault(kind))
    monitor = rig.create(broadband())
    lab.faults.clear(device)
    errors = [(error["code"], error["device"]) for error in monitor.document["errorMessage"]]
    assert errors[0] == (code, device)
    assert "rollbackFailed" not in dict(errors)
    assert configurations(lab) == before
    check_nothing_is_left(lab)


def test_an_unknown_capability_is_answered_with_the_legal_ones() -> None:
    with pytest.raises(LabStartError, match=r"unknown teleport; known: candidate, confirmed-commit.*writable-running"):
        EmbeddedLab(variant("candidate, teleport"), ssh_port=0, netconf_port=0).start()
