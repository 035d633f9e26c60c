"""SOM: takes TMF641 service orders in and lets the handler move them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from activation.contracts import ServiceActivation
from inventory.documents import Document
from inventory.ledger import Handler, NewJob, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.catalog.model import Catalog
from orders.documents import href, stamp, with_items
from orders.service.contracts import ResourceOrdering
from orders.service.handler import ServiceOrderHandler
from orders.service.intake import ServiceOrder, check_order, named_services, read_order
from orders.service.inventory import ServiceInventory
from orders.service.model import ItemTask, dump_tasks
from orders.service.tables import service_orders
from orders.states import OrderState

START: Final = "service.start"
FOLLOW_RESOURCE_ORDER: Final = "service.follow_resource_order"
FOLLOW_MONITOR: Final = "service.follow_monitor"


def service_order_store() -> DocumentStore:
    """Return the store of TMF641 service orders."""
    return DocumentStore(table=service_orders, kind="serviceOrder", domain="service", created="orderDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrdering:
    """The layer, as :class:`orders.product.contracts.ServiceOrdering` wants it."""

    catalog: Catalog
    resources: ResourceOrdering
    activation: ServiceActivation
    orders: DocumentStore = field(default_factory=service_order_store)

    def place(self, uow: UnitOfWork, order: Document, *, correlation_id: str | None = None) -> str:
        """Store the order and return its id; an ``externalId`` seen before gives the order it was first sent with.

        Raises:
            InvalidOrder: with every problem; nothing was stored.
            OrderConflict: a service is terminated or has an order in flight; nothing was stored.
        """
        body, document = read_order(order)
        known = self.orders.by_external_id(uow, body.external_id) if body.external_id else None
        if known is not None:
            return known.id
        named = named_services(body)
        services = self._inventory.compositions(uow, named)
        checked = check_order(body, document, self.catalog, services)
        self._inventory.refuse_busy(uow, named)
        return self._store(uow, checked, correlation_id)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the layer's work by job kind."""
        handler = ServiceOrderHandler(
            catalog=self.catalog,
            orders=self.orders,
            inventory=self._inventory,
            resources=self.resources,
            activation=self.activation,
        )
        return {
            START: handler.start,
            FOLLOW_RESOURCE_ORDER: handler.follow_resource_order,
            FOLLOW_MONITOR: handler.follow_monitor,
        }

    def subscriptions(self) -> Mapping[str, str]:
        """Return the event types the layer follows, each with its job kind."""
        return {
            "ResourceOrderStateChangeEvent": FOLLOW_RESOURCE_ORDER,
            "MonitorAttributeValueChangeEvent": FOLLOW_MONITOR,
            "MonitorStateChangeEvent": FOLLOW_MONITOR,
        }

    @property
    def _inventory(self) -> ServiceInventory:
        return ServiceInventory(catalog=self.catalog)

    def _store(self, uow: UnitOfWork, checked: ServiceOrder, correlation_id: str | None) -> str:
        order_id = str(uuid4())
        tasks = _tasks(checked)
        lane = correlation_id or order_id
        row = Row(
            id=order_id,
            state=OrderState.ACKNOWLEDGED,
            correlation_id=lane,
            external_id=checked.external_id,
            document=_acknowledged(checked.document, order_id, stamp(uow.now), tasks),
            task=dump_tasks(tasks),
        )
        self.orders.insert(uow, row)
        for item in checked.items:
            if item.service_id is not None:
                self._inventory.claim(uow, item.service_id, order_id)
        uow.enqueue(NewJob(kind=START, lane=lane, payload={"order": order_id}))
        return order_id


def _tasks(checked: ServiceOrder) -> dict[str, ItemTask]:
    return {
        item.item_id: ItemTask(
            item_id=item.item_id,
            action=item.action,
            service_id=item.service_id or str(uuid4()),
            composition=item.composition,
        )
        for item in checked.items
    }


def _acknowledged(body: Document, order_id: str, now: str, tasks: Mapping[str, ItemTask]) -> Document:
    def change(item: Document) -> Document:
        state = {"state": OrderState.ACKNOWLEDGED, "@type": item.get("@type", "ServiceOrderItem")}
        task = tasks.get(item["id"])
        if task is None:
            return {**item, **state}
        own = {"id": task.service_id, "href": href("service", task.service_id)}
        return {**item, **state, "service": {"@type": "Service", **item["service"], **own}}

    head = {"id": order_id, "href": href("serviceOrder", order_id)}
    state = {"orderDate": now, "state": OrderState.ACKNOWLEDGED, "@type": body.get("@type", "ServiceOrder")}
    return with_items({**body, **head, **state}, "serviceOrderItem", change)
