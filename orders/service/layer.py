"""SOM: takes TMF641 service orders in and lets the handler move them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from activation.contracts import ServiceActivation
from inventory.documents import Document
from inventory.ledger import Handler, Job, UnitOfWork
from inventory.places import PlaceDirectory
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks
from orders.catalog.contracts import CatalogSource
from orders.documents import href, stamp
from orders.interventions import Intervention
from orders.life import OrderLife, jeopardy
from orders.places import Places
from orders.service.accepting import acknowledged_items, claim, refuse_relied, tasks_of
from orders.service.bodies import ServiceOrderBody
from orders.service.contracts import ResourceOrdering
from orders.service.handler import ServiceOrderHandler
from orders.service.intake import (
    ServiceOrder,
    check_order,
    named_services,
    read_order,
    relied_services,
)
from orders.service.interventions import ServiceInterventions
from orders.service.inventory import ServiceInventory
from orders.service.jobs import (
    CANCEL,
    ESCALATE,
    FOLLOW_MONITOR,
    FOLLOW_RESOURCE_ORDER,
    START,
    TELL_LATE,
    UNDO_AGAIN,
    WAKE,
)
from orders.service.model import ItemTask, dump_tasks, load_tasks
from orders.service.states import CANCEL as TASK
from orders.service.states import ORDER
from orders.service.steps import Steps
from orders.service.tables import cancel_service_orders, service_orders
from orders.states import OrderState
from orders.timers import wake


def service_order_store() -> DocumentStore:
    """Return the store of TMF641 service orders."""
    return DocumentStore(table=service_orders, kind="serviceOrder", domain="service", created="orderDate")


def cancel_service_order_store() -> DocumentStore:
    """Return the store of tasks that cancel service orders."""
    return DocumentStore(table=cancel_service_orders, kind="cancelServiceOrder", domain="service")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrdering:
    """The layer, as :class:`orders.product.contracts.ServiceOrdering` wants it."""

    catalog: CatalogSource
    resources: ResourceOrdering
    activation: ServiceActivation
    orders: DocumentStore = field(default_factory=service_order_store)
    places: Places = field(default_factory=PlaceDirectory)

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
        relied = relied_services(body)
        services = self._inventory.compositions(uow, {**relied, **named})
        catalog = self.catalog.current(uow)
        checked = check_order(body, document, catalog, services, lambda key: self.places.attributes(uow, key))
        self._inventory.refuse_busy(uow, {**relied, **named})
        refuse_relied(self._inventory, uow, checked, named)
        return self._store(uow, checked, correlation_id)

    def cancel(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Store a task to cancel the order and return its id; idempotent by ``external_id``."""
        return self.cancels.passed_down(
            uow, order_id, external_id=external_id, reason=reason, correlation_id=correlation_id
        )

    def intervene(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Do what somebody asks of an order under way, and return the order.

        Raises:
            OrderConflict: it cannot be done now; names what can. Nothing was changed.
            UnknownResource: no order has this id.
        """
        return ServiceInterventions(handler=self._handler, places=self.places).apply(uow, order_id, wish)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the layer's work by job kind."""
        handler = self._handler
        return {
            START: handler.start,
            FOLLOW_RESOURCE_ORDER: handler.follow_resource_order,
            FOLLOW_MONITOR: handler.follow_monitor,
            CANCEL: handler.cancel,
            UNDO_AGAIN: handler.undo_again,
            WAKE: wake,
            TELL_LATE: self.life.tell_late,
            ESCALATE: self._escalate,
        }

    def subscriptions(self) -> Mapping[str, str]:
        """Return the event types the layer follows, each with its job kind."""
        return {
            "ResourceOrderStateChangeEvent": FOLLOW_RESOURCE_ORDER,
            "MonitorAttributeValueChangeEvent": FOLLOW_MONITOR,
            "MonitorStateChangeEvent": FOLLOW_MONITOR,
        }

    @property
    def life(self) -> OrderLife:
        """What clients do with orders of this layer once they are placed."""
        return OrderLife(
            orders=self.orders,
            lifecycle=ORDER,
            shape=ServiceOrderBody,
            items="serviceOrderItem",
            start_kind=START,
            wake_kind=WAKE,
            late_kind=TELL_LATE,
        )

    @property
    def cancels(self) -> CancelTasks:
        """The tasks that cancel orders of this layer."""
        store = cancel_service_order_store()
        return CancelTasks(store=store, orders=self.orders, lifecycle=TASK, job_kind=CANCEL, wake_kind=WAKE)

    def _escalate(self, job: Job, uow: UnitOfWork) -> None:
        """Tell that a manual task was not answered in time; one that was is left alone."""
        row = self.orders.find(uow, job.payload["order"])
        task = load_tasks(row.task).get(job.payload["item"]) if row is not None else None
        if row is None or task is None or task.waits is None or task.waits["since"] != job.payload["since"]:
            return
        name, role = task.waits.get("task", ""), task.waits.get("role", "")
        text = f"item {task.item_id!r} waits for {role} since {task.waits['since']}: {task.waits['text']}"
        self.life.alert(uow, row, jeopardy(f"{task.item_id}:{name}", "manualTask", name, text, uow.now))

    @property
    def _handler(self) -> ServiceOrderHandler:
        steps = Steps(
            catalog=self.catalog, inventory=self._inventory, resources=self.resources, activation=self.activation
        )
        return ServiceOrderHandler(orders=self.orders, cancels=self.cancels, steps=steps)

    @property
    def _inventory(self) -> ServiceInventory:
        return ServiceInventory(catalog=self.catalog)

    def _store(self, uow: UnitOfWork, checked: ServiceOrder, correlation_id: str | None) -> str:
        order_id = str(uuid4())
        tasks = tasks_of(checked)
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
        claim(self._inventory, uow, checked, order_id)
        self.life.accept(uow, row)
        return order_id


def _acknowledged(body: Document, order_id: str, now: str, tasks: Mapping[str, ItemTask]) -> Document:
    head = {"id": order_id, "href": href("serviceOrder", order_id)}
    state = {"orderDate": now, "state": OrderState.ACKNOWLEDGED, "@type": body.get("@type", "ServiceOrder")}
    return acknowledged_items({**body, **head, **state}, tasks)
