"""SQLite: one writer at a time, readers that never wait for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from api.runtime.queue_sqlite import SqliteQueue
from api.runtime.signals import LocalSignals
from api.runtime.turn import Turn

_BUSY_TIMEOUT_S: Final = 30.0
_READERS: Final = 16


class SqliteBackend:
    """A SQLite file as :class:`api.runtime.contracts.Backend`.

    The writer engine begins with ``BEGIN IMMEDIATE``: with SQLAlchemy's default, or with a deferred begin, concurrent
    read-modify-writes are lost. Writers of this process queue on a lock instead of spinning on SQLite's busy handler.
    """

    dialect: Final[Literal["sqlite", "postgresql"]] = "sqlite"

    def __init__(self, path: Path) -> None:
        """Open the file; it is created where it does not exist."""
        self.queue = SqliteQueue()
        self.signals = LocalSignals()
        self._turn = Turn()
        self._writer = _engine(path, pool_size=1)
        self._reader = _engine(path, pool_size=_READERS)
        event.listen(self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(self._reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN DEFERRED"))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open the one write transaction."""
        with self._turn.taken(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self._reader.begin() as connection:
            yield connection

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
