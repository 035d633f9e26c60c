"""Services that ended and come back with a rollback: what they used is reserved again, the inventories show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from activation.errors import RollbackRefused
from activation.repair_work import LEGAL
from api.owners import Owners
from api.runtime.history import events_of_resource
from inventory.errors import UnknownResource, ValueTaken
from inventory.ledger import Job, UnitOfWork
from inventory.reservations import Former, ReservationBook
from inventory.store import DocumentStore, Row
from orders.catalog.contracts import CatalogSource
from orders.catalog.model import ref_of_text
from orders.errors import OrderConflict, OrdersError
from orders.product.inventory import ProductInventory
from orders.service.inventory import ServiceInventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Comebacks:
    """The inventories of one database as :class:`activation.contracts.Returns`."""

    catalog: CatalogSource
    services: ServiceInventory
    products: ProductInventory
    reservations: ReservationBook
    resource_orders: DocumentStore
    owners: Owners

    def hold(self, uow: UnitOfWork, service_ids: Sequence[str]) -> Mapping[str, str]:
        """Reserve again what the services used; return the names of the resources by id.

        Raises:
            RollbackRefused: something is another's by now, or an order is in the way; says whose.
        """
        held: dict[str, str] = {}
        for service_id in service_ids:
            try:
                composition = self.services.refuse_return(uow, service_id)
                for used in composition.resources:
                    self.reservations.reserve_again(uow, self._former(uow, used.id))
                    held[used.id] = used.name
            except ValueTaken as error:
                holder = self._holder(uow.connection, error)
                raise RollbackRefused(f"service {service_id} cannot come back: {holder}; {LEGAL}") from error
            except (OrderConflict, OrdersError, UnknownResource) as error:
                raise RollbackRefused(f"service {service_id} cannot come back: {error}; {LEGAL}") from error
        return held

    def returned(self, uow: UnitOfWork, service_ids: Sequence[str]) -> None:
        """Write the services and their products as active again."""
        for service_id in service_ids:
            self.services.returned(uow, service_id)
            chain = self.services.store.get(uow, service_id).correlation_id
            self.products.returned(uow, service_id, chain)

    def give_back(self, job: Job, uow: UnitOfWork) -> None:
        """Give back what was held for services that did not come back."""
        for resource_id in job.payload["resources"]:
            self.reservations.release(uow, resource_id)

    def _former(self, uow: UnitOfWork, resource_id: str) -> Former:
        """Return a resource as it was reserved; the events keep what it was, and its order who had it.

        Raises:
            UnknownResource: nobody kept it.
            OrdersError: the catalog has its specification no longer.
        """
        events = events_of_resource(uow.connection, "resource", resource_id)
        if not events:
            raise UnknownResource("former resource", resource_id)
        document, chain = events[-1].document, events[0].correlation_id
        owner = next(self._owners(uow.connection, chain, resource_id), None)
        if owner is None:
            raise UnknownResource("resource order of", resource_id)
        specification = self.catalog.current(uow).resource(ref_of_text(document["resourceSpecification"]["id"]))
        return Former(
            document=document,
            allocation=specification.allocation,
            pool=specification.pool,
            owner=owner,
            correlation_id=chain,
        )

    def _owners(self, connection: Connection, chain: str, resource_id: str) -> Iterator[str]:
        for order in self.resource_orders.by_correlation_id(connection, chain):
            for item in order.document["orderItem"]:
                if item["action"] == "add" and item["resource"].get("id") == resource_id:
                    yield f"{order.id}:{item['id']}"

    def _holder(self, connection: Connection, error: ValueTaken) -> str:
        """Return who has the value by now, in words."""
        row = self.reservations.resources.find(connection, error.holder) if error.holder else None
        if row is None:
            return str(error)
        using = [
            each for each in self.services.store.by_correlation_id(connection, row.correlation_id) if _is_root(each)
        ]
        known = self.owners.of(connection, [each.id for each in using])
        told = [
            ", ".join(f"{name} {value}" for name, value in known.get(each.id, {"service": each.id}).items())
            for each in using
        ]
        whose = " and ".join(told) or f"the chain {row.correlation_id}"
        return f"{error.name} is reserved by now for {whose}"


def _is_root(row: Row) -> bool:
    return row.document.get("category") == "CFS"
