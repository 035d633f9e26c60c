"""What the three layers do alike with their orders: begin them when it is time, amend them, forget them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from inventory.documents import Document, urgency
from inventory.ledger import Event, Job, NewJob, UnitOfWork
from inventory.lifecycle import Lifecycle
from inventory.store import DocumentStore, Row
from orders.amend import STARTING, amended
from orders.documents import stamp
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import OrderBody
from orders.schedule import late_at, starts_at
from orders.states import FINAL, OrderState
from orders.timers import alarm

LATE: Final = "requestedCompletionDate"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLife:
    """The orders of one layer from the outside.

    Attributes:
        shape: what a client's body must be.
        items: the attribute that holds the items.
        start_kind: the layer's work on an order that is to be begun.
        wake_kind: the layer's work on what is due later.
        late_kind: the layer's work on an order that is late; empty: nobody is told.
    """

    orders: DocumentStore
    lifecycle: Lifecycle[OrderState]
    shape: type[OrderBody]
    items: str
    start_kind: str
    wake_kind: str
    late_kind: str = ""

    def accept(self, uow: UnitOfWork, row: Row) -> None:
        """See to it that a new order is begun when it is time, and that it is told when it is late."""
        self._schedule_start(uow, row)
        self._schedule_late(uow, row)

    def amend(self, uow: UnitOfWork, key: str, merge: Document, after: Document) -> Document:
        """Change what may be changed of an order, and return it; ``merge`` is the merge patch, ``after`` its result.

        Raises:
            InvalidOrder: an attribute that no client may change, or of a wrong type; nothing was changed.
            IllegalTransition: a state that cannot follow the present one; names those that can.
            OrderConflict: a good change at a bad moment; nothing was changed.
            UnknownResource: no order has this id.
        """
        row = self.orders.get(uow, key)
        self._refuse_state(row, merge.get("state", row.state))
        found = amended(row.document, merge, after, self.shape, self.items)
        if not found.changed:
            return row.document
        row = self.orders.save(uow, row, replace(row, document=found.document))
        if STARTING in found.changed:
            self._schedule_start(uow, row)
        if LATE in found.changed:
            self._schedule_late(uow, row)
        return row.document

    def forget(self, uow: UnitOfWork, key: str) -> None:
        """Delete an order that has ended; the history and the events keep it.

        Raises:
            OrderConflict: it has not ended.
            UnknownResource: no order has this id.
        """
        row = self.orders.get(uow, key)
        if row.state not in FINAL:
            legal = ", ".join(sorted(FINAL))
            raise OrderConflict("id", row.id, f"is {row.state}; only orders that are {legal} can be deleted")
        self.orders.remove(uow, row)

    def tell_late(self, job: Job, uow: UnitOfWork) -> None:
        """Tell that an order is late, once; one that has ended, or is due later by now, is left alone."""
        row = self.orders.find(uow, job.payload["order"])
        if row is None or row.state in FINAL or row.document.get(LATE) != job.payload["date"]:
            return
        date = job.payload["date"]
        said = jeopardy(date, "late", LATE, f"not completed by {date}", uow.now)
        self.alert(uow, row, said)

    def alert(self, uow: UnitOfWork, row: Row, alert: Document) -> None:
        """Add an alert to the order and tell of it; one that is there already is not told again."""
        alerts = row.document.get("jeopardyAlert", [])
        if any(each.get("id") == alert["id"] for each in alerts):
            return
        document = {**row.document, "jeopardyAlert": [*alerts, alert]}
        row = self.orders.save(uow, row, replace(row, document=document))
        event = Event(
            event_type=f"{self.orders.kind[0].upper()}{self.orders.kind[1:]}JeopardyEvent",
            domain=self.orders.domain,
            resource_kind=self.orders.kind,
            resource_id=row.id,
            correlation_id=row.correlation_id,
            document=row.document,
        )
        uow.publish(event)

    def _refuse_state(self, row: Row, wanted: object) -> None:
        if wanted == row.state:
            return
        if wanted not in set(OrderState):
            problem = Problem(path="state", wrong=f"{wanted!r} is no state", legal=", ".join(OrderState))
            raise InvalidOrder([problem])
        self.lifecycle.advance(OrderState(row.state), OrderState(str(wanted)))
        reason = f"is {row.state}; the work on it moves its state: to cancel it, POST a cancel task"
        raise OrderConflict("state", row.id, reason)

    def _schedule_start(self, uow: UnitOfWork, row: Row) -> None:
        priority = urgency(row.document)
        job = NewJob(kind=self.start_kind, lane=row.correlation_id, payload={"order": row.id}, priority=priority)
        at = starts_at(row.document, uow.now)
        if at is None:
            uow.enqueue(job)
        else:
            alarm(uow, self.wake_kind, at, job)

    def _schedule_late(self, uow: UnitOfWork, row: Row) -> None:
        at = late_at(row.document, uow.now) if self.late_kind else None
        if at is not None:
            payload = {"order": row.id, "date": row.document[LATE]}
            alarm(uow, self.wake_kind, at, NewJob(kind=self.late_kind, lane=row.correlation_id, payload=payload))


def is_to_wait(order: Row, now: datetime) -> bool:
    """Say whether the order is not to be begun yet: its start was put off, and another job will come for it."""
    return starts_at(order.document, now) is not None


def jeopardy(key: str, kind: str, name: str, message: str, now: datetime) -> Document:
    """Return a TMF641 alert that something may not come out as wished."""
    return {
        "id": key,
        "alertDate": stamp(now),
        "jeopardyType": kind,
        "name": name,
        "message": message,
        "@type": "ServiceOrderJeopardyAlert",
    }
