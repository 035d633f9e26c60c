"""A foreign NETCONF server says ok to edit, validate and commit and stores nothing: the core must not believe it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activation.states import MonitorState
from inventory.model import Device
from tests.activation.rig import REAL_DRIVERS, Rig, core, database, part
from tests.labs.referees.netconfd import ADDRESS, USER, installed, netconfd

TEMPLATES = Path(__file__).parent / "templates"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="netconfd is not installed (Debian: apt-get install netconfd)"),
]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with netconfd(tmp_path) as port:
        device = Device(
            name="yuma",
            platform="netconfd",
            role="router",
            address=ADDRESS,
            port=port,
            username=USER,
            password=USER,
            timeout_s=10.0,
        )
        base = database(tmp_path)
        made = Rig(core=core([device], TEMPLATES, REAL_DRIVERS), database=base)
        yield made
        made.core.close()
        base.close()


def test_a_commit_that_is_lost_is_found_by_reading_back(rig: Rig) -> None:
    service = {
        "id": "svc-1",
        "serviceSpecification": {"id": "kitchen"},
        "supportingService": [part("svc-1-a", "toaster", device="yuma")],
    }
    monitor = rig.create(service)
    assert monitor.state == MonitorState.IN_ERROR
    (error,) = monitor.document["errorMessage"]
    assert (error["device"], error["code"]) == ("yuma", "readBackMismatch")
    assert "does not show it: missing: toaster" in error["reason"]
    (device,) = monitor.document["plan"]["devices"]
    assert device["readBack"] == "restored"
