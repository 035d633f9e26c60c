"""Wires what one layer takes from the layer above where that is another process."""

from collections.abc import Mapping

from api.http.collections import LayerCreate
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from orders.cancellation import CancelTasks
from orders.resource.layer import ResourceOrdering
from orders.service.layer import ServiceOrdering


def layer_creates(service: ServiceOrdering, resource: ResourceOrdering) -> Mapping[str, LayerCreate]:
    """Return how orders and cancel tasks of the layer above are taken in, by the name of their collection."""

    def service_order(uow: UnitOfWork, body: Document, correlation_id: str) -> Document:
        return service.orders.get(uow, service.place(uow, body, correlation_id=correlation_id)).document

    def resource_order(uow: UnitOfWork, body: Document, correlation_id: str) -> Document:
        return resource.orders.get(uow, resource.place(uow, body, correlation_id=correlation_id)).document

    return {
        "serviceOrder": service_order,
        "resourceOrder": resource_order,
        "cancelServiceOrder": _cancelling(service.cancels),
        "cancelResourceOrder": _cancelling(resource.cancels),
    }


def _cancelling(cancels: CancelTasks) -> LayerCreate:
    def cancel(uow: UnitOfWork, body: Document, correlation_id: str) -> Document:
        return cancels.asked_above(uow, body, correlation_id=correlation_id)

    return cancel
