"""What the activation core keeps: monitors, services, fragments, plans, and the journal of its transactions."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Connection,
    bindparam,
    func,
    insert,
    select,
    update,
)

from activation import tables
from activation.model import DeviceEdit, Plan, PlanId, ServiceId, TransactionId
from activation.states import TRANSACTION, MonitorState, Step
from inventory.errors import StaleState, UnknownResource
from inventory.ledger import Move, UnitOfWork
from inventory.rows import Row, row_of
from inventory.store import DocumentStore, dump

MONITORS: Final = DocumentStore(table=tables.monitors, kind="monitor", domain="activation")
# Not "service": TMF638's events of the same id must stay apart from these.
SERVICES: Final = DocumentStore(table=tables.services, kind="activationService", domain="activation")
REVIEWS: Final = DocumentStore(table=tables.reviews, kind="review", domain="activation")


# Built once: building a statement costs more than what it does.
_MOVE: Final = (
    update(tables.transactions)
    .where(tables.transactions.c.transaction_id == bindparam("_id"), tables.transactions.c.step == bindparam("_before"))
    .values(step=bindparam("_to"), updated_at=bindparam("_at"))
)
_NOTE: Final = insert(tables.journal)
_KEEP_PLAN: Final = insert(tables.plans)
_BEGIN: Final = insert(tables.transactions)
UNFINISHED: Final = tuple(step for step in Step if not TRANSACTION.is_final(step))
_REACHED: Final = tuple(step.value for step in UNFINISHED if step is not Step.STAGING)
"""Steps at which the devices may have something of a transaction that must go again if it ends there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A network-wide transaction as the journal knows it.

    Attributes:
        may_be_committed: whether any of its commits may have been sent, which the step alone does not say.
        rollbacks: counts the attempts to roll it back.
    """

    transaction_id: TransactionId
    monitor_ids: tuple[str, ...]
    edits: tuple[DeviceEdit, ...]
    step: Step
    may_be_committed: bool
    rollbacks: int


def open_monitors(connection: Connection) -> tuple[Row, ...]:
    """Return every request that has not ended, oldest first, those that wait for people among them."""
    here = tables.monitors.c
    wanted = select(tables.monitors).where(here.state == MonitorState.IN_PROGRESS.value)
    return tuple(row_of(each) for each in connection.execute(wanted.order_by(here.created_at, here.id)))


def store_plan(uow: UnitOfWork, plan: Plan, monitor_id: str) -> None:
    """Keep ``plan`` as it will be pushed; one that was approved is kept already."""
    if uow.reader.execute(select(tables.plans.c.plan_id).where(tables.plans.c.plan_id == plan.plan_id)).first():
        return
    values = {
        "plan_id": plan.plan_id,
        "monitor_id": monitor_id,
        "plan_hash": plan.plan_hash,
        "edits": dump([edit.document() for edit in plan.edits]),
        "created_at": uow.now,
    }
    uow.connection.execute(_KEEP_PLAN, values)


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


def begin_transaction(uow: UnitOfWork, transaction_id: TransactionId, plan: Plan, monitor_ids: Sequence[str]) -> None:
    """Open the journal of a transaction that pushes ``plan``; its first step is staging."""
    values = {
        "transaction_id": transaction_id,
        "monitor_id": monitor_ids[0],
        "plan_id": plan.plan_id,
        "step": Step.STAGING.value,
        "devices": " ".join(["", *sorted(edit.device for edit in plan.edits if edit.changes), ""]),
        "updated_at": uow.now,
    }
    uow.connection.execute(_BEGIN, values)
    members = [{"transaction_id": transaction_id, "monitor_id": monitor_id} for monitor_id in monitor_ids]
    uow.connection.execute(insert(tables.transaction_members), members)
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
    asked = {"_id": transaction_id, "_before": before.value, "_to": to.value, "_at": uow.now}
    moved = uow.connection.execute(_MOVE, asked)
    if moved.rowcount != 1:
        raise StaleState("device transaction", transaction_id, before)
    _write(uow, transaction_id, before=before, to=to, detail=detail)


def note_on_step(uow: UnitOfWork, transaction_id: TransactionId, detail: Mapping[str, Any]) -> None:
    """Add what has become known of the step that the transaction is in."""
    steps = tables.journal.c
    here = select(func.max(steps.id)).where(steps.transaction_id == transaction_id).scalar_subquery()
    known = json.loads(uow.connection.execute(select(steps.detail).where(steps.id == here)).scalar_one())
    written = update(tables.journal).where(steps.id == here).values(detail=dump({**known, **detail}))
    uow.connection.execute(written)


def unfinished(connection: Connection, monitor_ids: Collection[str] | None = None) -> tuple[Transaction, ...]:
    """Return the transactions that neither ended nor were rolled back, oldest first; of some monitors if given."""
    here = tables.transactions.c
    statement = select(tables.transactions).where(here.step.in_([step.value for step in UNFINISHED]))
    if monitor_ids is not None:
        members = tables.transaction_members.c
        shared = select(members.transaction_id).where(members.monitor_id.in_(monitor_ids))
        statement = statement.where(here.transaction_id.in_(shared))
    rows = connection.execute(statement.order_by(here.updated_at)).mappings().all()
    return tuple(
        Transaction(
            transaction_id=TransactionId(row["transaction_id"]),
            monitor_ids=_members(connection, row["transaction_id"]),
            edits=plan_edits(connection, PlanId(row["plan_id"])),
            step=Step(row["step"]),
            may_be_committed=_times(connection, row["transaction_id"], Step.COMMITTING) > 0,
            rollbacks=_times(connection, row["transaction_id"], Step.ROLLING_BACK),
        )
        for row in rows
    )


def has_begun(connection: Connection, monitor_id: str) -> bool:
    """Say whether devices may know of what this monitor monitors: a transaction began, and was not rolled back."""
    here, members = tables.transactions.c, tables.transaction_members.c
    found = (
        select(here.transaction_id)
        .join(tables.transaction_members, here.transaction_id == members.transaction_id)
        .where(members.monitor_id == monitor_id, here.step != Step.ROLLED_BACK.value)
    )
    return connection.execute(found.limit(1)).first() is not None


def _members(connection: Connection, transaction_id: str) -> tuple[str, ...]:
    members = tables.transaction_members.c
    wanted = select(members.monitor_id).where(members.transaction_id == transaction_id).order_by(members.monitor_id)
    return tuple(connection.execute(wanted).scalars())


def interrupted_on(connection: Connection, devices: Iterable[str]) -> tuple[TransactionId, ...]:
    """Return the transactions that any of ``devices`` may still carry something of, oldest first.

    For whoever holds the devices' locks: nobody works on these transactions, so that all of them are to be rolled back.
    One that only staged is not among them: that ended with its sessions.
    """
    here, wanted = tables.transactions.c, frozenset(devices)
    statement = select(here.transaction_id, here.plan_id).where(here.step.in_(_REACHED))
    return tuple(
        TransactionId(row.transaction_id)
        for row in connection.execute(statement.order_by(here.updated_at))
        if any(edit.device in wanted for edit in plan_edits(connection, PlanId(row.plan_id)) if edit.changes)
    )


def step_of(connection: Connection, transaction_id: TransactionId) -> Step:
    """Return the step that a transaction has come to."""
    here = tables.transactions.c
    return Step(connection.execute(select(here.step).where(here.transaction_id == transaction_id)).scalar_one())


def journal_of(connection: Connection, monitor_id: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the journalled steps of a monitor's transactions, oldest first, each with its details."""
    steps, members = tables.journal.c, tables.transaction_members.c
    found = connection.execute(
        select(steps.step, steps.detail)
        .join(tables.transaction_members, steps.transaction_id == members.transaction_id)
        .where(members.monitor_id == monitor_id)
        .order_by(steps.id)
    )
    return tuple((step, json.loads(detail)) for step, detail in found)


def _times(connection: Connection, transaction_id: str, step: Step) -> int:
    """Return how many times the transaction began this step."""
    here = tables.journal.c
    counted = select(func.count()).where(here.transaction_id == transaction_id, here.step == step.value)
    return connection.execute(counted).scalar_one()


def _write(uow: UnitOfWork, transaction_id: TransactionId, *, before: str, to: Step, detail: Mapping[str, Any]) -> None:
    values = {"transaction_id": transaction_id, "step": to.value, "detail": dump(detail), "at": uow.now}
    uow.connection.execute(_NOTE, values)
    move = Move(
        resource_kind="deviceTransaction", resource_id=transaction_id, from_state=str(before), to_state=to.value
    )
    uow.record(move)


def _edit(values: dict[str, Any]) -> DeviceEdit:
    touched = tuple(tuple(path) for path in values["touched"])
    shared_with = tuple(ServiceId(service) for service in values["shared_with"])
    return DeviceEdit(**{**values, "touched": touched, "shared_with": shared_with})
