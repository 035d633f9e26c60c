"""COM: takes TMF622 product orders in and lets the handler move them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from inventory.documents import Document
from inventory.ledger import Handler, UnitOfWork
from inventory.places import PlaceDirectory
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks
from orders.catalog.contracts import CatalogSource
from orders.documents import href, stamp
from orders.interventions import Intervention
from orders.life import OrderLife
from orders.places import Places
from orders.product.accepting import acknowledged_items, claims_of, tasks_of
from orders.product.bodies import ProductOrderBody
from orders.product.bundle import with_parts
from orders.product.contracts import ServiceOrdering
from orders.product.decompose import service_order
from orders.product.handler import ProductOrderHandler
from orders.product.intake import ProductOrder, check_order, named_products, read_order, related_products
from orders.product.interventions import ProductInterventions
from orders.product.inventory import CLAIMS, ProductInventory
from orders.product.jobs import CANCEL, FOLLOW_CANCEL, FOLLOW_SERVICE_ORDER, REFUSED_BELOW, START, WAKE
from orders.product.model import ItemTask, dump_tasks
from orders.product.states import CANCEL as TASK
from orders.product.states import ORDER
from orders.product.tables import cancel_product_orders, product_orders
from orders.states import OrderState
from orders.timers import wake


def product_order_store() -> DocumentStore:
    """Return the store of TMF622 product orders."""
    return DocumentStore(table=product_orders, kind="productOrder", domain="product", created="orderDate")


def cancel_product_order_store() -> DocumentStore:
    """Return the store of tasks that cancel product orders."""
    return DocumentStore(table=cancel_product_orders, kind="cancelProductOrder", domain="product")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrdering:
    """The layer, as the API and other sales channels use it."""

    catalog: CatalogSource
    services: ServiceOrdering
    orders: DocumentStore = field(default_factory=product_order_store)
    places: Places = field(default_factory=PlaceDirectory)

    def place(self, uow: UnitOfWork, body: object, *, correlation_id: str | None = None) -> Document:
        """Store the order and return it; an ``externalId`` seen before gives the order it was first sent with.

        ``body`` is a TMF622 ProductOrder_Create as parsed from JSON. Without a ``correlation_id`` the order's own id
        goes along the chain.

        Raises:
            InvalidOrder: with every problem; nothing was stored.
            OrderConflict: a product has ended or has an order in flight; nothing was stored.
            MappingError: the catalog cannot decompose the order; nothing was stored.
        """
        order, document = read_order(body)
        known = self.orders.by_external_id(uow, order.external_id) if order.external_id else None
        if known is not None:
            return known.document
        catalog = self.catalog.current(uow)
        products = self._inventory.family(uow, {**related_products(order), **named_products(order)})
        completed = with_parts(document, catalog, products)
        if completed is not document:
            order, document = read_order(completed)
        named, related = named_products(order), related_products(order)
        checked = check_order(order, document, catalog, products, lambda key: self.places.attributes(uow, key))
        claims = claims_of(checked.items, related)
        self._inventory.refuse_busy(uow, {**claims, **named})
        return self._store(uow, checked, correlation_id, claims)

    def intervene(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Do what somebody asks of an order under way, and return the order.

        Raises:
            OrderConflict: it cannot be done now; names what can. Nothing was changed.
            UnknownResource: no order has this id.
        """
        return ProductInterventions(handler=self._handler, places=self.places).apply(uow, order_id, wish)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the layer's work by job kind."""
        handler = self._handler
        return {
            START: handler.start,
            FOLLOW_SERVICE_ORDER: handler.follow_service_order,
            CANCEL: handler.cancel,
            FOLLOW_CANCEL: handler.follow_cancel,
            REFUSED_BELOW: handler.refused_below,
            WAKE: wake,
        }

    def subscriptions(self) -> Mapping[str, str]:
        """Return the event types the layer follows, each with its job kind."""
        return {
            "ServiceOrderStateChangeEvent": FOLLOW_SERVICE_ORDER,
            "ServiceOrderAttributeValueChangeEvent": FOLLOW_SERVICE_ORDER,
            "CancelServiceOrderStateChangeEvent": FOLLOW_CANCEL,
            "ServiceOrderInterventionRefusedEvent": REFUSED_BELOW,
        }

    @property
    def life(self) -> OrderLife:
        """What clients do with orders of this layer once they are placed."""
        return OrderLife(
            orders=self.orders,
            lifecycle=ORDER,
            shape=ProductOrderBody,
            items="productOrderItem",
            start_kind=START,
            wake_kind=WAKE,
        )

    @property
    def cancels(self) -> CancelTasks:
        """The tasks that cancel orders of this layer."""
        store = cancel_product_order_store()
        return CancelTasks(store=store, orders=self.orders, lifecycle=TASK, job_kind=CANCEL, wake_kind=WAKE)

    @property
    def _handler(self) -> ProductOrderHandler:
        return ProductOrderHandler(
            catalog=self.catalog,
            orders=self.orders,
            cancels=self.cancels,
            inventory=self._inventory,
            services=self.services,
        )

    @property
    def _inventory(self) -> ProductInventory:
        return ProductInventory(catalog=self.catalog)

    def _store(
        self, uow: UnitOfWork, checked: ProductOrder, correlation_id: str | None, claims: Mapping[str, str]
    ) -> Document:
        order_id = str(uuid4())
        tasks = tasks_of(checked)
        row = Row(
            id=order_id,
            state=OrderState.ACKNOWLEDGED,
            correlation_id=correlation_id or order_id,
            external_id=checked.external_id,
            document=_acknowledged(checked.document, order_id, stamp(uow.now), tasks),
            task={**dump_tasks(tasks), **({CLAIMS: sorted(claims)} if claims else {})},
        )
        # Decomposed once before anything is stored: what the catalog cannot map is refused at the door.
        service_order(self.catalog.current(uow), row.document, tasks.values())
        self.orders.insert(uow, row)
        for task in tasks.values():
            self._inventory.accepted(uow, row, task)
        self._inventory.claim(uow, claims, row.id)
        self.life.accept(uow, row)
        return row.document


def _acknowledged(body: Document, order_id: str, now: str, tasks: Mapping[str, ItemTask]) -> Document:
    head = {"id": order_id, "href": href("productOrder", order_id)}
    state = {"orderDate": now, "state": OrderState.ACKNOWLEDGED, "@type": body.get("@type", "ProductOrder")}
    return acknowledged_items({**body, **head, **state}, tasks)
