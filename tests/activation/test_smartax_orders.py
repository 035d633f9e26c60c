"""Orders on the emulated SmartAX OLT, over SSH through the real driver; afterwards it is byte for byte as before."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activation.states import MonitorState
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology
from tests.activation.rig import REAL_DRIVERS, TEMPLATES, Rig, core, database, lab_devices, part
from tests.activation.services import SMARTAX_BASE

pytestmark = pytest.mark.lab

TOPOLOGY = """\
name: smartax
topology:
  nodes:
    olt2:
      kind: linux
      image: none
      mgmt-ipv4: 172.20.21.12
      startup-config: olt2.cfg
      labels: {lastmile.role: olt, lastmile.platform: smartax}
"""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[EmbeddedLab]:
    (tmp_path / "olt2.cfg").write_text(SMARTAX_BASE)
    file = tmp_path / "smartax.clab.yml"
    file.write_text(TOPOLOGY)
    with EmbeddedLab(load_topology(file, environ={}), ssh_port=0, netconf_port=0) as running:
        yield running


@pytest.fixture
def rig(lab: EmbeddedLab, tmp_path: Path) -> Iterator[Rig]:
    found = Rig(core(list(lab_devices(lab).values()), TEMPLATES, REAL_DRIVERS), database(tmp_path))
    yield found
    found.core.close()
    found.database.close()


def service(number: int = 7, mbps: int = 50) -> dict[str, Any]:
    gpon = part(
        f"svc-{number}-gpon",
        "gpon-access",
        olt="olt2",
        channelPartition="0/1",
        channelPair="0/1/3",
        onuId=number,
        ontSerialNumber=f"ABCD{number:08X}",
        vlanId=1035 + number,
        uplinkInterface="0/9/0",
        upstreamBps=mbps * 1_000_000,
        assuredBps=mbps * 500_000,
        subscriber=str(number),
    )
    return {"id": f"svc-{number}", "serviceSpecification": {"id": "internet-access"}, "supportingService": [gpon]}


def test_services_come_change_and_go(lab: EmbeddedLab, rig: Rig) -> None:
    before = lab.running_config("olt2")
    assert rig.create(service(7)).state == MonitorState.COMPLETED
    one = lab.running_config("olt2")
    assert 'ont add 3 7 sn-auth "4142434400000007" omci ont-lineprofile-id 50' in one
    assert rig.create(service(8)).state == MonitorState.COMPLETED
    assert rig.modify(service(8, mbps=500)).state == MonitorState.COMPLETED
    assert "ont add 3 8" in lab.running_config("olt2")
    assert "ont-lineprofile-id 500 ont-srvprofile-id 1" in lab.running_config("olt2")
    assert rig.terminate("svc-8").state == MonitorState.COMPLETED
    assert lab.running_config("olt2") == one
    assert rig.terminate("svc-7").state == MonitorState.COMPLETED
    assert lab.running_config("olt2") == before


@pytest.mark.parametrize("lines_before", range(0, 12, 3))
def test_a_line_that_is_refused_takes_the_others_back(lab: EmbeddedLab, rig: Rig, lines_before: int) -> None:
    before = lab.running_config("olt2")
    lab.faults.set("olt2", Fault("refuse_edit", after=lines_before))
    failed = rig.create(service())
    assert failed.state == MonitorState.IN_ERROR
    assert "Failure: The board 0 refuses" in failed.document["errorMessage"][0]["message"]
    assert lab.running_config("olt2") == before
    lab.faults.clear("olt2")
    assert rig.create(service()).state == MonitorState.COMPLETED
    assert rig.terminate("svc-7").state == MonitorState.COMPLETED
    assert lab.running_config("olt2") == before


@pytest.mark.parametrize(
    "kind", ["refuse_commit", "commit_changes_nothing", "commit_in_part", "question", "drop_in_edit"]
)
def test_what_goes_wrong_leaves_nothing(lab: EmbeddedLab, rig: Rig, kind: str) -> None:
    before = lab.running_config("olt2")
    lab.faults.set("olt2", Fault(kind))
    assert rig.create(service()).state == MonitorState.IN_ERROR
    lab.faults.clear("olt2")
    assert lab.running_config("olt2") == before


def test_pages_are_turned_and_questions_answered(lab: EmbeddedLab, rig: Rig) -> None:
    lab.faults.set("olt2", Fault("pager"))
    for number in range(1, 6):
        assert rig.create(service(number)).state == MonitorState.COMPLETED
    for number in range(1, 6):
        assert rig.terminate(f"svc-{number}").state == MonitorState.COMPLETED
