"""Items that come to a product order under way, and items that go from it; the others are left alone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row
from orders.catalog.model import Catalog, Ref
from orders.errors import OrderConflict, Problem
from orders.inbound import refuse
from orders.interventions import Intervention, is_on_hold, not_now, to_remove
from orders.items import flat
from orders.places import Places
from orders.product.accepting import acknowledged_items, claims_of, tasks_of
from orders.product.bodies import ITEMS
from orders.product.bundle import with_parts
from orders.product.decompose import service_order
from orders.product.handler import SERVICE_ORDER, ProductOrderHandler, own_work
from orders.product.intake import check_order, named_products, read_order, related_products
from orders.product.inventory import CLAIMS
from orders.product.model import ItemTask, dump_tasks, load_tasks
from orders.states import FINAL, LEAVING, ON_THE_WAY, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshaping:
    """Checks what comes as a new order is checked and what goes as a cancel is, and hands both on to SOM."""

    handler: ProductOrderHandler
    places: Places

    def apply(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        """Return the order with the items of ``wish`` added, and those removed that it names.

        Raises:
            InvalidOrder: an item that cannot be ordered, or is not there; names its path.
            OrderConflict: it is too late for that; says why, and what is legal.
            MappingError: the catalog cannot decompose what comes.
        """
        if wish.service_items:
            refuse([Problem(path="serviceOrderItem", wrong="is not known to a product order", legal=ITEMS)])
        if row.state not in ON_THE_WAY:
            raise not_now(row, wish)
        keys = going(row, wish.remove)
        if wish.remove and not keys and not wish.product_items:
            return row
        tasks = load_tasks(row.task)
        come = self._checked(uow, row, wish, tasks)
        row = self._taken_in(uow, row, *come)
        refuse(_problems(self.handler.catalog.current(uow), row, load_tasks(row.task), keys))
        self._refuse_late(uow, row, keys)
        row = self._taken_out(uow, row, keys)
        below = row.task.get(SERVICE_ORDER)
        if below is None:
            return row
        items = service_order(self.handler.catalog.current(uow), row.document, come[1].values())["serviceOrderItem"]
        gone = tuple(key for key in keys if key in tasks and not tasks[key].is_bundle)
        self.handler.services.intervene(
            uow, below, replace(wish, product_items=(), service_items=tuple(items), remove=gone)
        )
        return self.handler.orders.get(uow, row.id)

    def _checked(
        self, uow: UnitOfWork, row: Row, wish: Intervention, tasks: Mapping[str, ItemTask]
    ) -> tuple[Sequence[Document], dict[str, ItemTask], Mapping[str, str]]:
        """Return the items that come, what they are about, and the products that they rely on."""
        if not wish.product_items:
            return (), {}, {}
        catalog, inventory = self.handler.catalog.current(uow), self.handler.inventory
        # What comes stands first, so that a problem has the path that the client wrote.
        body = {ITEMS: [*wish.product_items, *map(_stub, row.document[ITEMS])]}
        order, document = read_order(body)
        products = inventory.family(uow, {**related_products(order), **named_products(order)})
        completed = with_parts(document, catalog, products)
        if completed is not document:
            order, document = read_order(completed)
        named, related = named_products(order), related_products(order)
        there = [task for task in tasks.values() if not task.removed]
        checked = check_order(order, document, catalog, products, lambda key: self.places.attributes(uow, key), there)
        come = tasks_of(checked, tasks)
        mine = {*row.task.get(CLAIMS, ()), *(task.product_id for task in tasks.values())}
        claims = {key: path for key, path in claims_of(come.values(), related).items() if key not in mine}
        inventory.refuse_busy(uow, {**claims, **named})
        items = acknowledged_items({ITEMS: document[ITEMS][: len(wish.product_items)]}, come)[ITEMS]
        return items, come, claims

    def _taken_in(
        self,
        uow: UnitOfWork,
        row: Row,
        items: Sequence[Document],
        come: Mapping[str, ItemTask],
        claims: Mapping[str, str],
    ) -> Row:
        if not items:
            return row
        handler = self.handler
        document = {**row.document, ITEMS: [*row.document[ITEMS], *items]}
        task = {**row.task, **dump_tasks({**load_tasks(row.task), **come})}
        if claims:
            task[CLAIMS] = sorted({*row.task.get(CLAIMS, ()), *claims})
        # Decomposed once before anything is stored: what the catalog cannot map is refused at the door.
        service_order(handler.catalog.current(uow), document, come.values())
        after = replace(row, document=document, task=task)
        for each in come.values():
            handler.inventory.accepted(uow, row, each)
        handler.inventory.claim(uow, claims, row.id)
        if SERVICE_ORDER in row.task:
            for each in come.values():
                handler.inventory.started(uow, row, each)
        saved = handler.orders.save(uow, row, after)
        return handler.save(uow, saved, _first_states(saved, items, come))

    def _refuse_late(self, uow: UnitOfWork, row: Row, keys: Collection[str]) -> None:
        tasks, states = load_tasks(row.task), own_work(row)
        if keys and is_on_hold(row) and SERVICE_ORDER in row.task:
            raise OrderConflict("remove", row.id, "is on hold; legal: resume it first, or cancel the order")
        for key in keys:
            state = states.get(key)
            if state in FINAL and state is not OrderState.COMPLETED:
                raise OrderConflict("remove", row.id, f"item {key!r} is {state}: nothing of it is left to undo")
            changed = (
                self.handler.inventory.changed_since(uow, row, tasks[key]) if state is OrderState.COMPLETED else ""
            )
            if changed:
                raise OrderConflict("remove", row.id, f"item {key!r}: {changed}; legal: an order that changes it")

    def _taken_out(self, uow: UnitOfWork, row: Row, keys: Collection[str]) -> Row:
        if not keys:
            return row
        tasks = load_tasks(row.task)
        out = {key: replace(tasks[key], removed=True) for key in keys if key in tasks}
        row = self.handler.orders.save(uow, row, replace(row, task={**row.task, **dump_tasks({**tasks, **out})}))
        if SERVICE_ORDER in row.task:
            return row
        self.handler.end(uow, row, dict.fromkeys(keys, OrderState.CANCELLED), {}, [])
        return self.handler.orders.get(uow, row.id)


def going(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    """Return the items that go, with all that they hold; those that have gone already are left out.

    Raises:
        InvalidOrder: the order has no such item, or it changes nothing; names those that it has.
    """
    tasks = load_tasks(row.task)
    leaving = {item["id"] for item in flat(row.document, ITEMS) if item["state"] in LEAVING}
    found = to_remove(row.document, ITEMS, keys, {key: task.removed for key, task in tasks.items()})
    return tuple(key for key in found if not (tasks[key].removed and key in leaving))


def _stub(item: Document) -> dict[str, Any]:
    """Return an item that is there already, as what comes may relate to it."""
    inner = [_stub(each) for each in item.get(ITEMS, ())]
    return {"id": item["id"], "action": "noChange", **({ITEMS: inner} if inner else {})}


def _first_states(row: Row, items: Sequence[Document], come: Mapping[str, ItemTask]) -> dict[str, OrderState]:
    keys = [each["id"] for each in flat({ITEMS: items}, ITEMS)]
    if SERVICE_ORDER not in row.task:
        state = OrderState(row.state)
        return {} if state is OrderState.ACKNOWLEDGED else dict.fromkeys(keys, state)
    return {key: OrderState.IN_PROGRESS if key in come else OrderState.COMPLETED for key in keys}


def _problems(catalog: Catalog, row: Row, tasks: Mapping[str, ItemTask], keys: Collection[str]) -> Iterator[Problem]:
    left = {key: task for key, task in tasks.items() if key not in keys and not task.removed}
    if keys and all(task.is_bundle for task in left.values()):
        yield Problem(path="remove", wrong="would leave nothing of the order", legal="cancel the order")
    gone = {*keys, *(key for key, task in tasks.items() if task.removed)}
    for key, task in left.items():
        for other in sorted(gone & {*task.after, *task.relied_items}):
            wrong = f"item {key!r} waits for item {other!r}, or relies on it"
            yield Problem(path="remove", wrong=wrong, legal=f"remove {key!r} too, or neither")
    for key in keys:
        yield from _bundle_problems(catalog, tasks[key], left, row)


def _bundle_problems(catalog: Catalog, part: ItemTask, left: Mapping[str, ItemTask], row: Row) -> Iterator[Problem]:
    bundle = next((task for task in left.values() if task.is_bundle and task.product_id == part.bundle), None)
    if bundle is None:
        return
    offering = catalog.offering(Ref(id=bundle.offering_id, version=bundle.offering_version))
    lower = next((each.lower for each in offering.bundles if each.offering == part.offering_id), 0)
    same = [task for task in left.values() if (task.bundle, task.offering_id) == (part.bundle, part.offering_id)]
    if bundle.action == "add" and part.action == "add" and len(same) >= lower:
        return
    wrong = f"item {part.item_id!r} is a part of bundle item {bundle.item_id!r}, which needs it as ordered"
    legal = f"remove {bundle.item_id!r} with all its parts, or change the bundle once order {row.id} has ended"
    yield Problem(path="remove", wrong=wrong, legal=legal)
