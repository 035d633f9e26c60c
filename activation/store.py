"""What the activation core keeps: monitors, services, fragments, plans, and the journal of its transactions."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from activation import tables
from activation.model import DeviceEdit, Fragment, Plan, PlanId, ServiceId, TransactionId
from activation.states import TRANSACTION, Step
from inventory.errors import StaleState, UnknownResource
from inventory.ledger import Move, UnitOfWork
from inventory.store import DocumentStore, dump

MONITORS: Final = DocumentStore(table=tables.monitors, kind="monitor", domain="activation")
# Not "service": TMF638's events of the same id must stay apart from these.
SERVICES: Final = DocumentStore(table=tables.services, kind="activationService", domain="activation")
UNFINISHED: Final = tuple(step for step in Step if not TRANSACTION.is_final(step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A network-wide transaction as the journal knows it; ``rollbacks`` counts the attempts to roll it back."""

    transaction_id: TransactionId
    monitor_id: str
    edits: tuple[DeviceEdit, ...]
    step: Step
    rollbacks: int


def fragments_of(connection: Connection, root_id: str) -> tuple[Fragment, ...]:
    """Return the fragments of the service ``root_id`` and its supporting services."""
    here = tables.fragments.c
    found = connection.execute(
        select(tables.fragments).where(here.root_id == root_id).order_by(here.device, here.service_id, here.intent)
    )
    return tuple(_fragment(row) for row in found.mappings())


def fragments_on(connection: Connection, devices: Iterable[str]) -> Mapping[str, tuple[Fragment, ...]]:
    """Return all fragments on each of ``devices``."""
    here = tables.fragments.c
    by_device: dict[str, list[Fragment]] = defaultdict(list)
    found = connection.execute(
        select(tables.fragments).where(here.device.in_(sorted(devices))).order_by(here.service_id, here.intent)
    )
    for row in found.mappings():
        by_device[row["device"]].append(_fragment(row))
    return {device: tuple(by_device[device]) for device in devices}


def owners(connection: Connection, service_ids: Iterable[str]) -> Mapping[str, str]:
    """Return which service (root) each of the supporting services with fragments belongs to."""
    here = tables.fragments.c
    found = connection.execute(select(here.service_id, here.root_id).where(here.service_id.in_(sorted(service_ids))))
    return {row.service_id: row.root_id for row in found}


def replace_fragments(uow: UnitOfWork, root_id: str, fragments: Iterable[Fragment]) -> None:
    """Make ``fragments`` the fragments of the service ``root_id``."""
    uow.connection.execute(delete(tables.fragments).where(tables.fragments.c.root_id == root_id))
    rows = [_fragment_row(root_id, fragment) for fragment in fragments]
    if rows:
        uow.connection.execute(insert(tables.fragments), rows)


def store_plan(uow: UnitOfWork, plan: Plan, monitor_id: str) -> None:
    """Keep ``plan`` as it will be pushed."""
    values = {
        "plan_id": plan.plan_id,
        "monitor_id": monitor_id,
        "plan_hash": plan.plan_hash,
        "edits": dump([asdict(edit) for edit in plan.edits]),
        "created_at": uow.now,
    }
    uow.connection.execute(insert(tables.plans).values(values))


def plan_edits(connection: Connection, plan_id: PlanId) -> tuple[DeviceEdit, ...]:
    """Return the edits of a stored plan.

    Raises:
        UnknownResource: no plan has this id.
    """
    statement = select(tables.plans.c.edits).where(tables.plans.c.plan_id == plan_id)
    text = connection.execute(statement).scalar_one_or_none()
    if text is None:
        raise UnknownResource("plan", plan_id)
    return tuple(_edit(values) for values in json.loads(text))


def begin_transaction(uow: UnitOfWork, transaction_id: TransactionId, plan: Plan, monitor_id: str) -> None:
    """Open the journal of a transaction that pushes ``plan``; its first step is staging."""
    values = {
        "transaction_id": transaction_id,
        "monitor_id": monitor_id,
        "plan_id": plan.plan_id,
        "step": Step.STAGING.value,
        "updated_at": uow.now,
    }
    uow.connection.execute(insert(tables.transactions).values(values))
    _write(uow, transaction_id, before="", to=Step.STAGING, detail={"planHash": plan.plan_hash})


def enter_step(
    uow: UnitOfWork, transaction_id: TransactionId, before: Step, to: Step, detail: Mapping[str, Any]
) -> None:
    """Journal that the transaction goes on from ``before`` to ``to``.

    Raises:
        IllegalTransition: the life cycle has no such move.
        StaleState: the transaction is no longer in ``before``.
    """
    TRANSACTION.advance(before, to)
    here = tables.transactions.c
    moved = uow.connection.execute(
        update(tables.transactions)
        .where(here.transaction_id == transaction_id, here.step == before.value)
        .values(step=to.value, updated_at=uow.now)
    )
    if moved.rowcount != 1:
        raise StaleState("device transaction", transaction_id, before)
    _write(uow, transaction_id, before=before, to=to, detail=detail)


def unfinished(connection: Connection, monitor_id: str | None = None) -> tuple[Transaction, ...]:
    """Return the transactions that neither ended nor were rolled back, oldest first; of one monitor if given."""
    here = tables.transactions.c
    statement = select(tables.transactions).where(here.step.in_([step.value for step in UNFINISHED]))
    if monitor_id is not None:
        statement = statement.where(here.monitor_id == monitor_id)
    rows = connection.execute(statement.order_by(here.updated_at)).mappings().all()
    return tuple(
        Transaction(
            transaction_id=TransactionId(row["transaction_id"]),
            monitor_id=row["monitor_id"],
            edits=plan_edits(connection, PlanId(row["plan_id"])),
            step=Step(row["step"]),
            rollbacks=_rollbacks(connection, row["transaction_id"]),
        )
        for row in rows
    )


def awaiting_rollback(connection: Connection, devices: Iterable[str]) -> tuple[TransactionId, ...]:
    """Return the transactions on any of ``devices`` that are being rolled back, or wait for it; oldest first."""
    here, wanted = tables.transactions.c, frozenset(devices)
    statement = select(here.transaction_id, here.plan_id).where(here.step == Step.ROLLING_BACK.value)
    return tuple(
        TransactionId(row.transaction_id)
        for row in connection.execute(statement.order_by(here.updated_at))
        if any(edit.device in wanted for edit in plan_edits(connection, PlanId(row.plan_id)) if edit.changes)
    )


def journal_of(connection: Connection, monitor_id: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the journalled steps of a monitor's transactions, oldest first, each with its details."""
    steps, heads = tables.journal.c, tables.transactions.c
    found = connection.execute(
        select(steps.step, steps.detail)
        .join(tables.transactions, steps.transaction_id == heads.transaction_id)
        .where(heads.monitor_id == monitor_id)
        .order_by(steps.id)
    )
    return tuple((step, json.loads(detail)) for step, detail in found)


def _rollbacks(connection: Connection, transaction_id: str) -> int:
    here = tables.journal.c
    counted = select(func.count()).where(here.transaction_id == transaction_id, here.step == Step.ROLLING_BACK.value)
    return connection.execute(counted).scalar_one()


def _write(uow: UnitOfWork, transaction_id: TransactionId, *, before: str, to: Step, detail: Mapping[str, Any]) -> None:
    values = {"transaction_id": transaction_id, "step": to.value, "detail": dump(detail), "at": uow.now}
    uow.connection.execute(insert(tables.journal).values(values))
    move = Move(
        resource_kind="deviceTransaction", resource_id=transaction_id, from_state=str(before), to_state=to.value
    )
    uow.record(move)


def _fragment_row(root_id: str, fragment: Fragment) -> dict[str, Any]:
    return {
        "service_id": fragment.service_id,
        "device": fragment.device,
        "intent": fragment.intent,
        "root_id": root_id,
        "text": fragment.text,
        "foreign_nodes": dump(sorted(fragment.foreign)),
    }


def _fragment(row: RowMapping) -> Fragment:
    return Fragment(
        service_id=ServiceId(row["service_id"]),
        device=row["device"],
        intent=row["intent"],
        text=row["text"],
        foreign=frozenset(tuple(path) for path in json.loads(row["foreign_nodes"])),
    )


def _edit(values: dict[str, Any]) -> DeviceEdit:
    touched = tuple(tuple(path) for path in values["touched"])
    shared_with = tuple(ServiceId(service) for service in values["shared_with"])
    return DeviceEdit(**{**values, "touched": touched, "shared_with": shared_with})
