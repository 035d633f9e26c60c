import re
from pathlib import Path

import pytest

from labs.netns.forwarding import Flow, Forwarding, Meter
from labs.netns.plane_olt import Ont, olt_forwarding

GOLDEN = Path(__file__).parents[2] / "templates" / "bbf_olt"
SERIAL = re.compile(r"<expected-serial-number>(\w+)<")


UPLINK = (
    '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">'
    "<interface><name>uplink1</name></interface></interfaces>"
)


def _config(case: str) -> str:
    return f"<config>{UPLINK}{(GOLDEN / case / 'expected.xml').read_text(encoding='utf-8')}</config>"


def _found(config: str, **ont: str) -> Forwarding:
    serial = SERIAL.search(config)
    assert serial is not None
    plugged = {"serial_number": serial[1], "port": "pon1", "channel_pair": "", **ont}
    return olt_forwarding(config, [Ont(**plugged)], ["uplink1"])


@pytest.fixture
def in_service() -> str:
    return _config("fibre-100")


def _facts(config: str) -> tuple[int, int]:
    vlan_id = re.search(r"<vlan-id>(\d+)<", config)
    max_bps = re.search(r"<maximum-bandwidth>(\d+)<", config)
    assert vlan_id is not None
    assert max_bps is not None
    return int(vlan_id[1]), int(max_bps[1])


def test_an_ont_in_service_is_joined_with_the_uplink(in_service: str) -> None:
    vlan_id, max_bps = _facts(in_service)
    found = _found(in_service)
    assert found.flows == {
        Flow(
            match="in_port=pon1,vlan_tci=0x0000/0x1fff",
            actions=f"push_vlan:0x8100,set_field:{4096 + vlan_id}->vlan_vid,output:uplink1",
            meter="pon1",
        ),
        Flow(match=f"in_port=uplink1,dl_vlan={vlan_id}", actions="strip_vlan,output:pon1"),
    }
    assert found.meters == {"pon1": Meter(rate_kbps=max_bps // 1000, burst_kbits=max_bps // 100_000)}


def test_an_ont_out_of_service_carries_nothing() -> None:
    assert _found(_config("out-of-service")).flows == frozenset()


BROKEN = {
    "another ONT is plugged in": {"serial_number": "ABCD00000000"},
    "it is plugged into another PON": {"channel_pair": "cpair-elsewhere"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_right_ont_must_be_in_the_right_place(in_service: str, name: str) -> None:
    assert _found(in_service, **BROKEN[name]).flows == frozenset()


@pytest.mark.parametrize("part", ["gemport", "forwarder"])
def test_without_one_link_of_the_chain_nothing_passes(in_service: str, part: str) -> None:
    cut = re.sub(rf"<{part}>.*?</{part}>", "", in_service, flags=re.DOTALL)
    assert cut != in_service
    assert _found(cut).flows == frozenset()
