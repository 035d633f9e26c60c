"""What must hold after any number of crashes, read from the database and from the devices."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, select

from api.fsck.check import check
from api.fsck.lifecycles import event_prefix, state_of
from api.fsck.store import TABLES
from api.runtime.tables import events, moves
from inventory.reservations import pool_usage
from inventory.tables import products, reservations, services
from orders.product.tables import product_orders
from orders.resource.tables import resource_orders
from orders.service.tables import service_orders
from tests.crash.customers import Crowd

_POLICED = re.compile(r"class lm-vlan-(\d+)\s+police rate (\d+) mbps")
_ON_SWITCH = re.compile(r"name ftth-(\d+)")
_ON_OLT = re.compile(r"<name>fwd-(\d+)</name>")
_ON_ROUTER = re.compile(r"description lastmile vlan (\d+)")


def assert_consistent(connection: Connection, crowd: Crowd) -> None:
    """Check the database against itself and against what the customers know."""
    assert [str(finding) for finding in check(connection)] == []
    _assert_orders(connection, crowd.orders())
    _assert_events(connection)
    live = connection.execute(select(products.c.id).where(products.c.state == "active")).scalars()
    assert set(live) == set(crowd.products())
    count = len(crowd.products())
    taken: dict[str, int] = defaultdict(int)
    for usage in pool_usage(connection):
        taken[usage["kind"]] += usage["taken"]
    assert set(taken.values()) == {count}, taken


def assert_configured(connection: Connection, crowd: Crowd, devices: Mapping[str, str]) -> None:
    """Check that the devices carry the live services, at the speed that was sold, and no others."""
    sold = crowd.products()
    wanted = {}
    for product_id, mbps in sold.items():
        (vlan,) = _vlans(connection, product_id)
        wanted[vlan] = mbps
    switch = devices["sw1"]
    assert {int(vlan): int(mbps) for vlan, mbps in _POLICED.findall(switch)} == wanted
    for pattern, device in ((_ON_SWITCH, "sw1"), (_ON_OLT, "olt1"), (_ON_ROUTER, "r1")):
        assert sorted(int(vlan) for vlan in pattern.findall(devices[device])) == sorted(wanted), device


def _vlans(connection: Connection, product_id: str) -> list[int]:
    """Return the VLANs of the resources that the product's services stand on."""
    product = _document(connection, products, product_id)
    customer_facing = [_document(connection, services, each["id"]) for each in product["realizingService"]]
    parts = [part["id"] for service in customer_facing for part in service.get("supportingService", ())]
    standing = [*customer_facing, *(_document(connection, services, part) for part in parts)]
    used = {resource["id"] for service in standing for resource in service.get("supportingResource", ())}
    here = reservations.c
    return list(
        connection.execute(select(here.value).where(here.resource_id.in_(used), here.allocation == "vlan")).scalars()
    )


def _document(connection: Connection, table: Table, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        connection.execute(select(table.c.document).where(table.c.id == key)).scalar_one()
    )
    return found


def _assert_orders(connection: Connection, sent: Mapping[str, str]) -> None:
    """Every order that was sent is there once, under the id that the customer was told, and has completed."""
    here = product_orders.c
    stored = [tuple(row) for row in connection.execute(select(here.external_id, here.id, here.state))]
    assert sorted(stored) == sorted((external, order, "completed") for external, order in sent.items())
    for table in (service_orders, resource_orders):
        assert set(connection.execute(select(table.c.state)).scalars()) <= {"completed"}, table.name


def _assert_events(connection: Connection) -> None:
    """Of each resource: exactly one event per move, in the moves' order, from its creation to what its row says."""
    due: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    here = moves.c
    kept = select(here.resource_kind, here.resource_id, here.from_state, here.to_state)
    for kind, key, before, after in connection.execute(kept.where(here.item == "").order_by(here.sequence)):
        if kind in TABLES:
            suffix = "CreateEvent" if not before else "StateChangeEvent" if after else "DeleteEvent"
            due[kind, key].append((event_prefix(kind) + suffix, after or before))
    found = _published(connection)
    assert found == due
    for kind, table in TABLES.items():
        rows = {row.id: row.state for row in connection.execute(select(table.c.id, table.c.state))}
        last = {key: path[-1] for (of, key), path in due.items() if of == kind}
        standing = {key: state for key, (event_type, state) in last.items() if not event_type.endswith("DeleteEvent")}
        assert standing == rows, kind


def _published(connection: Connection) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return each resource's events in their order; one that tells no move must tell the state there is."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    here = events.c
    kept = select(here.resource_kind, here.resource_id, here.event_type, here.document).order_by(here.sequence)
    # The catalog is no order's doing: the start of the platform tells of it.
    kept = kept.where(here.resource_kind.in_(TABLES))
    for kind, key, event_type, document in connection.execute(kept):
        state = state_of(kind, json.loads(document))
        if event_type.endswith("AttributeValueChangeEvent"):
            assert found[kind, key], f"{event_type} of {key} came before its creation"
            assert found[kind, key][-1][1] == state, f"{event_type} of {key} says {state}"
        else:
            found[kind, key].append((event_type, state))
    return found
