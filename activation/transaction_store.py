"""The journal, read for people: transactions with their devices, members and steps."""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, and_, or_, select

from activation import tables
from activation.model import TransactionId
from activation.states import Step
from activation.store import MONITORS, UNFINISHED
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.query import Query
from inventory.row_pages import RowPages

_UNFINISHED: Final = tuple(step.value for step in UNFINISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One step as it was written before it was taken."""

    step: str
    at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOf:
    """One request that a transaction serves."""

    monitor_id: str
    service_id: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A transaction as it is kept; ``devices`` are those that it changes or changed."""

    transaction_id: TransactionId
    plan_id: str
    step: Step
    devices: tuple[str, ...]
    members: tuple[MemberOf, ...]
    journal: tuple[JournalEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which transactions: newest first, on one device if named, unfinished ones alone if said."""

    device: str = ""
    unfinished: bool = False
    query: Query = field(default_factory=Query)


def transaction_page(
    connection: Connection, wanted: Wanted, tell: Callable[[Kept], Document]
) -> tuple[Sequence[Kept], int]:
    """Return a page of transactions, newest first, and how many there are; ``tell`` makes what filters look at."""
    here, plans = tables.transactions.c, tables.plans.c
    chosen = select(here.transaction_id, here.plan_id, here.step, plans.edits).join(
        tables.plans, plans.plan_id == here.plan_id
    )
    if wanted.unfinished:
        chosen = chosen.where(here.step.in_(_UNFINISHED))
    if wanted.device:
        named = here.devices.contains(f" {wanted.device} ", autoescape=True)
        # What an older release stored: its plan names every device it is about, changed or not.
        planned = plans.edits.contains(f'"device":{json.dumps(wanted.device)}', autoescape=True)
        chosen = chosen.where(or_(named, and_(here.devices.is_(None), planned)))
    pages = RowPages(
        rows=chosen,
        key=here.transaction_id,
        order=(plans.created_at.desc(), here.transaction_id),
        columns={"id": here.transaction_id, "step": here.step, "planId": here.plan_id},
        read=_kept_in,
        tell=tell,
    )
    return pages.page(connection, wanted.query)


def transaction(connection: Connection, transaction_id: str) -> Kept:
    """Return one transaction.

    Raises:
        UnknownResource: nothing has this id.
    """
    here, plans = tables.transactions.c, tables.plans.c
    chosen = select(here.transaction_id, here.plan_id, here.step, plans.edits).join(
        tables.plans, plans.plan_id == here.plan_id
    )
    found = _kept(connection, chosen.where(here.transaction_id == transaction_id))
    if not found:
        raise UnknownResource("transaction", transaction_id)
    return found[0]


def unfinished_of(connection: Connection, monitor_ids: Collection[str]) -> tuple[Kept, ...]:
    """Return the unfinished transactions that serve one of these monitors."""
    here, plans, members = tables.transactions.c, tables.plans.c, tables.transaction_members.c
    serving = select(members.transaction_id).where(members.monitor_id.in_(sorted(monitor_ids)))
    chosen = select(here.transaction_id, here.plan_id, here.step, plans.edits).join(
        tables.plans, plans.plan_id == here.plan_id
    )
    return _kept(connection, chosen.where(here.step.in_(_UNFINISHED), here.transaction_id.in_(serving)))


def _kept(connection: Connection, chosen: Select[Any]) -> tuple[Kept, ...]:
    return _kept_in(connection, connection.execute(chosen).mappings().all())


def _kept_in(connection: Connection, rows: Sequence[RowMapping]) -> tuple[Kept, ...]:
    ids = [row["transaction_id"] for row in rows]
    journal, members = _journal(connection, ids), _members(connection, ids)
    return tuple(
        Kept(
            transaction_id=TransactionId(row["transaction_id"]),
            plan_id=row["plan_id"],
            step=Step(row["step"]),
            devices=_changed(row),
            members=tuple(members[row["transaction_id"]]),
            journal=tuple(journal[row["transaction_id"]]),
        )
        for row in rows
    )


def _changed(row: RowMapping) -> tuple[str, ...]:
    return tuple(sorted(edit["device"] for edit in json.loads(row["edits"]) if edit["edit"]))


def _journal(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[JournalEntry]]:
    here = tables.journal.c
    found: dict[str, list[JournalEntry]] = defaultdict(list)
    wanted = select(here.transaction_id, here.step, here.at, here.detail).where(here.transaction_id.in_(ids))
    for row in connection.execute(wanted.order_by(here.id)):
        entry = JournalEntry(step=row.step, at=row.at, detail=json.loads(row.detail))
        found[row.transaction_id].append(entry)
    return found


def _members(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[MemberOf]]:
    here = tables.transaction_members.c
    wanted = select(here.transaction_id, here.monitor_id).where(here.transaction_id.in_(ids))
    pairs = [(row.transaction_id, row.monitor_id) for row in connection.execute(wanted.order_by(here.monitor_id))]
    monitors = MONITORS.many(connection, {monitor_id for _, monitor_id in pairs})
    found: dict[str, list[MemberOf]] = defaultdict(list)
    for transaction_id, monitor_id in pairs:
        if (monitor := monitors.get(monitor_id)) is not None:
            task = monitor.task
            member = MemberOf(monitor_id=monitor_id, service_id=task["serviceId"], action=task["action"])
            found[transaction_id].append(member)
    return found
