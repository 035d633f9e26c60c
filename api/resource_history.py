"""The history of a product, service or resource: which order of whom made what of it, version by version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from api.runtime.history import RecordedEvent, events_of_resource, first_moves
from inventory.changes import changes
from inventory.documents import Document
from inventory.errors import UnknownResource
from orders.documents import BASES, stamp

STATES: Final[Mapping[str, str]] = {"product": "status", "service": "state", "resource": "resourceStatus"}
"""The attribute that says the state, by the kind of resource in an inventory."""
_HEAD: Final = frozenset({"id", "href", "@type", "@baseType", "@schemaLocation"})
_ORDERS: Final = ("productOrder", "serviceOrder", "resourceOrder")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceHistory:
    """Reads what the outbox kept of a resource, whether it is still there or not."""

    def read(self, connection: Connection, kind: str, key: str) -> list[dict[str, Any]]:
        """Return every version of the resource, oldest first: when, by whose order, and what changed.

        Raises:
            UnknownResource: there never was one.
        """
        found = self._events(connection, kind, key)
        chains = first_moves(connection, {each.correlation_id for each in found})
        told: list[dict[str, Any]] = []
        before: Document = {}
        for number, each in enumerate(found, start=1):
            told.append({"version": number, **_told(kind, each, before), **_order(each, chains)})
            before = each.document
        return told

    def version(self, connection: Connection, kind: str, key: str, number: int) -> Document:
        """Return the resource as it was in that version.

        Raises:
            UnknownResource: there never was one, or not that version of it.
        """
        found = self._events(connection, kind, key)
        if not 1 <= number <= len(found):
            raise UnknownResource(f"version of {kind} {key!r}", str(number), [f"1 to {len(found)}"])
        return found[number - 1].document

    def _events(self, connection: Connection, kind: str, key: str) -> Sequence[RecordedEvent]:
        found = events_of_resource(connection, kind, key)
        if not found:
            raise UnknownResource(kind, key)
        return found


def _told(kind: str, event: RecordedEvent, before: Document) -> dict[str, Any]:
    state = str(event.document.get(STATES[kind], "")).strip()
    gone = event.event_type.endswith("DeleteEvent")
    changed = () if gone else changes(before, event.document)
    return {
        "at": stamp(event.at),
        "eventType": event.event_type,
        "state": "deleted" if gone else state,
        "correlationId": event.correlation_id,
        "change": [
            {"attribute": each.attribute, "from": each.before, "to": each.after}
            for each in changed
            if each.attribute not in _HEAD
        ],
    }


def _order(event: RecordedEvent, chains: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the order that began the chain, and whose request it was."""
    kind, actor = chains.get(event.correlation_id, ("", ""))
    order = {"id": event.correlation_id, "href": f"{BASES[kind]}/{event.correlation_id}"} if kind in _ORDERS else None
    return {**({"by": actor} if actor else {}), **({"order": {**order, "@referredType": kind}} if order else {})}
