"""The switch over eAPI: who it is, what it refuses, and what a platform makes of it from order to cease."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from activation.drivers.eos_eapi import open_eapi
from activation.errors import DeviceUnreachable, EditRefused, HostKeyRefused, OutcomeUnknown
from activation.states import MonitorState
from inventory.model import Device
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from tests.activation.drivers.benches import EAPI, TOKEN, Bench, lab_bench
from tests.activation.rig import REAL_DRIVERS, TEMPLATES, Rig, broadband, configurations, core, database, lab_devices
from tests.activation.variants import with_eapi

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def eapi_lab() -> Iterator[EmbeddedLab]:
    with EmbeddedLab(with_eapi(), ssh_port=0, netconf_port=0) as lab:
        yield lab


@pytest.fixture
def bench(eapi_lab: EmbeddedLab) -> Iterator[Bench]:
    bench = lab_bench(eapi_lab, "sw1", EAPI)
    before = bench.configuration()
    yield bench
    eapi_lab.faults.clear("sw1")
    assert bench.configuration() == before


def test_the_certificate_is_pinned_before_the_password_is_sent(bench: Bench) -> None:
    session = bench.open()
    shown = session.host_key
    session.close()
    assert shown.startswith("SHA256:")
    known = replace(bench.device, host_key=shown)
    open_eapi(known, bench.platform).close()
    other = replace(bench.device, host_key="SHA256:somebodyelse", password="never sent")
    with pytest.raises(HostKeyRefused, match="the device shows SHA256:"):
        open_eapi(other, bench.platform)


def test_a_wrong_password_and_a_port_where_nobody_listens_are_told(bench: Bench) -> None:
    for wrong in (replace(bench.device, password="no"), replace(bench.device, port=1)):
        with pytest.raises(DeviceUnreachable, match=f"{wrong.address}:{wrong.port}"):
            open_eapi(wrong, bench.platform)


def test_a_refused_line_is_told_in_the_switchs_words_and_leaves_nothing(bench: Bench) -> None:
    session = bench.open()
    with pytest.raises(EditRefused, match="Invalid input"):
        session.stage(bench.bad_edit(session), token=TOKEN)
    session.discard()
    edit = bench.edit(session)
    session.stage(edit, token=TOKEN)
    session.discard()
    session.close()


def test_a_refused_commit_leaves_nothing_live(bench: Bench, eapi_lab: EmbeddedLab) -> None:
    session = bench.open()
    edit = bench.edit(session)
    eapi_lab.faults.set("sw1", Fault("refuse_commit"))
    session.stage(edit, token=TOKEN)
    with pytest.raises((EditRefused, OutcomeUnknown)):
        session.commit(edit, token=TOKEN, confirm_timeout_s=60)
    session.rollback(edit, token=TOKEN, undone=bench.undone(edit))
    session.close()


def eapi_devices(lab: EmbeddedLab) -> Sequence[Device]:
    devices = {**lab_devices(lab), "sw1": lab_bench(lab, "sw1", EAPI).device}
    return list(devices.values())


def test_from_order_to_cease_every_byte_is_as_before(
    eapi_lab: EmbeddedLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = configurations(eapi_lab)
    rig = Rig(
        core=core(eapi_devices(eapi_lab), TEMPLATES, REAL_DRIVERS), database=database(tmp_path_factory.mktemp("db"))
    )
    try:
        service = broadband()
        assert rig.create(service).state == MonitorState.COMPLETED
        assert "vlan 1042" in configurations(eapi_lab)["sw1"]
        assert rig.modify({**broadband(200, 100), "id": service["id"]}).state == MonitorState.COMPLETED
        assert rig.terminate(service["id"]).state == MonitorState.COMPLETED
    finally:
        rig.core.close()
        rig.database.close()
    assert configurations(eapi_lab) == before


def test_what_a_broken_line_left_behind_does_not_lock_the_switch(bench: Bench) -> None:
    broken, next_one = bench.open(), bench.open()
    edit = bench.edit(broken)
    broken.stage(edit, token=f"{TOKEN}-broken")
    broken.close()
    next_one.stage(edit, token=TOKEN)
    next_one.discard()
    next_one.close()
