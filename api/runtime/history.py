"""Reading back what happened: history rows and events."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from api.runtime.tables import events, moves
from inventory.query import Query
from inventory.row_pages import RowPages


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMove:
    """One history row as stored."""

    resource_kind: str
    resource_id: str
    item: str
    from_state: str
    to_state: str
    reason: str
    at: datetime
    actor: str


def moves_of(connection: Connection, resource_ids: Collection[str]) -> list[RecordedMove]:
    """Return the history of these resources, oldest first."""
    names = ("resource_kind", "resource_id", "item", "from_state", "to_state", "reason", "at", "actor")
    columns = [moves.c[name] for name in names]
    wanted = select(*columns).where(moves.c.resource_id.in_(list(resource_ids))).order_by(moves.c.sequence)
    return [RecordedMove(**row) for row in connection.execute(wanted).mappings()]


def events_of_chain(connection: Connection, correlation_id: str) -> list[dict[str, Any]]:
    """Return the headers (no documents) of every event of one chain, oldest first."""
    wanted = select(events).where(events.c.correlation_id == correlation_id).order_by(events.c.sequence)
    return [_header(row) for row in connection.execute(wanted).mappings()]


def event_page(connection: Connection, domain: str, query: Query) -> tuple[list[dict[str, Any]], int]:
    """Return one page of whole TMF688 events of one domain, oldest first, and the exact total."""
    here = events.c
    names = {"id": "event_id", "eventId": "event_id", "eventType": "event_type", "@type": "event_type"}
    pages = RowPages(
        rows=select(events).where(here.domain == domain),
        key=here.event_id,
        order=(here.sequence,),
        columns={"correlationId": here.correlation_id, **{name: here[column] for name, column in names.items()}},
        read=lambda _, rows: list(map(tmf_event, rows)),
        tell=lambda event: event,
    )
    return pages.page(connection, query)


def tmf_event(row: RowMapping) -> dict[str, Any]:
    """Return a stored event as TMF688 has it; ``timeOcurred`` is TM Forum's own spelling."""
    return _header(row) | {
        "timeOcurred": _time(row["occurred_at"]),
        "event": {row["resource_kind"]: json.loads(row["document"])},
    }


def _header(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["event_id"],
        "eventId": row["event_id"],
        "eventTime": _time(row["occurred_at"]),
        "eventType": row["event_type"],
        "domain": row["domain"],
        "correlationId": row["correlation_id"],
        "title": f"{row['event_type']} {row['resource_id']}",
        "@type": row["event_type"],
    }


def _time(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """One event of a resource as stored, with the whole resource as it was after it."""

    event_type: str
    correlation_id: str
    at: datetime
    document: dict[str, Any]


def events_of_resource(connection: Connection, kind: str, resource_id: str) -> list[RecordedEvent]:
    """Return every event of one resource, oldest first."""
    here = events.c
    wanted = select(here.event_type, here.correlation_id, here.occurred_at, here.document)
    wanted = wanted.where(here.resource_id == resource_id, here.resource_kind == kind).order_by(here.sequence)
    return [
        RecordedEvent(
            event_type=row.event_type,
            correlation_id=row.correlation_id,
            at=row.occurred_at.replace(tzinfo=UTC),
            document=json.loads(row.document),
        )
        for row in connection.execute(wanted)
    ]


def first_moves(connection: Connection, resource_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return the kind of each of these resources and whose request made it, by id, where it has a history."""
    found: dict[str, tuple[str, str]] = {}
    for move in moves_of(connection, resource_ids):
        found.setdefault(move.resource_id, (move.resource_kind, move.actor))
    return found
