"""The database: short transactions with an outbox and a job queue, on SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

from sqlalchemy import Connection, MetaData

from api.errors import StartRefused
from api.runtime.contracts import Backend, JobQueue, Signals
from api.runtime.ledger import FanOut, LedgerUnit, nobody
from api.runtime.postgres import PostgresBackend
from api.runtime.sqlite import SqliteBackend
from api.runtime.together import Together

T = TypeVar("T")


def utc_now() -> datetime:
    """Return the time, UTC and aware."""
    return datetime.now(UTC)


class _Over(Exception):
    """Rolls a rehearsal back."""


def _end() -> NoReturn:
    raise _Over


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """Units of work in one transaction that will not be committed; each sees what those before it wrote."""

    connection: Connection
    now: datetime
    routes: Mapping[str, Sequence[str]]
    queue: JobQueue

    @contextmanager
    def begin(self) -> Iterator[LedgerUnit]:
        """Open a unit of work; leaving the block writes what it collected."""
        unit = LedgerUnit(connection=self.connection, now=self.now, routes=self.routes, queue=self.queue)
        yield unit
        unit.flush()


class Database:
    """One database as :class:`inventory.ledger.Transactions`, whatever stands behind it."""

    def __init__(
        self,
        backend: Backend,
        *,
        routes: Mapping[str, Sequence[str]],
        clock: Callable[[], datetime] = utc_now,
        fan_out: FanOut = nobody,
    ) -> None:
        """Stand on ``backend``.

        Args:
            backend: the kind of database.
            routes: event type to the job kinds that follow it.
            clock: tells the time, UTC and aware.
            fan_out: knows which jobs bring the events to subscribers.
        """
        self.backend = backend
        self._routes = routes
        self._clock = clock
        self._fan_out = fan_out
        self._together = Together(lambda actor: self.begin(actor=actor))

    @property
    def queue(self) -> JobQueue:
        """The job queue that lives in this database."""
        return self.backend.queue

    @property
    def signals(self) -> Signals:
        """What wakes the workers on this database."""
        return self.backend.signals

    def create_tables(self, *schemas: MetaData) -> None:
        """Create the tables that are missing, and the job queue's own."""
        with self.backend.write() as connection:
            for schema in schemas:
                schema.create_all(connection)
            self.queue.create(connection)

    @contextmanager
    def begin(self, *, actor: str = "") -> Iterator[LedgerUnit]:
        """Open a write transaction; leaving the block commits, an exception rolls everything back.

        Args:
            actor: whose request it is, for the history.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke; nothing is known to be written.
        """
        with self.backend.write() as connection:
            unit = LedgerUnit(
                connection=connection,
                now=self._clock(),
                routes=self._routes,
                queue=self.queue,
                fan_out=self._fan_out,
                actor=actor,
            )
            yield unit
            unit.flush()
        if unit.enqueued:
            self.signals.committed()

    def run(self, work: Callable[[LedgerUnit], T], *, actor: str = "") -> T:
        """Return what ``work`` gives in a write transaction that it may share with others who come at the same moment.

        Its own errors leave nothing of it, and are nobody else's; it may be run again where its first run left nothing.

        Args:
            work: reads and writes through the unit of work it is given, and waits for nothing.
            actor: whose request it is, for the history.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke; nothing is known to be written.
        """
        if self.backend.dialect == "sqlite":
            return self._together.run(work, actor=actor)
        # Here writers do not wait for each other.
        with self.begin(actor=actor) as uow:
            return work(uow)

    @contextmanager
    def rehearse(self) -> Iterator["Rehearsal"]:
        """Open a write transaction in which everything can be tried; leaving the block rolls all of it back.

        Nobody is woken and no subscriber is told. On SQLite nobody else writes meanwhile.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke.
        """
        with suppress(_Over), self.backend.write() as connection:
            yield Rehearsal(connection=connection, now=self._clock(), routes=self._routes, queue=self.queue)
            _end()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke.
        """
        with self.backend.read() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self.signals.close()
        self.backend.close()


def open_database(
    target: str | Path,
    *,
    routes: Mapping[str, Sequence[str]],
    clock: Callable[[], datetime] = utc_now,
    fan_out: FanOut = nobody,
) -> Database:
    """Return the database at a path (SQLite) or at a ``postgresql://`` URL.

    Raises:
        StartRefused: a URL of another kind; says what is legal.
    """
    return Database(_backend(target), routes=routes, clock=clock, fan_out=fan_out)


def _backend(target: str | Path) -> Backend:
    if isinstance(target, Path):
        return SqliteBackend(target)
    scheme, found, rest = target.partition("://")
    if not found:
        return SqliteBackend(Path(target))
    if scheme == "sqlite":
        return SqliteBackend(Path(rest.removeprefix("/")))
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"}:
        return PostgresBackend(f"postgresql+psycopg://{rest}")
    raise StartRefused(f"database URL of kind {scheme!r}; legal: postgresql://…, sqlite:///PATH")
