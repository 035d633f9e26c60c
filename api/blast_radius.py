"""Who else is on the nodes that a plan touches: every service, its customer and its order, exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from activation.fragment_store import sharers
from activation.store import SERVICES
from inventory.documents import Document
from inventory.store import DocumentStore, Row
from orders.product.layer import product_order_store
from orders.service.layer import service_order_store

_AT_ONCE: Final = 500
"""Ids that go into one SELECT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """Looks neighbours up in the stores of all layers."""

    product_orders: DocumentStore = field(default_factory=product_order_store)
    service_orders: DocumentStore = field(default_factory=service_order_store)

    def read(self, connection: Connection, root_id: str, places: Mapping[str, Iterable[int]]) -> dict[str, Any]:
        """Return how many other services hold one of ``places`` (keys, by device), how many where, and each by name."""
        by_device = sharers(connection, [root_id], places)
        return self.named(connection, by_device)

    def named(self, connection: Connection, by_device: Mapping[str, Iterable[str]]) -> dict[str, Any]:
        """Return the neighbours by name, sorted by service id."""
        neighbours = {device: frozenset(found) for device, found in by_device.items()}
        everybody = sorted(frozenset().union(*neighbours.values()))
        services = _many(connection, SERVICES, everybody)
        chains = {row.correlation_id for row in services.values()}
        orders = {**_many(connection, self.service_orders, chains), **_many(connection, self.product_orders, chains)}
        return {
            "services": len(everybody),
            "devices": {device: len(found) for device, found in sorted(neighbours.items())},
            "service": [_neighbour(key, services.get(key), orders) for key in everybody],
        }


def _many(connection: Connection, store: DocumentStore, keys: Iterable[str]) -> dict[str, Row]:
    wanted, found = sorted(keys), dict[str, Row]()
    for first in range(0, len(wanted), _AT_ONCE):
        found |= store.many(connection, wanted[first : first + _AT_ONCE])
    return found


def _neighbour(key: str, service: Row | None, orders: Mapping[str, Row]) -> Document:
    if service is None:
        return {"id": key}
    order = orders.get(service.correlation_id)
    document = order.document if order is not None else {}
    named = {
        "id": key,
        "name": service.document.get("name"),
        "order": order.id if order is not None else None,
        "externalId": document.get("externalId"),
        "customer": ", ".join(_parties(document)),
    }
    return {name: value for name, value in named.items() if value}


def _parties(order: Document) -> list[str]:
    return [str(each.get("name") or each.get("id")) for each in order.get("relatedParty", ())]
