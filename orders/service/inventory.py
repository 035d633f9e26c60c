"""SOM's side of the service inventory (TMF638): which services exist, which are busy, what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row
from inventory.tables import services
from orders.catalog.contracts import CatalogSource
from orders.documents import merged, stamp
from orders.errors import OrderConflict
from orders.service.documents import customer_service, resource_services
from orders.service.model import Composition, dump_composition, load_composition
from orders.service.states import SERVICE, ServiceState


def service_store() -> DocumentStore:
    """Return the store of TMF638 services."""
    return DocumentStore(table=services, kind="service", domain="inventory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A verified change of one customer-facing service, to be written to the inventory.

    Attributes:
        correlation_id: the chain that changed it.
        origin: the order item behind it, as a TMF RelatedServiceOrderItem.
        retired: resource-facing services that it no longer has.
    """

    service_id: str
    composition: Composition
    correlation_id: str
    origin: Mapping[str, Any]
    retired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInventory:
    """Reads and writes customer-facing services with their resource-facing ones."""

    catalog: CatalogSource
    store: DocumentStore = field(default_factory=service_store)

    def compositions(self, uow: UnitOfWork, service_ids: Mapping[str, str]) -> dict[str, Composition]:
        """Return those customer-facing services that exist, by id."""
        rows = (self.store.find(uow, service_id) for service_id in service_ids)
        return {row.id: load_composition(row.task) for row in rows if row is not None and "composition" in row.task}

    def refuse_busy(self, uow: UnitOfWork, service_ids: Mapping[str, str]) -> None:
        """Do nothing where each of the services (id to path in the order) can be ordered on now.

        Raises:
            OrderConflict: one is terminated or has an order in flight.
        """
        for service_id, path in service_ids.items():
            row = self.store.get(uow, service_id)
            if row.state == ServiceState.TERMINATED:
                raise OrderConflict(path, service_id, "is terminated")
            if row.task.get("order"):
                raise OrderConflict(path, service_id, f"has service order {row.task['order']!r} in flight")

    def claim(self, uow: UnitOfWork, service_id: str, order_id: str | None) -> None:
        """Note that ``order_id`` is in flight for the service; None: no order is any more."""
        row = self.store.get(uow, service_id)
        self.store.save(uow, row, replace(row, task={**row.task, "order": order_id}))

    def changed_since(self, uow: UnitOfWork, service_id: str, composition: Composition) -> str:
        """Return who has changed the service since an order made it ``composition``, or is about to; empty: nobody."""
        row = self.store.get(uow, service_id)
        if row.task.get("order"):
            return f"service {service_id} has service order {row.task['order']!r} in flight"
        if row.state == ServiceState.TERMINATED or load_composition(row.task) != composition:
            return f"service {service_id} was changed by another order since"
        return ""

    def activated(self, uow: UnitOfWork, change: Change) -> None:
        """Write the service and its parts as active, new or changed."""
        documents = self._documents(uow, change)
        started = {"startDate": stamp(uow.now)}
        self.store.prefetch(uow, documents)
        for service_id, document in documents.items():
            before = self.store.find(uow, service_id)
            task = dump_composition(change.composition) if service_id == change.service_id else {}
            if before is None:
                self._insert(uow, change, {**document, **started}, task)
            else:
                SERVICE.advance(ServiceState(before.state), ServiceState.ACTIVE)
                self._save(uow, change, before, merged(before.document, document), task)
        for service_id in change.retired:
            self._end(uow, change, service_id)

    def terminated(self, uow: UnitOfWork, change: Change) -> None:
        """Write the service and its parts as terminated."""
        for service_id in (change.service_id, *(part.service_id for part in change.composition.parts)):
            self._end(uow, change, service_id)

    def _end(self, uow: UnitOfWork, change: Change, service_id: str) -> None:
        ended = {"endDate": stamp(uow.now), "hasStarted": False, "isServiceEnabled": False}
        before = self.store.get(uow, service_id)
        state = SERVICE.advance(ServiceState(before.state), ServiceState.TERMINATED)
        document = {**before.document, **ended, "state": state, "supportingResource": None}
        task = dump_composition(change.composition) if service_id == change.service_id else {}
        self._save(uow, change, before, merged(document, {}), task)

    def _documents(self, uow: UnitOfWork, change: Change) -> dict[str, Document]:
        catalog = self.catalog.current(uow)
        own = customer_service(catalog, change.service_id, change.composition)
        origin = {"serviceOrderItem": [change.origin]}
        parts = resource_services(catalog, change.service_id, change.composition)
        return {change.service_id: {**own, **origin}, **parts}

    def _insert(self, uow: UnitOfWork, change: Change, document: Document, task: Mapping[str, Any]) -> None:
        row = Row(
            id=document["id"],
            state=document["state"],
            correlation_id=change.correlation_id,
            document=document,
            task=task,
        )
        self.store.insert(uow, row)

    def _save(self, uow: UnitOfWork, change: Change, before: Row, document: Document, task: Mapping[str, Any]) -> None:
        after = replace(
            before, state=document["state"], correlation_id=change.correlation_id, document=document, task=task
        )
        self.store.save(uow, before, after)
