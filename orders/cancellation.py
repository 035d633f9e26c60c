"""Cancel tasks (TMF622, 641, 652): asked for by a client or the layer above, stored, and ended by the order's layer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.lifecycle import Lifecycle
from inventory.store import DocumentStore, Row
from orders.documents import href, stamp
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import DateTime, Inbound, ReferenceBody, Text, parse
from orders.states import ENDED, FINAL, TaskState
from orders.timers import alarm

MARK: Final = "cancel"
"""Where an order's private data names the cancel task that stands for it, and when that is due."""


class CancelBody(Inbound):
    """What every cancel body has; ``external_id`` is what the layer above calls the task."""

    external_id: Text | None = None
    cancellation_reason: str | None = None
    requested_cancellation_date: DateTime | None = None
    product_order: ReferenceBody | None = None
    service_order: ReferenceBody | None = None
    resource_order: ReferenceBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTasks:
    """The cancel tasks of one layer.

    Attributes:
        orders: the orders that they are about.
        job_kind: the layer's work on a task that is due.
        wake_kind: the layer's work on a task that is due later.
    """

    store: DocumentStore
    orders: DocumentStore
    lifecycle: Lifecycle[TaskState]
    job_kind: str
    wake_kind: str

    def asked(self, uow: UnitOfWork, body: object) -> Document:
        """Return the task that a client asks for; while one stands for the order, or is done, that one.

        Raises:
            InvalidOrder: the body is wrong, or there is no such order; nothing was stored.
            OrderConflict: the order has ended; nothing was stored.
        """
        kind = self.orders.kind
        document, order = self._read(uow, body)
        standing = self._standing(uow, order)
        if standing is not None:
            return standing.document
        if order.state in FINAL:
            raise OrderConflict(f"{kind}.id", order.id, f"is {order.state}; only what has not ended can be cancelled")
        return self._store(uow, order, document).document

    def asked_above(self, uow: UnitOfWork, body: object, *, correlation_id: str) -> Document:
        """Return the task that the layer above asks for from another process; see :meth:`passed_down`.

        Raises:
            InvalidOrder: the body is wrong, or there is no such order; nothing was stored.
        """
        document, order = self._read(uow, body)
        if "externalId" not in document:
            raise InvalidOrder([Problem(path="externalId", wrong="is missing", legal="what the layer calls the task")])
        key = self.passed_down(
            uow,
            order.id,
            external_id=document["externalId"],
            reason=str(document.get("cancellationReason") or "cancelled"),
            correlation_id=correlation_id,
        )
        return self.store.get(uow, key).document

    def passed_down(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Return the id of the task that the layer above asks for; idempotent by ``external_id``.

        An order that has ended is no error: the task says so when it ends.
        """
        known = self.store.by_external_id(uow, external_id)
        if known is not None:
            return known.id
        order = self.orders.get(uow, order_id)
        standing = self._standing(uow, order)
        if standing is not None:
            return standing.id
        document = {"externalId": external_id, "cancellationReason": reason}
        return self._store(uow, order, document, correlation_id=correlation_id).id

    def begin(self, uow: UnitOfWork, task_id: str) -> Row | None:
        """Return the task, in progress from now on; None where it has begun before."""
        task = self.store.get(uow, task_id)
        if task.state not in self.lifecycle.initial:
            return None
        return self._move(uow, task, TaskState.IN_PROGRESS, {})

    def done(self, uow: UnitOfWork, order: Row, message: str = "") -> None:
        """Write that the order is cancelled, where a task asked for it."""
        task = self._open(uow, order)
        if task is not None:
            more = {"completionMessage": message} if message else {}
            self._move(uow, task, TaskState.DONE, {"effectiveCancellationDate": stamp(uow.now), **more})

    def refused(self, uow: UnitOfWork, order: Row, reason: str) -> Row:
        """Write why the order is not cancelled, and forget the task; return the order, to which nothing happened."""
        task = self._open(uow, order)
        if task is not None:
            error = {"code": "cancelRefused", "reason": reason, "message": reason, "timestamp": stamp(uow.now)}
            self._move(uow, task, TaskState.TERMINATED_WITH_ERROR, {"errorMessage": error}, reason=reason)
        kept = {key: value for key, value in order.task.items() if key != MARK}
        return self.orders.save(uow, order, replace(order, task=kept))

    def order_of(self, uow: UnitOfWork, task: Row) -> Row:
        """Return the order that the task is about, as it is now."""
        return self.orders.get(uow, task.document[self.orders.kind]["id"])

    def _read(self, uow: UnitOfWork, body: object) -> tuple[Document, Row]:
        checked, document = parse(CancelBody, body)
        kind = self.orders.kind
        named: ReferenceBody | None = getattr(checked, _snake(kind))
        if named is None:
            raise InvalidOrder([Problem(path=kind, wrong="is missing", legal=f"the {kind} to cancel, by its id")])
        order = self.orders.find(uow, named.id)
        if order is None:
            raise InvalidOrder([Problem(path=f"{kind}.id", wrong=f"{named.id!r} does not exist")])
        return document, order

    def _standing(self, uow: UnitOfWork, order: Row) -> Row | None:
        mark = order.task.get(MARK)
        return self.store.find(uow, mark["id"]) if mark is not None else None

    def _open(self, uow: UnitOfWork, order: Row) -> Row | None:
        task = self._standing(uow, order)
        return task if task is not None and task.state not in ENDED else None

    def _store(self, uow: UnitOfWork, order: Row, body: Document, *, correlation_id: str | None = None) -> Row:
        task_id, kind = str(uuid4()), self.store.kind
        (first,) = self.lifecycle.initial
        reference = {"id": order.id, "href": href(self.orders.kind, order.id), **_reference_types(self.orders.kind)}
        own = {"id": task_id, "href": href(kind, task_id), self.orders.kind: reference, "state": first}
        row = Row(
            id=task_id,
            state=first,
            correlation_id=correlation_id or order.correlation_id,
            external_id=body.get("externalId"),
            document={"@type": _capital(kind), **body, **own},
        )
        self.store.insert(uow, row)
        due = body.get("requestedCancellationDate")
        mark = {"id": task_id, "due": due}
        self.orders.save(uow, order, replace(order, task={**order.task, MARK: mark}))
        job = NewJob(kind=self.job_kind, lane=order.correlation_id, payload={"task": task_id})
        if due is not None and datetime.fromisoformat(due) > uow.now:
            alarm(uow, self.wake_kind, datetime.fromisoformat(due), job)
        else:
            uow.enqueue(job)
        return row

    def _move(self, uow: UnitOfWork, task: Row, to: TaskState, changes: Mapping[str, Any], *, reason: str = "") -> Row:
        state = self.lifecycle.advance(TaskState(task.state), to)
        document = {**task.document, **changes, "state": state}
        return self.store.save(uow, task, replace(task, state=state, document=document), reason=reason)


def is_cancelled_now(order: Row, now: datetime) -> bool:
    """Say whether a cancel task that is due stands for the order: nothing new is begun then."""
    mark = order.task.get(MARK)
    if mark is None:
        return False
    return mark["due"] is None or datetime.fromisoformat(mark["due"]) <= now


def reason_of(task: Row) -> str:
    """Return why an order is cancelled, in the client's words where it gave any."""
    return str(task.document.get("cancellationReason") or "cancelled")


def _reference_types(kind: str) -> dict[str, str]:
    return {"@type": f"{_capital(kind)}Ref", "@referredType": _capital(kind)}


def _capital(kind: str) -> str:
    return kind[0].upper() + kind[1:]


def _snake(kind: str) -> str:
    return kind.replace("Order", "_order")
