"""Network files, good and bad."""

from pathlib import Path

import pytest

from inventory.errors import BadNetwork
from inventory.model import AddressPool, PonPort, Premises, VlanPool
from inventory.network_file import load_network_file
from tests.inventory.conftest import NETWORK_FILE


def test_a_network_file_gives_pons_premises_and_pools() -> None:
    network = load_network_file(NETWORK_FILE)
    assert network.pon_ports[1] == PonPort(
        olt="olt1", name="pon2", channel_partition="cpart2", channel_pair="cpair2", first_onu_id=1, last_onu_id=64
    )
    assert network.premises[0] == Premises(
        place_id="ADDR-1015", name="Lindenstraße 15, 10969 Berlin", olt="olt1", pon_port="pon1"
    )
    assert network.vlan_pools == (VlanPool(name="subscriber-vlans", first_vlan_id=1042, last_vlan_id=1999),)
    assert network.address_pools == (
        AddressPool(
            name="residential", prefix="10.42.1.0/24", first="10.42.1.15", last="10.42.1.250", gateway="10.42.1.1"
        ),
    )
    assert (network.devices, network.links) == ((), ())


def test_an_empty_file_is_an_empty_network(tmp_path: Path) -> None:
    path = tmp_path / "network.yml"
    path.write_text("# nothing yet\n")
    assert load_network_file(path).premises == ()


BAD = {
    "unknown key": (
        ("channelPair: cpair1", "pair: cpair1"),
        "ponPorts[0]: unknown key 'pair'; legal: olt, name, channelPartition, channelPair, onuIds",
    ),
    "unknown section": (("vlanPools:", "vlans:"), "unknown key 'vlans'; legal: ponPorts, premises, vlanPools"),
    "missing key": (("    ponPort: pon2\n", ""), "premises[2].ponPort: Field required"),
    "not a range": (("onuIds: {from: 1, to: 64}", "onuIds: 64"), "ponPorts[0].onuIds: a mapping must stand here"),
    "not a number": (("to: 1999", "to: many"), "vlanPools[0].vlanIds.to: Input should be a valid integer"),
    "not an address": (("10.42.1.250", "10.42.1.256"), "addressPools[0].addresses.to: Input is not a valid IPv4"),
    "host bits": (("10.42.1.0/24", "10.42.1.5/24"), "addressPools[0].prefix: "),
    "cross-check": (("ponPort: pon2", "ponPort: pon9"), "premises[2] 'ADDR-1017': no PON port is called 'olt1/pon9'"),
    "no YAML": (("premises:", "premises: ["), "is not YAML: "),
    "no mapping": (("# What the topology cannot say", "- x #"), "is not YAML: "),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_file_place_and_legal_values(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path, text = tmp_path / "network.yml", NETWORK_FILE.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(BadNetwork) as caught:
        load_network_file(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "network.yml"
    path.write_text("vlanPools: [{name: a, vlanIds: {from: x, to: y}}]\npremises: {}\n")
    with pytest.raises(BadNetwork) as caught:
        load_network_file(path)
    assert len(caught.value.problems) == 3


def test_a_list_at_the_top_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.yml"
    path.write_text("- olt1\n")
    with pytest.raises(BadNetwork, match="a mapping must stand here; legal keys: ponPorts"):
        load_network_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadNetwork, match=r"network\.yml: cannot be read: "):
        load_network_file(tmp_path / "network.yml")
