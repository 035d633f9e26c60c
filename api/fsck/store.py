"""Reads the facts of the check, page by page, all of them from one snapshot."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, func, or_, select

from activation.states import MonitorState, Step
from activation.tables import claims as claim_table
from activation.tables import fragments, transaction_members, transactions
from activation.tables import monitors as monitor_table
from activation.tables import reviews as review_table
from activation.tables import services as activation_services
from api.fsck.holdings import PoolFacts
from api.fsck.lifecycles import event_prefix
from api.fsck.model import Entity, LastEvent
from api.runtime.history import RecordedMove, moves_of
from api.runtime.tables import events, moves
from inventory.model import AddressPool, Network, PonPort, VlanPool
from inventory.pools import PoolKey, Span, pools_of
from inventory.store import Row
from inventory.tables import (
    address_pools,
    free_ranges,
    pon_ports,
    products,
    reservations,
    resources,
    services,
    vlan_pools,
)
from orders.product.tables import product_orders
from orders.resource.tables import resource_orders
from orders.service.tables import service_orders
from orders.states import FINAL

TABLES: Final[Mapping[str, Table]] = {
    "productOrder": product_orders,
    "serviceOrder": service_orders,
    "resourceOrder": resource_orders,
    "monitor": monitor_table,
    "product": products,
    "service": services,
    "activationService": activation_services,
    "resource": resources,
    "review": review_table,
}
"""Where each kind of resource stands."""

PAGE: Final = 200


def count(connection: Connection, kind: str) -> int:
    """Return how many resources of this kind there are."""
    return connection.execute(select(func.count()).select_from(TABLES[kind])).scalar_one()


def pages(connection: Connection, kind: str) -> Iterator[list[Row]]:
    """Yield all resources of one kind, some at a time."""
    table = TABLES[kind]
    last = ""
    while True:
        wanted = select(table).where(table.c.id > last).order_by(table.c.id).limit(PAGE)
        found = [_row(row) for row in connection.execute(wanted).mappings()]
        if not found:
            return
        yield found
        last = found[-1].id


def rows(connection: Connection, kind: str, keys: Collection[str]) -> dict[str, Row]:
    """Return those resources that exist, by id."""
    return {row.id: row for row in _where_in(connection, kind, "id", keys)}


def heads(connection: Connection, kind: str, keys: Collection[str]) -> dict[str, Row]:
    """Return those resources that exist, by id, without their documents: most of the time goes into reading those."""
    table = TABLES[kind]
    columns = (table.c.id, table.c.state, table.c.external_id, table.c.correlation_id, table.c.version)
    found: dict[str, Row] = {}
    for some in _portions(keys):
        for row in connection.execute(select(*columns).where(table.c.id.in_(some))).mappings():
            found[row["id"]] = Row(**row, document={})
    return found


def open_chains(connection: Connection, correlation_ids: Collection[str]) -> frozenset[str]:
    """Return those of the chains in which a service order has not ended."""
    here = service_orders.c
    wanted = select(here.correlation_id).distinct().where(here.state.not_in([state.value for state in FINAL]))
    found: set[str] = set()
    for some in _portions(correlation_ids):
        found |= set(connection.execute(wanted.where(here.correlation_id.in_(some))).scalars())
    return frozenset(found)


def by_external_ids(connection: Connection, kind: str, external_ids: Collection[str]) -> list[Row]:
    """Return the resources that their clients call so."""
    return _where_in(connection, kind, "external_id", external_ids)


def by_correlation_ids(connection: Connection, kind: str, correlation_ids: Collection[str]) -> list[Row]:
    """Return the resources of these chains."""
    return _where_in(connection, kind, "correlation_id", correlation_ids)


def _where_in(connection: Connection, kind: str, column: str, values: Collection[str]) -> list[Row]:
    table = TABLES[kind]
    found: list[Row] = []
    for some in _portions(values):
        wanted = select(table).where(table.c[column].in_(some)).order_by(table.c.id)
        found += [_row(row) for row in connection.execute(wanted).mappings()]
    return found


def _row(found: RowMapping) -> Row:
    kept = {name: found[name] for name in ("id", "state", "external_id", "correlation_id", "version")}
    return Row(**kept, document=json.loads(found["document"]), task=json.loads(found["task"]))


def _portions(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(set(values))
    for start in range(0, len(ordered), PAGE):
        yield ordered[start : start + PAGE]


def entities(connection: Connection, kind: str, found: Collection[Row]) -> list[Entity]:
    """Return these resources with their history and their events."""
    ids = [row.id for row in found]
    history = _history(connection, kind, ids)
    last, counts = _last_events(connection, kind, ids), _event_counts(connection, kind, ids)
    return [
        Entity(kind=kind, row=row, moves=history[row.id], last_event=last.get(row.id), counts=counts.get(row.id, {}))
        for row in found
    ]


def _history(connection: Connection, kind: str, ids: Collection[str]) -> Mapping[str, list[RecordedMove]]:
    by_id: dict[str, list[RecordedMove]] = defaultdict(list)
    for some in _portions(ids):
        for move in moves_of(connection, some):
            if move.resource_kind == kind:
                by_id[move.resource_id].append(move)
    return by_id


def _last_events(connection: Connection, kind: str, ids: Collection[str]) -> dict[str, LastEvent]:
    here = events.c
    said = [event_prefix(kind) + suffix for suffix in ("CreateEvent", "StateChangeEvent", "AttributeValueChangeEvent")]
    found: dict[str, LastEvent] = {}
    for some in _portions(ids):
        newest = (
            select(func.max(here.sequence))
            .where(here.resource_id.in_(some), here.resource_kind == kind, here.event_type.in_(said))
            .group_by(here.resource_id)
        )
        wanted = select(here.event_id, here.resource_id, here.event_type, here.document)
        for row in connection.execute(wanted.where(here.sequence.in_(newest))):
            found[row.resource_id] = LastEvent(
                event_id=row.event_id, event_type=row.event_type, document=json.loads(row.document)
            )
    return found


def _event_counts(connection: Connection, kind: str, ids: Collection[str]) -> dict[str, dict[str, int]]:
    here = events.c
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for some in _portions(ids):
        wanted = (
            select(here.resource_id, here.event_type, func.count().label("number"))
            .where(here.resource_id.in_(some), here.resource_kind == kind)
            .group_by(here.resource_id, here.event_type)
        )
        for row in connection.execute(wanted):
            found[row.resource_id][row.event_type] = row.number
    return found


def gone(connection: Connection, kind: str) -> Mapping[str, list[RecordedMove]]:
    """Return the history of those resources of one kind that have no row, by id."""
    here, table = moves.c, TABLES[kind]
    wanted = (
        select(here.resource_id)
        .distinct()
        .outerjoin(table, table.c.id == here.resource_id)
        .where(here.resource_kind == kind, table.c.id.is_(None))
    )
    return _history(connection, kind, connection.execute(wanted).scalars().all())


def transaction_paths(connection: Connection) -> Iterator[tuple[str, str, str, list[RecordedMove]]]:
    """Yield each device transaction: its id, its step, its monitor and its history."""
    here = transactions.c
    last = ""
    while True:
        wanted = select(here.transaction_id, here.step, here.monitor_id).where(here.transaction_id > last)
        found = connection.execute(wanted.order_by(here.transaction_id).limit(PAGE)).all()
        if not found:
            return
        history = _history(connection, "deviceTransaction", [row.transaction_id for row in found])
        for row in found:
            yield row.transaction_id, row.step, row.monitor_id, history[row.transaction_id]
        last = found[-1].transaction_id


def reservation_pages(connection: Connection) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield all reservations, some at a time."""
    here = reservations.c
    last = ""
    while True:
        wanted = select(reservations).where(here.resource_id > last).order_by(here.resource_id).limit(PAGE)
        found = [dict(row) for row in connection.execute(wanted).mappings()]
        if not found:
            return
        yield found
        last = found[-1]["resource_id"]


def reservation(connection: Connection, resource_id: str) -> tuple[PoolKey, int] | None:
    """Return which value of which pool is reserved as this resource, or None."""
    here = reservations.c
    wanted = select(here.allocation, here.pool, here.value).where(here.resource_id == resource_id)
    found = connection.execute(wanted).first()
    return None if found is None else (PoolKey(allocation=found.allocation, name=found.pool), found.value)


def is_free(connection: Connection, key: PoolKey, value: int) -> bool:
    """Say whether a value stands in one of the pool's free spans."""
    here = free_ranges.c
    wanted = select(func.count()).select_from(free_ranges)
    mine = wanted.where(here.allocation == key.allocation, here.pool == key.name)
    return connection.execute(mine.where(here.first <= value, here.last >= value)).scalar_one() > 0


def reserved_ids(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Return those of the resources that a reservation stands behind."""
    here = reservations.c.resource_id
    found: set[str] = set()
    for some in _portions(keys):
        found |= set(connection.execute(select(here).where(here.in_(some))).scalars())
    return frozenset(found)


def unrestored_chains(connection: Connection) -> frozenset[str]:
    """Return the chains in which a device may not be as it was, because a rollback failed."""
    here, member = transactions.c, transaction_members.c
    failed = here.step.in_([Step.ROLLBACK_FAILED.value, Step.ROLLING_BACK.value])
    # Transactions that an older release stored have no members but their own monitor.
    heads_of = select(here.monitor_id).where(failed)
    members = select(member.monitor_id).join(transactions, here.transaction_id == member.transaction_id).where(failed)
    wanted = select(monitor_table.c.correlation_id).where(
        or_(monitor_table.c.id.in_(heads_of), monitor_table.c.id.in_(members))
    )
    return frozenset(connection.execute(wanted).scalars())


def claim_holders(connection: Connection) -> dict[str, str]:
    """Return which TMF640 service has each claim."""
    return {row.claim: row.root_id for row in connection.execute(select(claim_table))}


def requests_of(connection: Connection, chains: Collection[str] | None = None) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the service and the private data of every request that has not ended, or of all in these chains."""
    here = monitor_table.c
    if chains is None:
        wheres = [here.state == MonitorState.IN_PROGRESS.value]
    else:
        wheres = [here.correlation_id.in_(some) for some in _portions(chains)]
    found = [text for where in wheres for text in connection.execute(select(here.task).where(where)).scalars()]
    tasks = [json.loads(text) for text in found]
    return [(str(task["serviceId"]), task) for task in tasks if task.get("serviceId")]


def fragment_owners(connection: Connection, root_ids: Collection[str] | None = None) -> dict[str, set[str]]:
    """Return who has configuration under each TMF640 service, for all services or for those named."""
    here = fragments.c
    wanted = select(here.root_id, here.service_id).distinct()
    portions = [None] if root_ids is None else list(_portions(root_ids))
    found: dict[str, set[str]] = defaultdict(set)
    for some in portions:
        for row in connection.execute(wanted if some is None else wanted.where(here.root_id.in_(some))):
            found[row.root_id].add(row.service_id)
    return found


def pools(connection: Connection) -> list[PoolFacts]:
    """Return every pool that the network has, that values are reserved of, or that values are free of."""
    whole = pools_of(network_pools(connection))
    free: dict[PoolKey, list[Span]] = defaultdict(list)
    for row in connection.execute(select(free_ranges)):
        free[PoolKey(allocation=row.allocation, name=row.pool)].append(Span(first=row.first, last=row.last))
    taken: dict[PoolKey, list[int]] = defaultdict(list)
    here = reservations.c
    for row in connection.execute(select(here.allocation, here.pool, here.value)):
        taken[PoolKey(allocation=row.allocation, name=row.pool)].append(row.value)
    keys = sorted(whole.keys() | free.keys() | taken.keys())
    return [PoolFacts(key=key, whole=whole.get(key), free=free[key], taken=taken[key]) for key in keys]


def network_pools(connection: Connection) -> Network:
    """Return the network as far as it has pools."""
    return Network(
        pon_ports=tuple(PonPort(**row) for row in connection.execute(select(pon_ports)).mappings()),
        vlan_pools=tuple(VlanPool(**row) for row in connection.execute(select(vlan_pools)).mappings()),
        address_pools=tuple(AddressPool(**row) for row in connection.execute(select(address_pools)).mappings()),
    )
