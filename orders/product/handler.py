"""The work of COM: hand the order on to the service layer, and take in what it reports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import Job, Move, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.catalog.model import Catalog
from orders.documents import stamp, with_items, with_notes
from orders.errors import OrdersError
from orders.product.contracts import ServiceOrdering
from orders.product.decompose import service_order
from orders.product.inventory import ProductInventory
from orders.product.model import load_tasks
from orders.product.states import ITEM, ORDER
from orders.states import FINAL, OrderState, roll_up


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrderHandler:
    """Moves product orders, one event at a time."""

    catalog: Catalog
    orders: DocumentStore
    inventory: ProductInventory
    services: ServiceOrdering

    def start(self, job: Job, uow: UnitOfWork) -> None:
        """Place the service order of an acknowledged order; an order that already moved is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        if row.state != OrderState.ACKNOWLEDGED:
            return
        states = {item["id"]: OrderState.IN_PROGRESS for item in row.document["productOrderItem"]}
        running = self._save(uow, row, states)
        tasks = load_tasks(row.task)
        for task in tasks.values():
            self.inventory.started(uow, row, task)
        unchanged = {key: OrderState.COMPLETED for key in states if key not in tasks}
        running = self._save(uow, running, unchanged)
        if not tasks:
            return
        try:
            order = service_order(self.catalog, row.document, tasks.values())
            self.services.place(uow, order, correlation_id=row.correlation_id)
        except OrdersError as error:
            self._end(uow, running, dict.fromkeys(tasks, OrderState.FAILED), {}, [str(error)])

    def follow_service_order(self, job: Job, uow: UnitOfWork) -> None:
        """Take in what SOM reports of an order that this layer sent; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        row = self.orders.find(uow, str(report.get("externalId", "")))
        if row is None or row.state in FINAL or report["state"] == OrderState.ACKNOWLEDGED:
            return
        items = {item["id"]: item for item in report["serviceOrderItem"]}
        states = {key: _item_state(item["state"]) for key, item in items.items()}
        services = {key: item["service"] for key, item in items.items()}
        self._end(uow, row, states, services, _reasons(report))

    def _end(
        self,
        uow: UnitOfWork,
        row: Row,
        states: Mapping[str, OrderState],
        services: Mapping[str, Document],
        reasons: Iterable[str],
    ) -> None:
        """Move the items to ``states``; write the products of those that ended."""
        tasks = load_tasks(row.task)
        ended = {
            item["id"]
            for item in row.document["productOrderItem"]
            if item["state"] not in FINAL and states.get(item["id"]) in FINAL
        }
        for key in sorted(ended & tasks.keys()):
            if states[key] is OrderState.COMPLETED:
                self.inventory.completed(uow, row, tasks[key], services[key])
            else:
                self.inventory.failed(uow, row, tasks[key])
        self._save(uow, row, states, reasons)

    def _save(self, uow: UnitOfWork, before: Row, states: Mapping[str, OrderState], reasons: Iterable[str] = ()) -> Row:
        def change(item: Document) -> Document:
            return _moved(uow, before.id, item, states.get(item["id"]))

        document = with_items(before.document, "productOrderItem", change)
        state = roll_up(OrderState(item["state"]) for item in document["productOrderItem"])
        if state != before.state:
            ORDER.advance(OrderState(before.state), state)
        reasons = tuple(reasons) if state in FINAL or state is OrderState.HELD else ()
        document = {**with_notes(document, uow.now, reasons), **_dates(state, uow), "state": state}
        if document == before.document:
            return before
        return self.orders.save(uow, before, replace(before, state=state, document=document), reason="; ".join(reasons))


def _moved(uow: UnitOfWork, order_id: str, item: Document, to: OrderState | None) -> Document:
    if to is None or to == item["state"] or item["state"] in FINAL:
        return item
    if item["state"] == OrderState.HELD and to in FINAL:
        # Reports come when the whole service order moves: that this item went on again was told with its end.
        item = _moved(uow, order_id, item, OrderState.IN_PROGRESS)
    state = ITEM.advance(OrderState(item["state"]), to)
    move = Move(
        resource_kind="productOrder", resource_id=order_id, item=item["id"], from_state=item["state"], to_state=state
    )
    uow.record(move)
    return {**item, "state": state}


def _item_state(reported: str) -> OrderState:
    # TMF622 has no partial items: one that is not complete has failed.
    return OrderState.FAILED if reported == OrderState.PARTIAL else OrderState(reported)


def _dates(state: OrderState, uow: UnitOfWork) -> dict[str, Any]:
    return {"completionDate": stamp(uow.now)} if state in FINAL else {}


def _reasons(report: Document) -> tuple[str, ...]:
    if report["state"] == OrderState.HELD:
        return tuple(each["text"] for each in report.get("note", ())[-1:])
    found = (_reason(error) for error in report.get("errorMessage", ()))
    return tuple(dict.fromkeys(found))


def _reason(error: Document) -> str:
    text = str(error.get("message") or error.get("reason") or error.get("code") or "failed")
    device = error.get("device")
    return text if device is None or str(device) in text else f"{device}: {text}"
