"""Who stands behind a service on the devices: the order that made it, and its customer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from inventory.store import DocumentStore

CUSTOMER: Final = "customer"
CHUNK: Final = 500
"""Ids that go into one SELECT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The stores that are asked."""

    activated: DocumentStore
    product_orders: DocumentStore

    def of(self, connection: Connection, services: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return, by the activated service's id: ``service``, ``productOrder`` and ``customer`` as far as known."""
        known: dict[str, Mapping[str, Any]] = {}
        ordered = sorted(services)
        for at in range(0, len(ordered), CHUNK):
            rows = self.activated.many(connection, ordered[at : at + CHUNK])
            orders = self.product_orders.many(connection, {row.correlation_id for row in rows.values()})
            for service_id, row in rows.items():
                order = orders.get(row.correlation_id)
                made_by = {"productOrder": order.id, **_customer(order.document)} if order is not None else {}
                known[service_id] = {"service": service_id, **made_by}
        return known


def _customer(order: Mapping[str, Any]) -> dict[str, str]:
    parties = order.get("relatedParty") or ()
    found = next((party for party in parties if party.get("role") == CUSTOMER), None)
    return {CUSTOMER: str(found.get("name") or found.get("id"))} if found is not None else {}
