"""What a product relies on: named by the order, or beside it in its bundle. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orders.catalog.model import Catalog
from orders.dependencies import STANDING, WAITING
from orders.errors import Problem
from orders.items import Placed
from orders.product.bodies import ProductOrderItemBody
from orders.product.decompose import product_of
from orders.product.model import ItemTask

Item = Placed[ProductOrderItemBody]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliances:
    """Finds for each added product what it relies on.

    Attributes:
        placed: the order's items by id.
        items: what they are about.
        products: the existing products that the order has to do with.
        there: items that were taken in before.
    """

    catalog: Catalog
    placed: Mapping[str, Item]
    items: Sequence[ItemTask]
    products: Mapping[str, ItemTask]
    there: Sequence[ItemTask] = ()

    def completed(self) -> tuple[ItemTask, ...]:
        """Return the items with what they rely on, as far as it is there."""
        return tuple(self._completed(task) for task in self.items)

    def problems(self) -> Iterator[Problem]:
        """Yield what is needed and not there, or there twice, and what is taken away from who relies on it."""
        for task in self.items:
            path = self.placed[task.item_id].path
            for needed in self._needed(task):
                found = self._found(task, needed)
                if len(found) != 1:
                    wrong = f"{task.offering_id!r} relies on one product made by {needed!r}; {len(found)} are there"
                    legal = "reliesOn with the id of a product, a relationship to an item, or one in the same bundle"
                    yield Problem(path=f"{path}.product.productRelationship", wrong=wrong, legal=legal)
        yield from self._taken_away()

    def _taken_away(self) -> Iterator[Problem]:
        ceased = {each.product_id for each in self.items if each.action == "delete"}
        for each in self.items:
            left = [key for key in each.relying if key not in ceased] if each.action == "delete" else []
            if left:
                wrong = f"product {', '.join(left)} relies on {each.product_id!r}"
                legal = "cease that first, or in the same order"
                yield Problem(path=f"{self.placed[each.item_id].path}.product.id", wrong=wrong, legal=legal)

    def _completed(self, task: ItemTask) -> ItemTask:
        for needed in self._needed(task):
            for other in self._found(task, needed)[:1]:
                task = _with(task, other)
        return task

    def _found(self, task: ItemTask, needed: str) -> tuple[ItemTask, ...]:
        for candidates in (self._named(task), self._beside(task)):
            right = [each for each in candidates if self._is(each, needed)]
            found = {each.product_id or f"item {each.item_id}": each for each in right}
            if found:
                return tuple(found.values())
        return ()

    def _needed(self, task: ItemTask) -> tuple[str, ...]:
        use = product_of(self.catalog, task).realized_by if task.action == "add" else None
        return self.catalog.customer_service(use.specification).relies_on if use is not None else ()

    def _is(self, task: ItemTask, needed: str) -> bool:
        use = product_of(self.catalog, task).realized_by
        return use is not None and use.specification.id == needed

    def _named(self, task: ItemTask) -> Iterator[ItemTask]:
        item = self.placed[task.item_id].item
        ordered = {each.item_id: each for each in (*self.there, *self.items) if each.action != "delete"}
        for relation in item.product_order_item_relationship:
            if (relation.relationship_type or "").casefold() in WAITING and relation.id in ordered:
                yield ordered[relation.id]
        known = {each.product_id: each for each in ordered.values()}
        for key in named_reliances(item):
            if key in self.products:
                yield known.get(key, self.products[key])

    def _beside(self, task: ItemTask) -> Iterator[ItemTask]:
        """Yield the other parts of its bundle: those ordered with it, those that stay, those that were there before."""
        bundle = next((each for each in self.items if each.item_id == task.bundle_item), None)
        if bundle is None:
            return
        yield from (each for each in self.items if each.bundle_item == task.bundle_item and each.action != "delete")
        ordered = {each.product_id for each in self.items}
        for key in dict.fromkeys((*bundle.adopts, *bundle.parts)):
            if key in self.products and key not in ordered:
                yield self.products[key]


def named_reliances(item: ProductOrderItemBody) -> Iterator[str]:
    """Return the ids of the existing products that an added one is said to rely on."""
    if item.action != "add" or item.product is None:
        return
    for related in item.product.product_relationship:
        if related.relationship_type.casefold() in STANDING and related.product is not None and related.product.id:
            yield related.product.id


def _with(task: ItemTask, other: ItemTask) -> ItemTask:
    if other.item_id:
        waits = tuple(dict.fromkeys((*task.after, other.item_id)))
        task = replace(task, relied_items=(*task.relied_items, other.item_id), after=waits)
    elif other.service_id is not None:
        task = replace(task, relied_services=(*task.relied_services, other.service_id))
    return replace(task, relied_products=(*task.relied_products, other.product_id)) if other.product_id else task
