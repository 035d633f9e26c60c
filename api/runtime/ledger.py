"""The unit of work: what a transaction publishes, records and enqueues, written with a statement per table."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from api.runtime.tables import events, jobs, moves
from inventory.ledger import Event, Move, NewJob

READY = "ready"
RUNNING = "running"
PARKED = "parked"


@dataclass(slots=True, kw_only=True)
class LedgerUnit:
    """One open write transaction (see :class:`inventory.ledger.UnitOfWork`)."""

    connection: Connection
    now: datetime
    routes: Mapping[str, Sequence[str]]
    enqueued: bool = False
    _moves: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        """Write the event to the outbox, and one job for each layer that follows this event type."""
        row = {
            "event_id": str(uuid.uuid4()),
            "event_type": event.event_type,
            "domain": event.domain,
            "resource_kind": event.resource_kind,
            "resource_id": event.resource_id,
            "correlation_id": event.correlation_id,
            "occurred_at": self.now,
            "document": json.dumps(event.document, separators=(",", ":"), ensure_ascii=False),
        }
        written = self.connection.execute(insert(events).values(row))
        followers = self.routes.get(event.event_type, ())
        if followers:
            sequence = written.inserted_primary_key
            found = [
                self._job(NewJob(kind=kind, lane=event.correlation_id), sequence[0] if sequence else None)
                for kind in followers
            ]
            self._insert_jobs(found)

    def record(self, move: Move) -> None:
        """Keep one history row; all of them are written with one statement at the end."""
        self._moves.append(
            {
                "resource_kind": move.resource_kind,
                "resource_id": move.resource_id,
                "item": move.item,
                "from_state": move.from_state,
                "to_state": move.to_state,
                "reason": move.reason,
                "at": self.now,
            }
        )

    def enqueue(self, job: NewJob) -> None:
        """Write one job."""
        self._insert_jobs([self._job(job, None)])

    def flush(self) -> None:
        """Write what was kept back; the runtime calls this before the commit."""
        if self._moves:
            self.connection.execute(insert(moves), self._moves)
            self._moves.clear()

    def mark(self) -> int:
        """Return how many history rows are kept back, for :meth:`forget`."""
        return len(self._moves)

    def forget(self, mark: int) -> None:
        """Drop the history rows kept back since ``mark``: their savepoint was rolled back."""
        del self._moves[mark:]

    def _insert_jobs(self, rows: list[dict[str, Any]]) -> None:
        self.connection.execute(insert(jobs), rows)
        self.enqueued = True

    def _job(self, job: NewJob, event_sequence: int | None) -> dict[str, Any]:
        return {
            "kind": job.kind,
            "lane": job.lane,
            "payload": json.dumps(dict(job.payload), separators=(",", ":")),
            "event_sequence": event_sequence,
            "run_at_s": self.now.timestamp() + job.delay_s,
            "attempt": 0,
            "state": READY,
            "reason": "",
        }
