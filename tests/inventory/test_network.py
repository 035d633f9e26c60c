"""Importing a network, again and again, and looking devices up."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import select

from activation.contracts import Devices
from api.runtime.database import Database
from api.runtime.tables import events
from inventory.devices import DeviceDirectory
from inventory.documents import characteristics
from inventory.errors import BadNetwork, StillReserved, UnknownResource
from inventory.model import AddressPool, Network, VlanPool
from inventory.network import NetworkStore
from inventory.reservations import ReservationBook, pool_usage
from inventory.resources import resource_store
from tests.inventory.conftest import Asking

STORE, BOOK = NetworkStore(), ReservationBook()


def event_types(database: Database, resource_id: str) -> list[str]:
    wanted = select(events.c.event_type).where(events.c.resource_id == resource_id).order_by(events.c.sequence)
    with database.read() as connection:
        return list(connection.execute(wanted).scalars())


def test_what_is_loaded_is_read_back(loaded: Database, network: Network) -> None:
    with loaded.read() as connection:
        assert set(STORE.devices(connection)) == set(network.devices)
        assert set(STORE.links(connection)) == set(network.links)
        assert STORE.pon_ports(connection) == network.pon_ports
        assert STORE.all_premises(connection) == network.premises
        assert STORE.vlan_pool(connection, "subscriber-vlans") == network.vlan_pools[0]
        assert STORE.address_pool(connection, "residential") == network.address_pools[0]


def test_loading_twice_is_loading_once(loaded: Database, network: Network) -> None:
    with loaded.begin() as uow:
        STORE.load(uow, network)
    assert event_types(loaded, "sw1") == ["ResourceCreateEvent"]


def test_a_restart_moves_addresses_and_keeps_reservations(loaded: Database, network: Network, ask: Asking) -> None:
    with loaded.begin() as uow:
        held = BOOK.reserve(uow, ask("vlan", "order-1"))
    moved = tuple(replace(device, port=40000, address="127.20.30.1") for device in network.devices)
    with loaded.begin() as uow:
        STORE.load(uow, replace(network, devices=moved))
        assert BOOK.reserve(uow, ask("vlan", "order-1")) == held
        assert BOOK.reserve(uow, ask("vlan", "order-2"))["name"] == "VLAN 1043"
    found = DeviceDirectory(transactions=loaded).device("sw1")
    assert (found.address, found.port) == ("127.20.30.1", 40000)
    assert event_types(loaded, "sw1") == ["ResourceCreateEvent", "ResourceAttributeValueChangeEvent"]


def test_a_new_port_alone_is_no_change_of_the_resource(loaded: Database, network: Network) -> None:
    with loaded.begin() as uow:
        STORE.load(uow, replace(network, devices=tuple(replace(each, port=40000) for each in network.devices)))
    assert event_types(loaded, "olt1") == ["ResourceCreateEvent"]


def test_a_pool_can_grow_and_shrink_around_live_values(loaded: Database, network: Network, ask: Asking) -> None:
    with loaded.begin() as uow:
        BOOK.reserve(uow, ask("vlan", "order-1"))
        resized = VlanPool(name="subscriber-vlans", first_vlan_id=1040, last_vlan_id=1043)
        STORE.load(uow, replace(network, vlan_pools=(resized,)))
        names = [BOOK.reserve(uow, ask("vlan", f"order-{n}"))["name"] for n in (2, 3, 4)]
    assert names == ["VLAN 1040", "VLAN 1041", "VLAN 1043"]
    with loaded.read() as connection:
        assert pool_usage(connection)[-1] == {
            "pool": "subscriber-vlans",
            "kind": "vlan",
            "size": 4,
            "taken": 4,
            "free": 0,
        }


def test_what_live_reservations_stand_on_cannot_be_dropped(loaded: Database, network: Network, ask: Asking) -> None:
    with loaded.begin() as uow:
        for allocation in ("pon", "vlan", "address"):
            BOOK.reserve(uow, ask(allocation, allocation))
    lacking = replace(
        network,
        devices=network.devices[:2],
        pon_ports=network.pon_ports[1:],
        premises=network.premises[2:],
        vlan_pools=(VlanPool(name="subscriber-vlans", first_vlan_id=1043, last_vlan_id=1999),),
        address_pools=(),
    )
    with pytest.raises(StillReserved) as caught, loaded.begin() as uow:
        STORE.load(uow, lacking)
    assert caught.value.problems == (
        "address pool 'residential' (1 live)",
        "device 'r1' (1 live)",
        "pon pool 'olt1/pon1' (1 live)",
        "values of vlan pool 'subscriber-vlans' that it would no longer hold (1 live)",
    )
    with loaded.read() as connection:
        assert len(STORE.devices(connection)) == 3


def test_what_nobody_needs_goes_away(loaded: Database, network: Network) -> None:
    with loaded.begin() as uow:
        STORE.load(uow, Network())
    assert event_types(loaded, "r1") == ["ResourceCreateEvent", "ResourceDeleteEvent"]
    with loaded.read() as connection:
        assert pool_usage(connection) == []
        assert resource_store().find(connection, "r1") is None
    with loaded.begin() as uow:
        STORE.load(uow, network)
    assert len(DeviceDirectory(transactions=loaded).devices()) == 3


def test_a_bad_network_is_not_loaded(loaded: Database, network: Network) -> None:
    overlapping = AddressPool(
        name="b", prefix="10.42.1.0/24", first="10.42.1.20", last="10.42.1.21", gateway="10.42.1.1"
    )
    with pytest.raises(BadNetwork, match="network: addressPools"), loaded.begin() as uow:
        STORE.load(uow, replace(network, address_pools=(*network.address_pools, overlapping)))
    with loaded.read() as connection:
        assert "b" not in {usage["pool"] for usage in pool_usage(connection)}


def test_a_device_is_a_tmf639_physical_resource(loaded: Database, shared: Path) -> None:
    with loaded.read() as connection:
        row = resource_store().get(connection, "olt1")
    official = json.loads((shared / "tmf" / "TMF639-v4.0.0.json").read_text())
    schema = {"$ref": "#/definitions/PhysicalResource", "definitions": official["definitions"]}
    jsonschema.validate(row.document, schema)
    assert (row.document["category"], row.state) == ("device", "available")
    assert characteristics(row.document, "resourceCharacteristic") == {
        "platform": "bbf_olt",
        "role": "olt",
        "address": "127.20.20.11",
    }


def test_the_password_reaches_the_drivers_and_nobody_else(loaded: Database) -> None:
    devices: Devices = DeviceDirectory(transactions=loaded)
    found = devices.device("olt1")
    assert found.password == "s3cret-word"
    assert "s3cret-word" not in repr(found)
    with loaded.read() as connection:
        texts = [
            resource_store().found(connection, "olt1")[0],
            *connection.execute(select(events.c.document)).scalars(),
        ]
    assert not [text for text in texts if "s3cret-word" in text]


def test_devices_come_sorted_by_name(loaded: Database) -> None:
    assert [device.name for device in DeviceDirectory(transactions=loaded).devices()] == ["olt1", "r1", "sw1"]


def test_an_unknown_device_is_answered_with_the_known_ones(loaded: Database) -> None:
    with pytest.raises(UnknownResource, match="unknown device 'sw9'; known: olt1, r1, sw1"):
        DeviceDirectory(transactions=loaded).device("sw9")


def test_an_unknown_pon_port_is_answered_with_the_known_ones(loaded: Database) -> None:
    with (
        pytest.raises(UnknownResource, match="unknown PON port 'olt1/pon9'; known: olt1/pon1, olt1/pon2"),
        loaded.read() as connection,
    ):
        STORE.pon_port(connection, "olt1", "pon9")
