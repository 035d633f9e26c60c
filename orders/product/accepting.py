"""What becomes of checked items when an order takes them in: ids, products of their own, and first states. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import uuid4

from inventory.documents import Document
from orders.documents import href, with_items
from orders.product.bodies import ITEMS
from orders.product.intake import ProductOrder
from orders.product.model import ItemTask
from orders.states import OrderState


def tasks_of(checked: ProductOrder, there: Mapping[str, ItemTask] | None = None) -> dict[str, ItemTask]:
    """Return the items by id, each with the product that it is about; an added one has a new id.

    ``there`` are the items that the order has already.
    """
    known = {key: task.product_id for key, task in (there or {}).items()}
    ids = known | {item.item_id: item.product_id or str(uuid4()) for item in checked.items}
    return {
        item.item_id: replace(
            item,
            product_id=ids[item.item_id],
            bundle=ids.get(item.bundle_item, item.bundle),
            relied_products=tuple(dict.fromkeys((*item.relied_products, *(ids[key] for key in item.relied_items)))),
        )
        for item in checked.items
    }


def claims_of(items: Iterable[ItemTask], related: Mapping[str, str]) -> dict[str, str]:
    """Return the products that no other order may change meanwhile, though no item does: product id to path."""
    items = tuple(items)
    own = {item.product_id for item in items if item.product_id}
    found: dict[str, str] = {}
    for item in items:
        for key in (item.bundle, *item.adopts, *item.relied_products):
            if key and key not in own:
                found.setdefault(key, related.get(key, ITEMS))
    return found


def acknowledged_items(document: Document, tasks: Mapping[str, ItemTask]) -> Document:
    """Return ``document`` with its items acknowledged, each with the product that it is about."""

    def change(item: Document) -> Document:
        state = {"state": OrderState.ACKNOWLEDGED, "@type": item.get("@type", "ProductOrderItem")}
        task = tasks.get(item["id"])
        if task is None:
            return {**item, **state}
        own = {"id": task.product_id, "href": href("product", task.product_id)}
        return {**item, **state, "product": {"@type": "Product", **item.get("product", {}), **own}}

    return with_items(document, ITEMS, change)
