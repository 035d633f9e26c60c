"""Reservations on the real SQLite runtime."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from api.runtime.database import Database
from api.runtime.tables import events
from inventory.documents import characteristics
from inventory.errors import NotServed, OwnerConflict, PoolExhausted, UnknownResource
from inventory.model import Allocation, Network, VlanPool
from inventory.network import NetworkStore
from inventory.pool_store import PoolStore
from inventory.pools import PoolKey
from inventory.reservations import ReservationBook, pool_usage
from inventory.resources import resource_store
from inventory.store import Query
from inventory.tables import free_ranges, reservations
from orders.resource.contracts import Reservations
from tests.inventory.conftest import Asking

BOOK: Reservations = ReservationBook()
WORKERS = 8

FIRST: Mapping[Allocation, tuple[str, dict[str, Any]]] = {
    "pon": (
        "olt1 pon1 ONU 1",
        {
            "olt": "olt1",
            "ponPort": "pon1",
            "channelPartition": "cpart1",
            "channelPair": "cpair1",
            "onuId": 1,
            "uplinkInterface": "uplink1",
        },
    ),
    "vlan": (
        "VLAN 1042",
        {"vlanId": 1042, "switch": "sw1", "accessInterface": "Ethernet1", "uplinkInterface": "Ethernet2"},
    ),
    "address": (
        "10.42.1.15/24",
        {
            "address": "10.42.1.15",
            "prefixLength": 24,
            "gateway": "10.42.1.1",
            "router": "r1",
            "routerInterface": "eth1",
        },
    ),
}


def snapshot(database: Database) -> dict[str, Any]:
    with database.read() as connection:
        return {
            "usage": pool_usage(connection),
            "free": [tuple(row) for row in connection.execute(select(free_ranges).order_by(*free_ranges.c))],
            "resources": resource_store().page(connection, Query()).texts,
        }


@pytest.mark.parametrize("allocation", FIRST)
def test_the_first_order_gets_the_first_values(loaded: Database, ask: Asking, allocation: Allocation) -> None:
    with loaded.begin() as uow:
        resource = BOOK.reserve(uow, ask(allocation, "order-1"))
    name, values = FIRST[allocation]
    assert resource["name"] == name
    assert characteristics(resource, "resourceCharacteristic") == values
    assert resource["href"] == f"/tmf-api/resourceInventoryManagement/v4/resource/{resource['id']}"
    with loaded.read() as connection:
        row = resource_store().get(connection, resource["id"])
    assert row.document == resource
    assert (row.state, row.external_id, row.correlation_id) == ("reserved", "order-1", "product-order-1")


@pytest.mark.parametrize("allocation", FIRST)
def test_a_reserved_resource_is_valid_tmf639(
    loaded: Database, ask: Asking, shared: Path, allocation: Allocation
) -> None:
    with loaded.begin() as uow:
        resource = BOOK.reserve(uow, ask(allocation, "order-1"))
    official = json.loads((shared / "tmf" / "TMF639-v4.0.0.json").read_text())
    jsonschema.validate(resource, {"$ref": "#/definitions/LogicalResource", "definitions": official["definitions"]})


def test_the_place_decides_the_pon(loaded: Database, ask: Asking) -> None:
    with loaded.begin() as uow:
        neighbour = BOOK.reserve(uow, ask("pon", "a", place_id="ADDR-1016"))
        elsewhere = BOOK.reserve(uow, ask("pon", "b", place_id="ADDR-1017"))
    found = [characteristics(each, "resourceCharacteristic") for each in (neighbour, elsewhere)]
    assert [(each["ponPort"], each["onuId"]) for each in found] == [("pon1", 1), ("pon2", 1)]
    assert elsewhere["place"]["name"] == "Lindenstraße 17, 10969 Berlin"


def test_the_same_owner_gets_the_same_resource(loaded: Database, ask: Asking) -> None:
    with loaded.begin() as uow:
        first = BOOK.reserve(uow, ask("vlan", "order-1"))
    before = snapshot(loaded)
    with loaded.begin() as uow:
        again = BOOK.reserve(uow, ask("vlan", "order-1"))
    assert again == first
    assert snapshot(loaded) == before


def test_an_owner_cannot_hold_two_things(loaded: Database, ask: Asking) -> None:
    with loaded.begin() as uow:
        BOOK.reserve(uow, ask("vlan", "order-1"))
    with (
        pytest.raises(OwnerConflict, match="already holds vlan for ADDR-1015; it cannot hold gpon-port"),
        loaded.begin() as uow,
    ):
        BOOK.reserve(uow, ask("pon", "order-1"))


def test_release_leaves_nothing_and_twice_is_once(loaded: Database, ask: Asking) -> None:
    before = snapshot(loaded)
    with loaded.begin() as uow:
        ids = [BOOK.reserve(uow, ask(allocation, f"order-{allocation}"))["id"] for allocation in FIRST]
    assert snapshot(loaded) != before
    for _ in range(2):
        with loaded.begin() as uow:
            for resource_id in ids:
                BOOK.release(uow, resource_id)
        assert snapshot(loaded) == before
    with loaded.read() as connection:
        assert connection.execute(select(func.count()).select_from(reservations)).scalar_one() == 0
        types = select(events.c.event_type).where(events.c.resource_id == ids[0]).order_by(events.c.sequence)
        assert list(connection.execute(types).scalars()) == ["ResourceCreateEvent", "ResourceDeleteEvent"]


def test_releasing_a_device_releases_nothing(loaded: Database) -> None:
    before = snapshot(loaded)
    with loaded.begin() as uow:
        BOOK.release(uow, "olt1")
    assert snapshot(loaded) == before


def test_a_rolled_back_transaction_leaves_nothing_allocated(loaded: Database, ask: Asking) -> None:
    before = snapshot(loaded)
    asked = (ask("vlan", "order-1"), ask("pon", "order-2", place_id="ADDR-9"))
    with pytest.raises(UnknownResource), loaded.begin() as uow:
        list(map(BOOK.reserve, (uow, uow), asked))
    assert snapshot(loaded) == before


def test_an_exhausted_pool_says_so_and_serves_again_after_a_release(
    database: Database, network: Network, ask: Asking
) -> None:
    small = VlanPool(name="subscriber-vlans", first_vlan_id=100, last_vlan_id=101)
    with database.begin() as uow:
        NetworkStore().load(uow, replace(network, vlan_pools=(small,)))
        first, _ = (BOOK.reserve(uow, ask("vlan", owner)) for owner in ("a", "b"))
    with (
        pytest.raises(PoolExhausted, match="pool 'subscriber-vlans' is exhausted: all 2 values"),
        database.begin() as uow,
    ):
        BOOK.reserve(uow, ask("vlan", "c"))
    with database.begin() as uow:
        BOOK.release(uow, first["id"])
        assert BOOK.reserve(uow, ask("vlan", "c"))["name"] == "VLAN 100"


UNKNOWN = {
    "place": ("vlan", {"place_id": "ADDR-9"}, "unknown premises 'ADDR-9'; known: ADDR-1015, ADDR-1016, ADDR-1017"),
    "VLAN pool": ("vlan", {"pool": "residential"}, "unknown VLAN pool 'residential'; known: subscriber-vlans"),
    "address pool": ("address", {"pool": ""}, "unknown address pool ''; known: residential"),
}


@pytest.mark.parametrize(("allocation", "wrong", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_names_are_answered_with_the_known_ones(
    loaded: Database, ask: Asking, allocation: Allocation, wrong: dict[str, str], message: str
) -> None:
    with pytest.raises(UnknownResource) as caught, loaded.begin() as uow:
        BOOK.reserve(uow, ask(allocation, "order-1", **wrong))
    assert str(caught.value) == message


def test_a_place_without_a_way_to_a_router_is_not_served(database: Database, network: Network, ask: Asking) -> None:
    with database.begin() as uow:
        NetworkStore().load(uow, replace(network, links=network.links[:2]))
    with (
        pytest.raises(NotServed, match=r"place 'ADDR-1015' .* switch sw1, .* has no link to a router"),
        database.begin() as uow,
    ):
        BOOK.reserve(uow, ask("pon", "order-1"))


def test_usage_counts_taken_and_free(loaded: Database, ask: Asking) -> None:
    with loaded.begin() as uow:
        for owner in ("a", "b"):
            BOOK.reserve(uow, ask("address", owner))
    with loaded.read() as connection:
        usage = pool_usage(connection)
    assert usage == [
        {"pool": "residential", "kind": "address", "size": 236, "taken": 2, "free": 234},
        {"pool": "olt1/pon1", "kind": "pon", "size": 64, "taken": 0, "free": 64},
        {"pool": "olt1/pon2", "kind": "pon", "size": 64, "taken": 0, "free": 64},
        {"pool": "subscriber-vlans", "kind": "vlan", "size": 958, "taken": 0, "free": 958},
    ]


def test_threads_never_get_the_same_value(loaded: Database, ask: Asking) -> None:
    def reserve_and_release(worker: int) -> list[str]:
        kept = []
        for turn in range(8):
            with loaded.begin() as uow:
                resource = BOOK.reserve(uow, ask("vlan", f"{worker}-{turn}"))
            if turn % 4 == 3:
                with loaded.begin() as uow:
                    BOOK.release(uow, resource["id"])
            else:
                kept.append(resource["name"])
        return kept

    with ThreadPoolExecutor(WORKERS) as pool:
        names = [name for kept in pool.map(reserve_and_release, range(WORKERS)) for name in kept]
    assert len(set(names)) == len(names) == WORKERS * 6
    with loaded.read() as connection:
        taken = list(connection.execute(select(reservations.c.value)).scalars())
    assert sorted(f"VLAN {value}" for value in taken) == sorted(names)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=30))
def test_the_stored_pool_obeys_the_law(loaded: Database, ask: Asking, steps: list[int | None]) -> None:
    """None takes the lowest value that no reservation has; a number gives one back."""
    held: dict[int, str] = {}
    with loaded.begin() as uow:
        for number, step in enumerate(steps):
            if step is None:
                resource = BOOK.reserve(uow, ask("pon", f"owner-{number}"))
                onu_id = characteristics(resource, "resourceCharacteristic")["onuId"]
                assert onu_id == min(set(range(1, 65)) - held.keys())
                held[onu_id] = resource["id"]
            elif held:
                BOOK.release(uow, held.pop(sorted(held)[step % len(held)]))
        for resource_id in held.values():
            BOOK.release(uow, resource_id)
    free = [row for row in snapshot(loaded)["free"] if row[1] == "olt1/pon1"]
    assert free == [("pon", "olt1/pon1", 1, 64)]


def test_taking_a_value_never_scans_what_is_taken(database: Database, network: Network) -> None:
    """SQLite's own plan of every statement is a search by index, so a full pool costs what an empty one costs."""
    key = PoolKey(allocation="address", name="residential")
    with database.begin() as uow:
        NetworkStore().load(uow, network)
        driver = uow.connection.connection.driver_connection
        assert driver is not None
        statements: list[str] = []
        driver.set_trace_callback(statements.append)
        PoolStore().take(uow, key)
        driver.set_trace_callback(None)
        plans = [
            row[3]
            for text in statements
            if text.startswith(("SELECT", "DELETE"))
            for row in driver.execute(f"EXPLAIN QUERY PLAN {text}")
        ]
    assert plans
    assert not [plan for plan in plans if not plan.startswith("SEARCH ")]
