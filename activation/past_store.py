"""What transactions did to fragments and services, kept with their plans so that they can be undone."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, and_, or_, select, update

from activation import tables
from activation.errors import RollbackRefused
from activation.fragment_store import fragment_of, fragment_row
from activation.model import Fragment, FragmentChange, Plan, ServiceId, TransactionId
from activation.repair import is_passing
from activation.states import ServiceState, Step
from activation.store import SERVICES
from activation.undo import Past
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork
from inventory.store import dump

STANDING: Final = frozenset({ServiceState.ACTIVE.value, ServiceState.INACTIVE.value})
"""States of services that are there."""
CLOSURE: Final = 50
"""How often what built on what is followed further; nobody undoes that much by hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A transaction that was done.

    Attributes:
        owners: the activated service by each part whose fragment it changed.
        services: the activated services' documents before it, None where one was not active.
    """

    past: Past
    owners: Mapping[str, str]
    services: Mapping[str, Document | None]


def remember(uow: UnitOfWork, plan: Plan, owners: Mapping[str, str]) -> None:
    """Keep with ``plan`` what it does to fragments, and what the services are that it changes."""
    kept = [change for change in plan.fragments if not _passes(change)]
    roots = sorted({owners[part] for change in kept for part in _parts(change)})
    rows = SERVICES.many(uow.connection, roots, states=STANDING)
    told = {
        "changes": [{"old": _row(change.old, owners), "new": _row(change.new, owners)} for change in kept],
        "services": {root: rows[root].document if root in rows else None for root in roots},
    }
    here = tables.plans.c
    uow.connection.execute(update(tables.plans).where(here.plan_id == plan.plan_id).values(fragments=dump(told)))


def record_of(connection: Connection, transaction_id: str) -> Record:
    """Return what a transaction did.

    Raises:
        UnknownResource: nothing has this id.
        RollbackRefused: it did not get through, or nobody kept what it did.
    """
    here = tables.transactions.c
    wanted = _DONE.where(here.transaction_id == transaction_id)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise UnknownResource("transaction", transaction_id)
    if row["step"] != Step.DONE.value:
        raise RollbackRefused(f"{transaction_id} is {row['step']}; legal: one that is {Step.DONE.value}")
    if row["fragments"] is None:
        raise RollbackRefused(f"{transaction_id} was done by an older release, which did not keep what it did")
    return _record(row)


def records_after(connection: Connection, first: Record) -> tuple[Record, ...]:
    """Return the transactions, oldest first, that were done later on services of ``first``, or of one another."""
    known = {first.past.transaction_id}
    found: dict[str, Record] = {}
    parts = set(first.owners)
    for _ in range(CLOSURE):
        later = [each for each in _later(connection, first, parts) if each.past.transaction_id not in known]
        if not later:
            break
        for each in later:
            known.add(each.past.transaction_id)
            found[each.past.transaction_id] = each
            parts |= each.owners.keys()
    order = {row: number for number, row in enumerate(_ordered(connection, found))}
    return tuple(sorted(found.values(), key=lambda each: order[each.past.transaction_id]))


_DONE: Final = select(
    tables.transactions.c.transaction_id,
    tables.transactions.c.step,
    tables.plans.c.fragments,
    tables.plans.c.created_at,
).join(tables.plans, tables.plans.c.plan_id == tables.transactions.c.plan_id)


def _later(connection: Connection, first: Record, parts: Iterable[str]) -> list[Record]:
    here, plans = tables.transactions.c, tables.plans.c
    began = select(plans.created_at).join(tables.transactions, plans.plan_id == here.plan_id)
    since = connection.execute(began.where(here.transaction_id == first.past.transaction_id)).scalar_one()
    names = [plans.fragments.contains(f'"service_id":{json.dumps(part)}', autoescape=True) for part in sorted(parts)]
    if not names:
        return []
    done = and_(here.step == Step.DONE.value, plans.created_at >= since, plans.fragments.is_not(None))
    return [_record(row) for row in connection.execute(_DONE.where(done, or_(*names))).mappings()]


def _ordered(connection: Connection, ids: Iterable[str]) -> list[str]:
    here = tables.journal.c
    begun = select(here.transaction_id).where(here.transaction_id.in_(sorted(ids)), here.step == Step.STAGING.value)
    return list(connection.execute(begun.order_by(here.id)).scalars())


def _record(row: RowMapping) -> Record:
    told = json.loads(row["fragments"])
    changes = tuple(FragmentChange(old=_fragment(each["old"]), new=_fragment(each["new"])) for each in told["changes"])
    held = [each for change in told["changes"] for each in (change["old"], change["new"]) if each is not None]
    return Record(
        past=Past(transaction_id=TransactionId(row["transaction_id"]), changes=changes),
        owners={each["service_id"]: each["root_id"] for each in held},
        services=told["services"],
    )


def _row(fragment: Fragment | None, owners: Mapping[str, str]) -> dict[str, Any] | None:
    return fragment_row(owners[fragment.service_id], fragment) if fragment is not None else None


def _fragment(row: Any) -> Fragment | None:  # noqa: ANN401 - JSON
    return fragment_of(row) if row is not None else None


def _parts(change: FragmentChange) -> set[ServiceId]:
    return {fragment.service_id for fragment in (change.old, change.new) if fragment is not None}


def _passes(change: FragmentChange) -> bool:
    return any(map(is_passing, _parts(change)))
