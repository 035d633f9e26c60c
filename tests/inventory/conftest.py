"""The ftth network as these tests load it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from api.runtime.database import Database
from inventory.model import Allocation, Device, Link, Network, ReservationRequest
from inventory.network import NetworkStore
from inventory.network_file import load_network_file

NETWORK_FILE = Path(__file__).parent / "network.yml"
Asking = Callable[..., ReservationRequest]
_SPECIFICATIONS: dict[Allocation, tuple[str, str, str]] = {
    "pon": ("gpon-port", "GPON port", ""),
    "vlan": ("vlan", "VLAN", "subscriber-vlans"),
    "address": ("ip-address", "IP address", "residential"),
}


def make_device(name: str, role: str, platform: str, address: str) -> Device:
    port = 8830 if role == "olt" else 2222
    return Device(
        name=name, platform=platform, role=role, address=address, port=port, username="admin", password="s3cret-word"
    )


@pytest.fixture
def network() -> Network:
    return replace(
        load_network_file(NETWORK_FILE),
        devices=(
            make_device("olt1", "olt", "bbf_olt", "127.20.20.11"),
            make_device("sw1", "switch", "arista_eos", "127.20.20.12"),
            make_device("r1", "router", "frr", "127.20.20.13"),
        ),
        links=(
            Link(a_device="sub1", a_interface="eth1", b_device="olt1", b_interface="pon1"),
            Link(a_device="olt1", a_interface="uplink1", b_device="sw1", b_interface="Ethernet1"),
            Link(a_device="sw1", a_interface="Ethernet2", b_device="r1", b_interface="eth1"),
            Link(a_device="r1", a_interface="eth2", b_device="core1", b_interface="eth1"),
        ),
    )


@pytest.fixture
def loaded(database: Database, network: Network) -> Database:
    with database.begin() as uow:
        NetworkStore().load(uow, network)
    return database


@pytest.fixture
def ask() -> Asking:
    def one(
        allocation: Allocation, owner: str, *, place_id: str = "ADDR-1015", pool: str | None = None
    ) -> ReservationRequest:
        specification_id, name, default_pool = _SPECIFICATIONS[allocation]
        return ReservationRequest(
            specification_id=specification_id,
            specification_name=name,
            allocation=allocation,
            pool=default_pool if pool is None else pool,
            place_id=place_id,
            owner=owner,
            correlation_id="product-order-1",
        )

    return one
