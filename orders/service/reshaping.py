"""Items that come to a service order under way, and items that go from it; the others are left alone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row
from orders.documents import with_notes
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import refuse
from orders.interventions import Intervention, is_echo, is_on_hold, not_now, to_remove
from orders.items import flat
from orders.places import Places
from orders.service.accepting import acknowledged_items, claim, refuse_relied, tasks_of
from orders.service.bodies import ITEMS
from orders.service.handler import ServiceOrderHandler
from orders.service.intake import ServiceItem, check_order, named_services, read_order, relied_services
from orders.service.model import ItemTask, dump_tasks, load_tasks
from orders.service.progress import save_progress
from orders.service.undo import Undo, needs_undoing, no_return
from orders.states import ON_THE_WAY, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshaping:
    """Takes items in as a new order does, and undoes items as a cancel does."""

    handler: ServiceOrderHandler
    places: Places

    def apply(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        """Return the order with the items of ``wish`` added, and those on their way out that it removes.

        Raises:
            InvalidOrder: an item that cannot be ordered, or is not there; names its path.
            OrderConflict: past a point of no return, or too late for the order; says why, and what is legal.
        """
        if wish.product_items:
            refuse([Problem(path="productOrderItem", wrong="is not known to a service order", legal=ITEMS)])
        if row.state not in ON_THE_WAY:
            raise not_now(row, wish)
        try:
            keys = _going(row, wish.remove)
            if not keys and not wish.service_items:
                return row
            row = self._taken_in(uow, row, wish.service_items)
        except InvalidOrder:
            if is_echo(row, wish):
                return row
            raise
        refuse(_problems(load_tasks(row.task), keys))
        self._refuse_late(uow, row, keys)
        row = self._said(uow, row, wish)
        return self._go_on(uow, self._taken_out(uow, row, keys))

    def _taken_in(self, uow: UnitOfWork, row: Row, items: Sequence[Document]) -> Row:
        if not items:
            return row
        tasks, steps = load_tasks(row.task), self.handler.steps
        # What comes stands first, so that a problem has the path that the client wrote.
        order, document = read_order({ITEMS: [*items, *map(_stub, row.document[ITEMS])]})
        named, relied = named_services(order), relied_services(order)
        services = steps.inventory.compositions(uow, {**relied, **named})
        there = [_as_item(task) for task in tasks.values() if not task.removed]
        catalog = steps.catalog.current(uow)
        checked = check_order(order, document, catalog, services, lambda key: self.places.attributes(uow, key), there)
        come = tasks_of(checked, tasks)
        new = {ITEMS: document[ITEMS][: len(items)]}
        refuse(_unchanging(new, come))
        held = {key for task in tasks.values() for key in task.composition.relied.values()}
        made = {task.service_id for task in tasks.values()}
        steps.inventory.refuse_busy(uow, {**{k: path for k, path in relied.items() if k not in held | made}, **named})
        refuse_relied(steps.inventory, uow, checked, named)
        claim(steps.inventory, uow, checked, row.id)
        if is_on_hold(row) and row.state != OrderState.ACKNOWLEDGED:
            come = {key: replace(task, state=OrderState.HELD) for key, task in come.items()}
        document = {**row.document, ITEMS: [*row.document[ITEMS], *acknowledged_items(new, come)[ITEMS]]}
        task = {**row.task, **dump_tasks({**tasks, **come})}
        return self.handler.orders.save(uow, row, replace(row, document=document, task=task))

    def _refuse_late(self, uow: UnitOfWork, row: Row, keys: Collection[str]) -> None:
        tasks = load_tasks(row.task)
        if keys and is_on_hold(row):
            raise OrderConflict("remove", row.id, "is on hold; legal: resume it first, or cancel the order")
        for key in keys:
            if not needs_undoing(tasks[key]):
                raise OrderConflict(
                    "remove", row.id, f"item {key!r} is {tasks[key].state}: nothing of it is left to undo"
                )
        steps = self.handler.steps
        leaving = {key: tasks[key] for key in keys}
        passed = no_return(uow, row, leaving, steps.catalog.current(uow), steps.inventory)
        if passed:
            raise OrderConflict(
                "remove", row.id, f"{passed}; legal: an order that ceases or changes it once it has ended"
            )

    def _taken_out(self, uow: UnitOfWork, row: Row, keys: Collection[str]) -> Row:
        tasks = load_tasks(row.task)
        if not keys:
            return row
        out = {key: replace(tasks[key], removed=True) for key in keys}
        assessed = {key: _moved(task, OrderState.ASSESSING_CANCELLATION) for key, task in out.items()}
        row = save_progress(self.handler.orders, uow, row, {**tasks, **assessed})
        pending = {
            key: replace(task, state=OrderState.PENDING_CANCELLATION, undone=task.state is OrderState.COMPLETED)
            for key, task in out.items()
        }
        return save_progress(self.handler.orders, uow, row, {**tasks, **pending})

    def _go_on(self, uow: UnitOfWork, row: Row) -> Row:
        tasks = load_tasks(row.task)
        if row.state != OrderState.ACKNOWLEDGED:
            return self.handler.save(uow, row, tasks)
        # Nothing of it has begun, and nothing of it begins by this.
        undo = Undo(steps=self.handler.steps)
        out = {key: undo.begin(uow, row, task, "") for key, task in tasks.items() if task.is_leaving}
        return save_progress(self.handler.orders, uow, row, {**tasks, **out})

    def _said(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        document = with_notes(row.document, uow.now, [wish.said()], author=wish.by)
        return self.handler.orders.save(uow, row, replace(row, document=document))


def _going(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the items that go, with all that they hold; those that are on their way already are left out.

    Raises:
        InvalidOrder: the order has no such item, or it changes nothing; names those that it has.
    """
    tasks = load_tasks(row.task)
    found = to_remove(row.document, ITEMS, keys, {key: task.removed for key, task in tasks.items()})
    return tuple(key for key in found if not (tasks[key].is_leaving or tasks[key].is_undoing))


def _moved(task: ItemTask, to: OrderState) -> ItemTask:
    return task if task.state is OrderState.COMPLETED else replace(task, state=to)


def _stub(item: Document) -> dict[str, Any]:
    """Return an item that is there already, as what comes may relate to it."""
    inner = [_stub(each) for each in item.get(ITEMS, ())]
    return {"id": item["id"], "action": "noChange", "service": {}, **({ITEMS: inner} if inner else {})}


def _as_item(task: ItemTask) -> ServiceItem:
    return ServiceItem(
        item_id=task.item_id, action=task.action, service_id=task.service_id, composition=task.composition
    )


def _unchanging(new: Document, come: Mapping[str, ItemTask]) -> Iterator[Problem]:
    for item in flat(new, ITEMS):
        if item["id"] not in come:
            yield Problem(path=ITEMS, wrong=f"item {item['id']!r} changes nothing", legal="add, modify, delete")


def _problems(tasks: Mapping[str, ItemTask], keys: Collection[str]) -> Iterator[Problem]:
    left = {key: task for key, task in tasks.items() if key not in keys and not task.removed}
    if keys and not left:
        yield Problem(path="remove", wrong="would leave nothing of the order", legal="cancel the order")
    gone = {*keys, *(key for key, task in tasks.items() if task.removed)}
    for key, task in left.items():
        for other in sorted(gone.intersection(task.after)):
            yield Problem(path="remove", wrong=f"item {key!r} waits for item {other!r}", legal=f"remove {key!r} too")
