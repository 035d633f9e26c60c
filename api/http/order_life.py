"""PATCH and DELETE of orders: amended while their life cycle allows it, deleted once they have ended."""

from fastapi import APIRouter

from api.http.layers import served
from api.http.patches import Change, Patch, Remove, add_delete, add_patch
from api.system import System
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore
from inventory.tables import resources
from orders.errors import OrderConflict
from orders.life import OrderLife

_RESOURCES = DocumentStore(table=resources, kind="resource", domain="inventory")


def add_order_life(router: APIRouter, system: System) -> None:
    """Add PATCH and DELETE of product, service and resource orders."""
    for collection in served(system):
        life = system.order_lives.get(collection.name)
        if life is not None:
            add_patch(router, collection, life.orders, system.database, _amending(life))
            add_delete(router, collection, life.orders, system.database, _forgetting(life))


def _amending(life: OrderLife) -> Change:
    def amend(uow: UnitOfWork, key: str, patch: Patch) -> Document:
        before = life.orders.get(uow, key).document
        return life.amend(uow, key, patch.changes(before), patch.applied_to(before))

    return amend


def _forgetting(life: OrderLife) -> Remove:
    def forget(uow: UnitOfWork, key: str) -> None:
        refuse_owner(uow, life.orders.get(uow, key).document)
        life.forget(uow, key)

    return forget


def refuse_owner(uow: UnitOfWork, order: Document) -> None:
    """Do nothing where the order holds no resource: a reservation is known by the order that made it.

    Raises:
        OrderConflict: it does; names the resource.
    """
    for number, item in enumerate(order.get("orderItem", ())):
        held = item.get("resource", {}).get("id")
        if held and item["action"] == "add" and _RESOURCES.find(uow, held) is not None:
            path = f"orderItem[{number}].resource.id"
            raise OrderConflict(path, held, "is still reserved by this order; release it first")
