"""What becomes of checked items when an order takes them in: ids, services of their own, claims and first states."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import uuid4

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from orders.documents import href, with_items
from orders.errors import OrderConflict
from orders.service.bodies import ITEMS
from orders.service.intake import ServiceOrder
from orders.service.inventory import ServiceInventory
from orders.service.model import ItemTask
from orders.states import OrderState


def tasks_of(checked: ServiceOrder, there: Mapping[str, ItemTask] | None = None) -> dict[str, ItemTask]:
    """Return the items by id, each with its service; an added one has a new id.

    ``there`` are the items that the order has already.
    """
    known = {key: task.service_id for key, task in (there or {}).items()}
    ids = known | {item.item_id: item.service_id or str(uuid4()) for item in checked.items}
    return {
        item.item_id: ItemTask(
            item_id=item.item_id,
            action=item.action,
            service_id=ids[item.item_id],
            composition=replace(
                item.composition,
                relied={**item.composition.relied, **{key: ids[other] for key, other in item.relied.items()}},
            )
            if item.relied
            else item.composition,
            after=item.after,
        )
        for item in checked.items
    }


def claim(inventory: ServiceInventory, uow: UnitOfWork, checked: ServiceOrder, order_id: str) -> None:
    """Note that the order is in flight for what its items change, and for what they rely on."""
    for item in checked.items:
        if item.service_id is not None:
            inventory.claim(uow, item.service_id, order_id)
        inventory.hold(uow, item.composition.relied.values(), order_id)


def refuse_relied(
    inventory: ServiceInventory, uow: UnitOfWork, checked: ServiceOrder, paths: Mapping[str, str]
) -> None:
    """Do nothing where nothing that stays relies on what the items cease.

    Raises:
        OrderConflict: something does; names it.
    """
    ceased = {item.service_id for item in checked.items if item.action == "delete"}
    for service_id in sorted(key for key in ceased if key is not None):
        left = [key for key in inventory.relying(uow, service_id) if key not in ceased]
        if left:
            reason = f"is relied on by service {', '.join(left)}; cease that first, or in the same order"
            raise OrderConflict(paths[service_id], service_id, reason)


def acknowledged_items(document: Document, tasks: Mapping[str, ItemTask]) -> Document:
    """Return ``document`` with its items acknowledged, each with its service."""

    def change(item: Document) -> Document:
        state = {"state": OrderState.ACKNOWLEDGED, "@type": item.get("@type", "ServiceOrderItem")}
        task = tasks.get(item["id"])
        if task is None:
            return {**item, **state}
        own = {"id": task.service_id, "href": href("service", task.service_id)}
        return {**item, **state, "service": {"@type": "Service", **item["service"], **own}}

    return with_items(document, ITEMS, change)
