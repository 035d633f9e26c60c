"""SOM's side of the service inventory (TMF638): which services exist, which are busy, what became of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row
from inventory.tables import services
from orders.catalog.contracts import CatalogSource
from orders.documents import merged, stamp, with_standing_note
from orders.errors import OrderConflict
from orders.service.documents import customer_service, resource_services
from orders.service.model import Composition, dump_composition, load_composition
from orders.service.states import SERVICE, ServiceState

RELYING: Final = "relying"
"""Where a service's private data names the services in use that rely on it."""


BY_HAND: Final = "byHand"
"""The id of the note on a service that nobody has verified."""


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
        by_hand: who says that it was configured by hand, and why; empty: it was verified.
    """

    service_id: str
    composition: Composition
    correlation_id: str
    origin: Mapping[str, Any]
    retired: tuple[str, ...] = ()
    by_hand: str = ""


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

    def hold(self, uow: UnitOfWork, service_ids: Iterable[str], order_id: str) -> None:
        """Note that ``order_id`` makes something that relies on the services.

        Raises:
            OrderConflict: one is not there, is terminated, or has another order in flight.
        """
        for service_id in service_ids:
            row = self.store.find(uow, service_id)
            if row is None or row.state == ServiceState.TERMINATED:
                raise OrderConflict("reliesOn", service_id, "is not there any more")
            if row.task.get("order") not in (None, order_id):
                raise OrderConflict("reliesOn", service_id, f"has service order {row.task['order']!r} in flight")
            self.claim(uow, service_id, order_id)

    def let_go(self, uow: UnitOfWork, service_ids: Iterable[str], order_id: str) -> None:
        """Let other orders in for those of the services that ``order_id`` holds."""
        for service_id in service_ids:
            row = self.store.find(uow, service_id)
            if row is not None and row.task.get("order") == order_id:
                self.claim(uow, service_id, None)

    def relying(self, uow: UnitOfWork, service_id: str) -> tuple[str, ...]:
        """Return the services in use that rely on the service."""
        row = self.store.find(uow, service_id)
        return tuple(row.task.get(RELYING, ())) if row is not None else ()

    def claim(self, uow: UnitOfWork, service_id: str, order_id: str | None) -> None:
        """Note that ``order_id`` is in flight for the service; None: no order is any more."""
        row = self.store.get(uow, service_id)
        self.store.save(uow, row, replace(row, task={**row.task, "order": order_id}))

    def changed_since(self, uow: UnitOfWork, service_id: str, composition: Composition, order_id: str) -> str:
        """Return who has changed the service since ``order_id`` made it so, or is about to; empty: nobody."""
        row = self.store.get(uow, service_id)
        if row.task.get("order") not in (None, order_id):
            return f"service {service_id} has service order {row.task['order']!r} in flight"
        if row.state == ServiceState.TERMINATED or load_composition(row.task) != composition:
            return f"service {service_id} was changed by another order since"
        return ""

    def activated(self, uow: UnitOfWork, change: Change) -> None:
        """Write the service and its parts as active, new or changed."""
        documents = self._documents(uow, change)
        started = {"startDate": stamp(uow.now)}
        unverified = f"not verified, configured by hand; {change.by_hand}" if change.by_hand else ""
        self.store.prefetch(uow, documents)
        for service_id, document in documents.items():
            before = self.store.find(uow, service_id)
            task = dump_composition(change.composition) if service_id == change.service_id else {}
            whole = (
                {**document, **started} if before is None else merged(before.document, {"endDate": None, **document})
            )
            noted = with_standing_note(whole, uow.now, BY_HAND, unverified)
            if before is None:
                self._insert(uow, change, noted, task)
            else:
                task = {**task, **({RELYING: before.task[RELYING]} if RELYING in before.task else {})}
                SERVICE.advance(ServiceState(before.state), ServiceState.ACTIVE)
                self._save(uow, change, before, noted, task)
        for service_id in change.retired:
            self._end(uow, change, service_id)
        self._rely(uow, change, is_on=True)

    def returned(self, uow: UnitOfWork, service_id: str) -> None:
        """Write the service, which had ended, and its parts as active again, composed as they were.

        Raises:
            OrderConflict: see :meth:`refuse_return`.
        """
        composition = self.refuse_return(uow, service_id)
        row = self.store.get(uow, service_id)
        (origin, *_) = row.document.get("serviceOrderItem") or ({},)
        change = Change(
            service_id=service_id, composition=composition, correlation_id=row.correlation_id, origin=origin
        )
        self.activated(uow, change)

    def refuse_return(self, uow: UnitOfWork, service_id: str) -> Composition:
        """Return how the service was composed that has ended, where it can return.

        Raises:
            OrderConflict: it has not ended, an order for it is in flight, or what it relied on is not there any more.
        """
        row = self.store.get(uow, service_id)
        if row.state != ServiceState.TERMINATED:
            raise OrderConflict("service", service_id, f"is {row.state}")
        if row.task.get("order"):
            raise OrderConflict("service", service_id, f"has service order {row.task['order']!r} in flight")
        composition = load_composition(row.task)
        for relied in composition.relied.values():
            found = self.store.find(uow, relied)
            if found is None or found.state == ServiceState.TERMINATED:
                raise OrderConflict("service", service_id, f"relied on service {relied}, which is not there any more")
        return composition

    def terminated(self, uow: UnitOfWork, change: Change) -> None:
        """Write the service and its parts as terminated."""
        for service_id in (change.service_id, *(part.service_id for part in change.composition.parts)):
            self._end(uow, change, service_id)
        self._rely(uow, change, is_on=False)

    def _rely(self, uow: UnitOfWork, change: Change, *, is_on: bool) -> None:
        """Note with the services that the changed one relies on whether it does by now."""
        for service_id in change.composition.relied.values():
            row = self.store.get(uow, service_id)
            others = [key for key in row.task.get(RELYING, ()) if key != change.service_id]
            relying = [*others, change.service_id] if is_on else others
            if relying != row.task.get(RELYING, []):
                kept = {key: value for key, value in row.task.items() if key != RELYING}
                task = {**kept, RELYING: relying} if relying else kept
                self.store.save(uow, row, replace(row, task=task))

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
