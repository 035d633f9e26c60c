"""ROM: takes TMF652 resource orders in and lets the handler run them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import Handler, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks
from orders.catalog.contracts import CatalogSource
from orders.documents import href, stamp, with_items
from orders.inbound import refuse
from orders.life import OrderLife
from orders.resource.contracts import Reservations
from orders.resource.handler import SEQUENCE, ResourceOrderHandler
from orders.resource.intake import ResourceOrderBody, check_order, port_problems
from orders.resource.jobs import CANCEL, START, WAKE
from orders.resource.states import CANCEL as TASK
from orders.resource.states import ORDER
from orders.resource.tables import cancel_resource_orders, resource_orders
from orders.states import OrderState
from orders.timers import wake


def resource_order_store() -> DocumentStore:
    """Return the store of TMF652 resource orders."""
    return DocumentStore(table=resource_orders, kind="resourceOrder", domain="resource", created="orderDate")


def cancel_resource_order_store() -> DocumentStore:
    """Return the store of tasks that cancel resource orders."""
    return DocumentStore(table=cancel_resource_orders, kind="cancelResourceOrder", domain="resource")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOrdering:
    """The layer, as :class:`orders.service.contracts.ResourceOrdering` wants it."""

    catalog: CatalogSource
    reservations: Reservations
    orders: DocumentStore = field(default_factory=resource_order_store)

    def place(self, uow: UnitOfWork, order: Document, *, correlation_id: str | None = None) -> str:
        """Store the order and return its id; an ``externalId`` seen before gives the order it was first sent with.

        Raises:
            InvalidOrder: with every problem; nothing was stored.
        """
        checked = check_order(order, self.catalog.current(uow))
        known = self.orders.by_external_id(uow, checked.external_id) if checked.external_id else None
        if known is not None:
            return known.id
        refuse(port_problems(checked.document["orderItem"], partial(self._check_port, uow)))
        order_id = str(uuid4())
        lane = correlation_id or order_id
        row = Row(
            id=order_id,
            state=OrderState.ACKNOWLEDGED,
            correlation_id=lane,
            external_id=checked.external_id,
            document=_acknowledged(checked.document, order_id, stamp(uow.now)),
            task={SEQUENCE: checked.sequence} if checked.sequence else {},
        )
        self.orders.insert(uow, row)
        self.life.accept(uow, row)
        return order_id

    def _check_port(self, uow: UnitOfWork, item: Document, asked: Mapping[str, str]) -> None:
        try:
            olt, name = asked.get("olt", ""), asked["pon_port"]
            self.reservations.check_port(uow, item["resource"]["place"]["id"], olt=olt, pon_port=name)
        except UnknownResource:
            return  # A place that nobody knows fails the order, as without a port.

    def cancel(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Store a task to cancel the order and return its id; idempotent by ``external_id``."""
        return self.cancels.passed_down(
            uow, order_id, external_id=external_id, reason=reason, correlation_id=correlation_id
        )

    def handlers(self) -> Mapping[str, Handler]:
        """Return the layer's work by job kind."""
        handler = ResourceOrderHandler(
            orders=self.orders, cancels=self.cancels, catalog=self.catalog, reservations=self.reservations
        )
        return {START: handler.start, CANCEL: handler.cancel, WAKE: wake}

    def subscriptions(self) -> Mapping[str, str]:
        """Return the event types the layer follows, each with its job kind: none."""
        return {}

    @property
    def life(self) -> OrderLife:
        """What clients do with orders of this layer once they are placed."""
        return OrderLife(
            orders=self.orders,
            lifecycle=ORDER,
            shape=ResourceOrderBody,
            items="orderItem",
            start_kind=START,
            wake_kind=WAKE,
        )

    @property
    def cancels(self) -> CancelTasks:
        """The tasks that cancel orders of this layer."""
        store = cancel_resource_order_store()
        return CancelTasks(store=store, orders=self.orders, lifecycle=TASK, job_kind=CANCEL, wake_kind=WAKE)


def _acknowledged(body: Document, order_id: str, now: str) -> Document:
    head = {"id": order_id, "href": href("resourceOrder", order_id)}
    own = {"orderDate": now, "state": OrderState.ACKNOWLEDGED, "@type": body.get("@type", "ResourceOrder")}
    return with_items({**body, **head, **own}, "orderItem", _acknowledged_item)


def _acknowledged_item(item: Document) -> Document:
    changed = {**item, "state": OrderState.ACKNOWLEDGED, "@type": item.get("@type", "ResourceOrderItem")}
    if "resource" not in item:
        return changed
    # TMF652 v4 demands both on every resource, also on one that is still to be found.
    key = item["resource"].get("id", "")
    return {**changed, "resource": {"id": key, "href": href("resource", key) if key else "", **item["resource"]}}
