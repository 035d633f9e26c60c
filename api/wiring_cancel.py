"""Wires the tasks that cancel orders: what a client may cancel at which door."""

from collections.abc import Callable, Mapping

from api.front_door import FrontDoor
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore
from orders.interventions import Intervention
from orders.life import OrderLife
from orders.product.layer import ProductOrdering
from orders.resource.layer import ResourceOrdering
from orders.service.layer import ServiceOrdering


def cancel_creates(
    product: ProductOrdering, service: ServiceOrdering, resource: ResourceOrdering, door: FrontDoor
) -> Mapping[str, Callable[[UnitOfWork, Document], Document]]:
    """Return how each kind of cancel task is made, by its name; an order of another order is cancelled with that."""

    def cancel_service_order(uow: UnitOfWork, body: Document) -> Document:
        door.check_cancel(uow, body, "serviceOrder")
        return service.cancels.asked(uow, body)

    def cancel_resource_order(uow: UnitOfWork, body: Document) -> Document:
        door.check_cancel(uow, body, "resourceOrder")
        return resource.cancels.asked(uow, body)

    return {
        "cancelProductOrder": product.cancels.asked,
        "cancelServiceOrder": cancel_service_order,
        "cancelResourceOrder": cancel_resource_order,
    }


def order_lives(
    product: ProductOrdering, service: ServiceOrdering, resource: ResourceOrdering
) -> Mapping[str, OrderLife]:
    """Return what clients do with placed orders, by the name of their collection."""
    return {life.orders.kind: life for life in (product.life, service.life, resource.life)}


def interventions(
    product: ProductOrdering, service: ServiceOrdering
) -> Mapping[str, tuple[DocumentStore, Callable[[UnitOfWork, str, Intervention], Document]]]:
    """Return what people can ask of orders under way, by their kind; a resource order is over in one step."""
    return {
        product.orders.kind: (product.orders, product.intervene),
        service.orders.kind: (service.orders, service.intervene),
    }
