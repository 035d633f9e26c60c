"""What the front door refuses although a layer would do it: taking away what somebody else still stands on.

The layers take such orders from each other when they undo their own work; over HTTP they would break a live service.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from api.runtime.history import moves_of
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.items import pathed

ACTIVE = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """The stores of the layers above and below, read together."""

    product_orders: DocumentStore
    service_orders: DocumentStore
    resource_orders: DocumentStore
    services: DocumentStore
    resources: DocumentStore
    is_whole: bool = True
    """Whether the layers above are in this process; elsewhere, what came from them is known by its chain alone."""

    def check_resource_order(self, uow: UnitOfWork, order: Document) -> None:
        """Accept an order that takes away only resources nobody uses.

        Raises:
            InvalidOrder: a resource is unknown, or was never reserved.
            OrderConflict: an active service uses a resource; names the service.
        """
        for path, key in _deleted(order, "orderItem", "resource"):
            resource = self.resources.find(uow, key)
            if resource is None or resource.external_id is None:
                raise InvalidOrder([Problem(path=path, wrong=f"no reserved resource {key!r}", legal="a reserved one")])
            owner = self.resource_orders.find(uow, resource.external_id.partition(":")[0])
            if not self.is_whole and owner is not None and owner.correlation_id != owner.id:
                raise OrderConflict(path, key, f"was reserved in the chain {owner.correlation_id!r} of the layer above")
            # The service layer calls its resource orders by the service that needs the resource.
            service_id = ((owner.external_id if owner else None) or "").rpartition(":")[2]
            service = self.services.find(uow, service_id)
            if service is not None and service.state == ACTIVE:
                raise OrderConflict(path, key, f"is used by the active service {service_id!r}; cease that first")

    def check_service_order(self, uow: UnitOfWork, order: Document) -> None:
        """Accept an order that ends only services no product stands on.

        Raises:
            OrderConflict: a product order made the service; names it.
        """
        for path, key in _deleted(order, "serviceOrderItem", "service"):
            service = self.services.find(uow, key)
            maker = self.product_orders.find(uow, service.correlation_id) if service is not None else None
            if maker is not None:
                raise OrderConflict(path, key, f"belongs to product order {maker.id!r}; cease its product instead")
            if service is not None and self._is_from_above(uow, service.correlation_id):
                reason = f"belongs to the chain {service.correlation_id!r} of the layer above; cease it there instead"
                raise OrderConflict(path, key, reason)

    def check_cancel(self, uow: UnitOfWork, task: Document, kind: str) -> None:
        """Accept the cancelling of an order that no other order sent; what is wrong with ``task`` the layer says.

        Raises:
            OrderConflict: an order of the layer above sent it; names that.
        """
        named = task.get(kind)
        order = self._order(uow, kind, str(named.get("id", ""))) if isinstance(named, dict) else None
        if order is None or order.external_id is None:
            return
        above, kind_above = (
            (self.product_orders, "product order") if kind == "serviceOrder" else (self.service_orders, "service order")
        )
        if not self.is_whole and order.correlation_id != order.id:
            reason = f"was sent by the layer above, in its chain {order.correlation_id!r}; cancel it there instead"
            raise OrderConflict(f"{kind}.id", order.id, reason)
        sender = above.find(uow, order.external_id.partition(":")[0])
        if sender is not None:
            raise OrderConflict(f"{kind}.id", order.id, f"was sent by {kind_above} {sender.id!r}; cancel that instead")

    def _is_from_above(self, uow: UnitOfWork, chain: str) -> bool:
        # Orders can be deleted once they have ended; their history stays.
        return not self.is_whole and not moves_of(uow.connection, [chain])

    def _order(self, uow: UnitOfWork, kind: str, key: str) -> Row | None:
        return (self.service_orders if kind == "serviceOrder" else self.resource_orders).find(uow, key)


def _deleted(order: Document, items: str, target: str) -> Iterator[tuple[str, str]]:
    for path, item in pathed(order, items):
        if item["action"] == "delete":
            yield f"{path}.{target}.id", str(item[target]["id"])
