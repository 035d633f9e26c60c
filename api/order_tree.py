"""One order with all it caused: what an engineer looks at first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy import Connection

from activation.transaction_store import unfinished_of
from activation.transactions import transaction_document
from api.runtime.history import events_of_chain, moves_of
from inventory.store import DocumentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTree:
    """The stores of the four layers, read together."""

    product_orders: DocumentStore
    service_orders: DocumentStore
    resource_orders: DocumentStore
    monitors: DocumentStore

    def read(self, connection: Connection, order_id: str) -> Mapping[str, Any]:
        """Return the product order, its service and resource orders, its monitors and the chain's events.

        Raises:
            UnknownResource: no product order has this id.
        """
        top = self.product_orders.get(connection, order_id)
        return {"id": order_id, "productOrder": dict(top.document), **self.chain(connection, top.correlation_id)}

    def chain(self, connection: Connection, correlation_id: str) -> dict[str, Any]:
        """Return what this database has of a chain, but for the product order."""
        chain = {
            store.kind: [dict(row.document) for row in store.by_correlation_id(connection, correlation_id)]
            for store in (self.service_orders, self.resource_orders, self.monitors)
        }
        unfinished = unfinished_of(connection, [document["id"] for document in chain[self.monitors.kind]])
        ids = [correlation_id, *(document["id"] for documents in chain.values() for document in documents)]
        history = [
            {
                "kind": move.resource_kind,
                "id": move.resource_id,
                "item": move.item,
                "from": move.from_state,
                "to": move.to_state,
                "reason": move.reason,
                "by": move.actor,
                "at": move.at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            for move in moves_of(connection, ids)
        ]
        events = events_of_chain(connection, correlation_id)
        return {
            **chain,
            "unfinishedTransaction": [transaction_document(each) for each in unfinished],
            "history": history,
            "event": events,
        }
