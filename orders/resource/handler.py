"""The work of ROM: reserve what an order asks for, release what it gives back, all items or none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from inventory.documents import Document
from inventory.errors import InventoryError
from inventory.ledger import Job, Move, UnitOfWork
from inventory.model import ReservationRequest
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks, is_cancelled_now, reason_of
from orders.catalog.contracts import CatalogSource
from orders.documents import stamp, with_items, with_notes
from orders.life import is_to_wait
from orders.resource.contracts import Reservations
from orders.resource.intake import asked_port, specification_ref
from orders.resource.states import ITEM, ORDER
from orders.states import FINAL, OrderState, roll_up

SEQUENCE: Final = "sequence"
"""Where an order's private data has the ids of its items in the order of the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of an order's items; ``reason`` is set when nothing was kept."""

    resources: dict[str, Document]
    reason: str = ""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reason, where there is one."""
        return (self.reason,) if self.reason else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOrderHandler:
    """Runs resource orders in one go: a reservation is a few rows of the same database."""

    orders: DocumentStore
    cancels: CancelTasks
    catalog: CatalogSource
    reservations: Reservations

    def start(self, job: Job, uow: UnitOfWork) -> None:
        """Take the order from acknowledged to its end; an order that already moved is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        if row.state != OrderState.ACKNOWLEDGED or is_cancelled_now(row, uow.now) or is_to_wait(row, uow.now):
            return
        running = self._save(uow, row, {**row.document, "startDate": stamp(uow.now)}, OrderState.IN_PROGRESS)
        outcome = self._run(uow, running)
        state = OrderState.FAILED if outcome.reason else OrderState.COMPLETED
        document = with_notes(_with_resources(running.document, outcome), uow.now, outcome.reasons)
        self._save(uow, running, {**document, "completionDate": stamp(uow.now)}, state, reason=outcome.reason)

    def cancel(self, job: Job, uow: UnitOfWork) -> None:
        """Cancel an order that has not begun; any other has ended, or ends in the step that it is in."""
        task = self.cancels.begin(uow, job.payload["task"])
        if task is None:
            return
        row = self.cancels.order_of(uow, task)
        if row.state in FINAL:
            self.cancels.refused(uow, row, f"the resource order is {row.state}")
            return
        if row.state == OrderState.ACKNOWLEDGED:
            # TMF652 cancels no order before it has begun.
            row = self._save(uow, row, row.document, OrderState.IN_PROGRESS)
        reason = reason_of(task)
        if row.state == OrderState.IN_PROGRESS:
            row = self._save(uow, row, with_notes(row.document, uow.now, [f"held: {reason}"]), OrderState.HELD)
        document = {**row.document, "cancellationDate": stamp(uow.now), "cancellationReason": reason}
        self.cancels.done(uow, self._save(uow, row, document, OrderState.CANCELLED, reason=reason))

    def _run(self, uow: UnitOfWork, row: Row) -> _Outcome:
        items = _in_order(row)
        taken: dict[str, Document] = {}
        try:
            for item in (each for each in items if each["action"] == "add"):
                taken[item["id"]] = self.reservations.reserve(uow, self._request(uow, row, item))
            for item in (each for each in items if each["action"] == "delete"):
                self.reservations.release(uow, item["resource"]["id"])
        except InventoryError as error:
            for resource in taken.values():
                self.reservations.release(uow, resource["id"])
            return _Outcome(resources={}, reason=str(error))
        return _Outcome(resources=taken)

    def _request(self, uow: UnitOfWork, row: Row, item: Document) -> ReservationRequest:
        specification = self.catalog.current(uow).resource(specification_ref(item))
        return ReservationRequest(
            specification_id=specification.id,
            specification_name=specification.name,
            allocation=specification.allocation,
            pool=specification.pool,
            place_id=item["resource"]["place"]["id"],
            owner=f"{row.id}:{item['id']}",
            correlation_id=row.correlation_id,
            **asked_port(item),
        )

    def _save(self, uow: UnitOfWork, before: Row, document: Document, to: OrderState, *, reason: str = "") -> Row:
        """Move every item to ``to``, and the order to what its items roll up to."""
        moved = with_items(document, "orderItem", lambda item: _moved(uow, before.id, item, to))
        state = ORDER.advance(
            OrderState(before.state), roll_up(OrderState(item["state"]) for item in moved["orderItem"])
        )
        after = replace(before, state=state, document={**moved, "state": state})
        return self.orders.save(uow, before, after, reason=reason)


def _in_order(row: Row) -> Sequence[Document]:
    """Return the items, each after those that it waits for."""
    items: Sequence[Document] = row.document["orderItem"]
    rank = {key: number for number, key in enumerate(row.task.get(SEQUENCE, ()))}
    return sorted(items, key=lambda item: rank.get(item["id"], 0))


def _with_resources(document: Document, outcome: _Outcome) -> Document:
    def change(item: Document) -> Document:
        resource = outcome.resources.get(item["id"])
        return item if resource is None else {**item, "resource": {**item["resource"], **resource}}

    return with_items(document, "orderItem", change)


def _moved(uow: UnitOfWork, order_id: str, item: Document, to: OrderState) -> Document:
    state = ITEM.advance(OrderState(item["state"]), to)
    move = Move(
        resource_kind="resourceOrder", resource_id=order_id, item=item["id"], from_state=item["state"], to_state=state
    )
    uow.record(move)
    return {**item, "state": state}
