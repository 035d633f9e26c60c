"""The database: one writer at a time, readers that never wait for it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from api.errors import StartRefused
from api.runtime.ledger import LedgerUnit
from inventory.ledger import UnitOfWork

_BUSY_TIMEOUT_S = 30.0
_READERS = 16


class Database:
    """A SQLite file as :class:`inventory.ledger.Transactions`.

    The writer engine begins with ``BEGIN IMMEDIATE``: with SQLAlchemy's default, or with a deferred begin, concurrent
    read-modify-writes are lost. Writers of this process queue on a lock instead of spinning on SQLite's busy handler.
    """

    def __init__(
        self,
        path: Path,
        *,
        routes: Mapping[str, Sequence[str]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open the file.

        Args:
            path: created where it does not exist.
            routes: event type to the job kinds that follow it.
            clock: tells the time, UTC and aware.
        """
        self._path = path
        self._routes = routes
        self._clock = clock
        self._turn = threading.Lock()
        self._committed: list[Callable[[], None]] = []
        self._writer = _engine(path, pool_size=1)
        self._reader = _engine(path, pool_size=_READERS)
        event.listen(self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(self._reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN DEFERRED"))

    def create_tables(self, *schemas: MetaData) -> None:
        """Create the tables that are missing.

        Raises:
            StartRefused: the file is no database, or cannot be opened or written; says why.
        """
        try:
            with self._turn, self._writer.begin() as connection:
                for schema in schemas:
                    schema.create_all(connection)
        except DatabaseError as error:
            raise StartRefused(f"database {self._path}: {error.orig}; choose another folder with --data") from error

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after each commit that left a job behind."""
        self._committed.append(wake)

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Open a write transaction; leaving the block commits, an exception rolls everything back."""
        with self._turn, self._writer.begin() as connection:
            unit = LedgerUnit(connection=connection, now=self._clock(), routes=self._routes)
            yield unit
            unit.flush()
        if unit.enqueued:
            self.wake()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self._reader.begin() as connection:
            yield connection

    def wake(self) -> None:
        """Tell the workers that there may be something to do."""
        for wake in self._committed:
            wake()

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _engine(path: Path, *, pool_size: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # a failed statement must not print passwords into the log
        connect_args={"isolation_level": None, "timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor: Any = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
