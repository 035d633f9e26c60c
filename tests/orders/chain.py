"""The three order layers on the real runtime, with fakes at both ends."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from api.runtime.database import Database
from api.runtime.tables import events, moves
from api.runtime.worker import Worker
from inventory.documents import Document
from inventory.ledger import Handler, Job, Retry, UnitOfWork
from inventory.store import Row
from orders.catalog.model import Catalog
from orders.product.inventory import product_store
from orders.product.layer import ProductOrdering
from orders.product.tables import metadata as product_tables
from orders.resource.layer import ResourceOrdering
from orders.resource.tables import metadata as resource_tables
from orders.service.inventory import service_store
from orders.service.layer import ServiceOrdering
from orders.service.tables import metadata as service_tables
from tests.orders.fakes import FakeActivation, FakePlaces, FakeReservations

SERIAL = "ALCL0000A1B2"
PLACE = {"id": "ADDR-1015", "role": "installationAddress", "@type": "GeographicAddress"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Everything a test needs of the chain; ``deliveries`` says how often each job is run."""

    database: Database
    activation: FakeActivation
    reservations: FakeReservations
    places: FakePlaces
    resources: ResourceOrdering
    services: ServiceOrdering
    products: ProductOrdering
    deliveries: int = 1

    def order(self, body: object) -> Document:
        """Place a product order, let everything run and return the order as it then stands."""
        order_id = self.place(body)
        self.drain()
        return self.product_order(order_id)

    def place(self, body: object) -> str:
        """Place a product order; run nothing."""
        with self.database.begin() as uow:
            return str(self.products.place(uow, body)["id"])

    def drain(self) -> None:
        """Run jobs until none is due; none may have failed."""
        worker = Worker(database=self.database, handlers=self._handlers(), device_handlers={})
        while worker.run_ready():
            pass
        with self.database.read() as connection:
            assert self.database.queue.parked(connection) == []
            assert self.database.queue.pending(connection) == 0

    def product_order(self, order_id: str) -> Document:
        with self.database.read() as connection:
            return self.products.orders.get(connection, order_id).document

    def service_order_of(self, order_id: str) -> Row:
        """Return the service order of a product order."""
        with self.database.read() as connection:
            row = self.services.orders.by_external_id(connection, order_id)
        assert row is not None
        return row

    def resource_orders_of(self, order_id: str) -> tuple[Row, ...]:
        """Return the resource orders of a product order, oldest first."""
        with self.database.read() as connection:
            return self.resources.orders.by_correlation_id(connection, order_id)

    def product(self, product_id: str) -> Document:
        with self.database.read() as connection:
            return product_store().get(connection, product_id).document

    def service(self, service_id: str) -> Document:
        with self.database.read() as connection:
            return service_store().get(connection, service_id).document

    def events(self, event_type: str) -> list[Any]:
        """Return the documents of every event of one type, oldest first."""
        wanted = select(events.c.document).where(events.c.event_type == event_type).order_by(events.c.sequence)
        with self.database.read() as connection:
            return [json.loads(text) for text in connection.execute(wanted).scalars()]

    def moves(self, resource_id: str, item: str = "") -> list[tuple[str, str]]:
        """Return the state moves of one resource or of one of its items."""
        here = moves.c
        wanted = select(here.from_state, here.to_state).where(here.resource_id == resource_id, here.item == item)
        with self.database.read() as connection:
            return [(row.from_state, row.to_state) for row in connection.execute(wanted)]

    def _handlers(self) -> dict[str, Handler]:
        found = {**self.resources.handlers(), **self.services.handlers(), **self.products.handlers()}
        return {kind: _repeated(handler, self.deliveries) for kind, handler in found.items()}


def _repeated(handler: Handler, times: int) -> Handler:
    def run(job: Job, uow: UnitOfWork) -> Retry | None:
        answers = [handler(job, uow) for _ in range(times)]
        return answers[-1]

    return run


def build_chain(open_database: Callable[..., Database], catalog: Catalog, *, deliveries: int = 1) -> Chain:
    """Return the layers wired to each other, to fakes and to a new database."""
    activation, reservations, places = FakeActivation(), FakeReservations(), FakePlaces()
    resources = ResourceOrdering(catalog=catalog, reservations=reservations)
    services = ServiceOrdering(catalog=catalog, resources=resources, activation=activation, places=places)
    products = ProductOrdering(catalog=catalog, services=services, places=places)
    routes: dict[str, tuple[str, ...]] = {}
    for layer in (resources, services, products):
        for event_type, kind in layer.subscriptions().items():
            routes[event_type] = (*routes.get(event_type, ()), kind)
    return Chain(
        database=open_database(product_tables, service_tables, resource_tables, routes=routes),
        activation=activation,
        reservations=reservations,
        places=places,
        resources=resources,
        services=services,
        products=products,
        deliveries=deliveries,
    )


def add_item(
    item_id: str = "1", *, offering: str = "fibre-100", place: str = "ADDR-1015", serial: object = SERIAL
) -> dict[str, Any]:
    """Return a product order item that orders a new product."""
    return {
        "id": item_id,
        "action": "add",
        "productOffering": {"id": offering},
        "product": {
            "place": [{**PLACE, "id": place}],
            "productCharacteristic": [{"name": "ontSerialNumber", "value": serial}],
        },
    }


def modify_item(
    product_id: str, *, offering: str | None = None, item_id: str = "1", **values: object
) -> dict[str, Any]:
    """Return a product order item that changes a product."""
    changed = [{"name": name, "value": value} for name, value in values.items()]
    sold = {"productOffering": {"id": offering}} if offering is not None else {}
    product = {"id": product_id, "productCharacteristic": changed}
    return {"id": item_id, "action": "modify", "product": product, **sold}


def delete_item(product_id: str, *, item_id: str = "1") -> dict[str, Any]:
    """Return a product order item that ceases a product."""
    return {"id": item_id, "action": "delete", "product": {"id": product_id}}


def order_of(*items: dict[str, Any], **head: object) -> dict[str, Any]:
    """Return a product order body."""
    return {**head, "productOrderItem": list(items)}
