"""The unit of work: everything a transaction collects, written with a statement per table when it ends.

Stores collect in sheets (:class:`inventory.ledger.Sheet`); events, history and jobs are collected here. Reads through
a sheet see what it collected; :attr:`LedgerUnit.connection` writes the sheets first, so that any statement sees it.

The seam to the worker, which runs many jobs in one transaction::

    with database.begin() as unit:
        for job in claimed:
            with unit.step():            # a handler that fails leaves no trace of itself
                retry = handlers[job.kind](job, unit)
            while (next_job := unit.take(handlers, job.lane)) is not None:
                ...                      # follow-up jobs of the lane at once, a step each, without the database
                                         # between; one that fails or says Retry: unit.put_back(next_job, …), stop

Statements of the queue itself belong on :attr:`LedgerUnit.reader`: they need nothing that is collected here.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Generic, TypeVar, cast

from sqlalchemy import Connection, NestedTransaction, insert

from api.runtime.contracts import JobQueue, QueuedJob
from api.runtime.tables import events, moves
from inventory.bulk import Bulk
from inventory.documents import json_text
from inventory.ledger import Event, Job, Move, NewJob, Sheet, SheetT

T = TypeVar("T")

FanOut = Callable[[Connection, Sequence[Mapping[str, Any]]], Sequence[NewJob]]
"""Gets the events a transaction publishes, as rows of the outbox; returns the jobs that bring them to subscribers."""


def nobody(_: Connection, __: Sequence[Mapping[str, Any]]) -> Sequence[NewJob]:
    """Return no job: nobody outside this platform listens."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Collected:
    """A job that is on its way into the queue, with the event that caused it."""

    job: NewJob
    event: Event | None = None
    event_id: str | None = None


class Pages(Generic[T]):
    """A list that only grows, with a line under what is written already."""

    def __init__(self) -> None:
        self.entries: list[T] = []
        self._written = 0

    def mark(self) -> tuple[int, int]:
        """Return where the list stands."""
        return len(self.entries), self._written

    def undo(self, mark: tuple[int, int]) -> None:
        """Forget everything since ``mark``."""
        length, self._written = mark
        del self.entries[length:]

    def unwritten(self) -> list[T]:
        """Return what is not written yet, and draw the line under it."""
        found = self.entries[self._written :]
        self._written = len(self.entries)
        return found


class LedgerUnit:
    """One open write transaction (see :class:`inventory.ledger.UnitOfWork`)."""

    def __init__(
        self,
        *,
        connection: Connection,
        now: datetime,
        routes: Mapping[str, Sequence[str]],
        queue: JobQueue,
        fan_out: FanOut = nobody,
        actor: str = "",
    ) -> None:
        """Begin to collect.

        Args:
            connection: an open transaction; the caller commits it after :meth:`flush`.
            now: the transaction's one reading of the clock.
            routes: event type to the job kinds that follow it.
            queue: takes the jobs.
            fan_out: knows which jobs bring the events to subscribers.
            actor: whose request it is; stands in the history. Empty: nobody's, the platform acts by itself.
        """
        self.reader, self.now, self.enqueued, self._actor = connection, now, False, actor
        self._routes, self._queue, self._fan_out = routes, queue, fan_out
        self._sheets: dict[object, Sheet] = {}
        self._events: Pages[dict[str, Any]] = Pages()
        self._moves: Pages[dict[str, Any]] = Pages()
        self._jobs: Pages[_Collected] = Pages()
        self._lanes: dict[str, list[int]] = defaultdict(list)
        self._taken: set[int] = set()
        self._texts: dict[int, tuple[object, str]] = {}
        self._in_step = False
        self._savepoint: NestedTransaction | None = None

    @property
    def connection(self) -> Connection:
        """The connection after everything collected in sheets was written; inside a step under a savepoint."""
        if self._in_step and self._savepoint is None:
            self._savepoint = self.reader.begin_nested()
        self._flush_sheets()
        return self.reader

    def sheet(self, make: Callable[["LedgerUnit"], SheetT]) -> SheetT:
        """Return this unit's one sheet of the class ``make``."""
        found = self._sheets.get(make)
        if found is None:
            found = self._sheets[make] = make(self)
        return cast("SheetT", found)

    def text(self, value: object) -> str:
        """Return the compact JSON text of ``value``; the same value is written out once."""
        known = self._texts.get(id(value))
        if known is None:
            # The value is kept beside its text: its id stays its own that long.
            known = self._texts[id(value)] = (value, json_text(value))
        return known[1]

    def publish(self, event: Event) -> None:
        """Collect the event for the outbox, and one job for each layer that follows this event type."""
        event_id = str(uuid.uuid4())
        row = {
            "event_id": event_id,
            "event_type": event.event_type,
            "domain": event.domain,
            "resource_kind": event.resource_kind,
            "resource_id": event.resource_id,
            "correlation_id": event.correlation_id,
            "occurred_at": self.now,
            "document": event.document,
        }
        self._events.entries.append(row)
        for kind in self._routes.get(event.event_type, ()):
            job = NewJob(kind=kind, lane=event.correlation_id, priority=event.priority)
            self._collect(_Collected(job=job, event=event, event_id=event_id))

    def record(self, move: Move) -> None:
        """Collect one history row."""
        self._moves.entries.append(
            {
                "resource_kind": move.resource_kind,
                "resource_id": move.resource_id,
                "item": move.item,
                "from_state": str(move.from_state),
                "to_state": str(move.to_state),
                "reason": move.reason,
                "at": self.now,
                "actor": self._actor,
            }
        )

    def enqueue(self, job: NewJob) -> None:
        """Collect one job."""
        self._collect(_Collected(job=job))

    @contextmanager
    def step(self, *, actor: str | None = None) -> Iterator[None]:
        """Run one handler; where it fails, everything it collected and wrote is dropped, and the error goes on.

        Args:
            actor: whose request it is, where that is another's than the transaction's.
        """
        if self._in_step:
            raise RuntimeError("a step inside a step; each handler runs in one of its own")
        sheets = {make: sheet.mark() for make, sheet in self._sheets.items()}
        pages = [(page, page.mark()) for page in (self._events, self._moves, self._jobs)]
        self._in_step = True
        whose, self._actor = self._actor, self._actor if actor is None else actor
        try:
            yield
        except BaseException:
            if self._savepoint is not None:
                self._savepoint.rollback()
            for make, sheet in self._sheets.items():
                sheet.undo(sheets.get(make, 0))
            for page, mark in pages:
                page.undo(mark)
            self._forget_jobs()
            raise
        else:
            if self._savepoint is not None:
                self._savepoint.commit()
        finally:
            self._in_step, self._savepoint, self._actor = False, None, whose

    def take(self, kinds: Collection[str], lane: str) -> Job | None:
        """Return the lane's next collected job if it is of these kinds and due, and keep it out of the queue.

        Only for a lane that this transaction holds and in which no stored job waits: the order of a lane stays.
        Jobs taken have negative ids; one that has not ended goes back with :meth:`put_back`.
        """
        number = next((number for number in self._lanes[lane] if number not in self._taken), None)
        if number is None:
            return None
        found, job = self._jobs.entries[number], self._jobs.entries[number].job
        if job.kind not in kinds or job.delay_s > 0:
            return None
        self._taken.add(number)
        return Job(job_id=-1 - number, kind=job.kind, lane=lane, payload=job.payload, attempt=1, event=found.event)

    def put_back(self, job: Job, *, delay_s: float) -> None:
        """Let a job that :meth:`take` gave go into the queue after all, in its old place; it counts as untried."""
        number = -1 - job.job_id
        found = self._jobs.entries[number]
        self._jobs.entries[number] = replace(found, job=replace(found.job, delay_s=delay_s))
        self._taken.remove(number)

    def flush(self) -> None:
        """Write everything collected; the runtime calls this before the commit.

        Raises:
            StaleState: a row was changed by somebody else although it was locked; the transaction must not commit.
        """
        self._flush_sheets()
        if written := self._events.unwritten():
            rows = [row | {"document": self.text(row["document"])} for row in written]
            _INSERT_EVENTS.execute(self.reader, rows)
            for job in self._fan_out(self.reader, written):
                self.enqueue(job)
        if written := self._moves.unwritten():
            _INSERT_MOVES.execute(self.reader, written)
        first = len(self._jobs.entries) - len(waiting := self._jobs.unwritten())
        if ready := [found for number, found in enumerate(waiting, first) if number not in self._taken]:
            self._queue.enqueue(self.reader, self._queued(ready))
            self.enqueued = True

    def _flush_sheets(self) -> None:
        for sheet in self._sheets.values():
            sheet.flush()

    def _collect(self, job: _Collected) -> None:
        self._lanes[job.job.lane].append(len(self._jobs.entries))
        self._jobs.entries.append(job)

    def _forget_jobs(self) -> None:
        for numbers in self._lanes.values():
            while numbers and numbers[-1] >= len(self._jobs.entries):
                numbers.pop()

    def _queued(self, ready: Sequence[_Collected]) -> list[QueuedJob]:
        return [
            QueuedJob(
                kind=found.job.kind,
                lane=found.job.lane,
                payload=found.job.payload,
                priority=found.job.priority,
                delay_s=found.job.delay_s,
                event_id=found.event_id,
            )
            for found in ready
        ]


_INSERT_EVENTS: Final = Bulk(insert(events))
_INSERT_MOVES: Final = Bulk(insert(moves))
