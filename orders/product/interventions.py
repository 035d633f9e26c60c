"""What people ask of a product order that is under way: the service layer does it, once it has the order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row
from orders.catalog.model import Catalog, Ref
from orders.catalog.wire import reference
from orders.documents import with_items, with_notes
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.interventions import (
    HOLD,
    WAITING_FOR,
    Intervention,
    chosen,
    held_by,
    is_echo,
    is_on_hold,
    not_now,
    waits_for_resume,
)
from orders.life import is_to_wait
from orders.places import Places
from orders.product.amending import amended
from orders.product.bodies import ITEMS
from orders.product.decompose import service_values
from orders.product.handler import SERVICE_ORDER, ProductOrderHandler
from orders.product.jobs import START
from orders.product.model import ItemTask, dump_tasks, load_tasks
from orders.product.reshaping import Reshaping
from orders.states import FINAL, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInterventions:
    """Does what is asked at once, or refuses it."""

    handler: ProductOrderHandler
    places: Places

    def apply(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Do what ``wish`` says, and return the order as it is then; what stands so already is not done again.

        Raises:
            OrderConflict: it cannot be done now; names what can. Nothing was changed.
            UnknownResource: no order has this id.
        """
        row = self.handler.orders.get(uow, order_id)
        try:
            return self._applied(uow, row, wish).document
        except OrderConflict:
            if is_echo(row, wish):
                return row.document
            raise

    def _applied(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if wish.action == "note":
            return self._said(uow, row, wish.reason, wish.by)
        if row.state in FINAL:
            raise not_now(row, wish)
        below = row.task.get(SERVICE_ORDER)
        if wish.is_about_items:
            return self._reshaped(uow, row, wish)
        if wish.action == "amend":
            return self._amended(uow, row, wish)
        if below is None:
            return self._before_it_begins(uow, row, wish)
        if wish.action == "repair":
            wish = replace(wish, item=chosen(row, wish, waiting={"engineer"}))
            if wish.values:
                row, wish = self._with_values(uow, row, wish)
        self.handler.services.intervene(uow, below, wish)
        return row if is_echo(row, wish) else self._said(uow, row, wish.said(), wish.by)

    def _reshaped(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        try:
            found = Reshaping(handler=self.handler, places=self.places).apply(uow, row, wish)
        except InvalidOrder:
            if is_echo(row, wish):
                return row
            raise
        return row if found is row else self._said(uow, found, wish.said(), wish.by)

    def _amended(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        open_items = [
            key
            for key, task in load_tasks(row.task).items()
            if task.action != "delete" and not task.is_bundle and not task.removed
        ]
        found = [key for key in open_items if wish.item in {"", key}]
        if not found:
            legal = ", ".join(open_items) or "none"
            raise InvalidOrder([Problem(path="item", wrong=f"{wish.item!r} cannot be amended", legal=legal)])
        if len(found) > 1:
            raise InvalidOrder([Problem(path="item", wrong="is missing: there are several", legal=", ".join(found))])
        try:
            row, below = self._with_values(uow, row, replace(wish, item=found[0]))
        except InvalidOrder:
            if is_echo(row, wish):
                return row
            raise
        if SERVICE_ORDER in row.task and below.values:
            self.handler.services.intervene(uow, row.task[SERVICE_ORDER], below)
        return self._said(uow, row, wish.said(), wish.by)

    def _with_values(self, uow: UnitOfWork, row: Row, wish: Intervention) -> tuple[Row, Intervention]:
        """Return the order with other characteristics of a product, and the wish as it is about the service.

        Raises:
            InvalidOrder: one is not legal; names its path.
        """
        tasks, catalog = load_tasks(row.task), self.handler.catalog.current(uow)
        before = tasks[wish.item]
        task = amended(catalog, before, wish)
        was, now = service_values(catalog, before), service_values(catalog, task)
        changed = {name: value for name, value in now.items() if name not in was or was[name] != value}
        if not changed and task.offering_id == before.offering_id:
            legal = "a value that differs"
            raise InvalidOrder([Problem(path="characteristic", wrong="changes nothing of the service", legal=legal)])
        document = row.document if wish.offering is None else _sold_by(row.document, catalog, task)
        kept = {**row.task, **dump_tasks({**tasks, task.item_id: task})}
        row = self.handler.orders.save(uow, row, replace(row, document=document, task=kept))
        self.handler.inventory.repaired(uow, row, task)
        return row, replace(wish, item=task.item_id, values=changed, offering=None)

    def _before_it_begins(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if wish.action == "hold" and is_on_hold(row):
            return row
        if wish.action == "hold" and row.state == OrderState.ACKNOWLEDGED:
            row = self._said(uow, row, wish.said(), wish.by, {**row.task, HOLD: held_by(wish, uow.now)})
            row = self._telling(uow, row)
            if is_to_wait(row, uow.now):
                # It has not begun, and the official graph holds no such order: it just is not begun.
                return row
            row = self.handler.all_to(uow, row, OrderState.IN_PROGRESS)
            return self.handler.all_to(uow, row, OrderState.HELD)
        if wish.action == "resume" and is_on_hold(row):
            task = {key: value for key, value in row.task.items() if key != HOLD}
            row = self._telling(uow, self._said(uow, row, wish.said(), wish.by, task))
            if row.state == OrderState.ACKNOWLEDGED:
                uow.enqueue(NewJob(kind=START, lane=row.correlation_id, payload={"order": row.id}))
                return row
            row = self.handler.all_to(uow, row, OrderState.IN_PROGRESS)
            self.handler.begin(uow, row)
            return self.handler.orders.get(uow, row.id)
        if wish.action == "resume" and row.state == OrderState.ACKNOWLEDGED:
            return row
        raise not_now(row, wish)

    def _said(self, uow: UnitOfWork, row: Row, text: str, by: str, task: Mapping[str, Any] | None = None) -> Row:
        document = with_notes(row.document, uow.now, [text], author=by)
        after = replace(row, document=document, task=row.task if task is None else task)
        return self.handler.orders.save(uow, row, after)

    def _telling(self, uow: UnitOfWork, row: Row) -> Row:
        kept = {key: value for key, value in row.document.items() if key != WAITING_FOR}
        waiting = waits_for_resume(row)
        document = {**kept, WAITING_FOR: waiting} if waiting else kept
        return self.handler.orders.save(uow, row, replace(row, document=document))


def _sold_by(document: Document, catalog: Catalog, task: ItemTask) -> Document:
    sold = reference("productOffering", catalog.offering(Ref(id=task.offering_id, version=task.offering_version)))
    return with_items(
        document, ITEMS, lambda item: {**item, "productOffering": sold} if item["id"] == task.item_id else item
    )
