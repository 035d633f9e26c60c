"""SQLite: one writer at a time, readers that never wait for it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from api.errors import DatabaseAway
from api.runtime.queue_sqlite import SqliteQueue
from api.runtime.signals import LocalSignals
from api.runtime.turn import Turn

_BUSY_TIMEOUT_S: Final = 30.0
_READERS: Final = 16
_CACHE_KB: Final = 8192
"""Per connection, taken as it is needed: enough that counting 100,000 orders does not read their index anew."""
_AWAY: Final = {
    "SQLITE_FULL": "make room on its disk",
    "SQLITE_IOERR": "is its disk full or failing?",
    "SQLITE_READONLY": "this process may not write it: look at its owner and mode, and at those of its folder",
    "SQLITE_CANTOPEN": "look at its owner and mode, and at those of its folder",
    "SQLITE_PERM": "look at its owner and mode, and at those of its folder",
    "SQLITE_BUSY": "another process writes it and does not end",
    "SQLITE_CORRUPT": "it is damaged: 'lastmile db check' says how, 'lastmile db restore' puts a backup back",
    "SQLITE_NOTADB": "'lastmile db restore' puts a backup in its place",
}
"""What SQLite says (the beginning of its code) when the file is the matter, and not the statement."""


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
        self._path = path
        self._writer = _engine(path, pool_size=1)
        self._reader = _engine(path, pool_size=_READERS)
        event.listen(self._writer, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        event.listen(self._reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN DEFERRED"))

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open the one write transaction."""
        with self._turn.taken(), self._reached(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self._reached(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Tell a disk that does not take or give what it should from a statement that is wrong."""
        try:
            yield
        except (sqlite3.Error, DBAPIError) as error:
            said = _sqlite_error(error)
            hint = next((hint for code, hint in _AWAY.items() if _code(said).startswith(code)), None)
            if hint is None:
                raise
            raise DatabaseAway(str(self._path), f"{said}; {hint}") from error

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _code(error: sqlite3.Error | None) -> str:
    return getattr(error, "sqlite_errorname", None) or ""


def _sqlite_error(error: sqlite3.Error | DBAPIError) -> sqlite3.Error | None:
    """Return what SQLite said; SQLAlchemy does not wrap what fails while a connection is made ready."""
    found = error.orig if isinstance(error, DBAPIError) else error
    return found if isinstance(found, sqlite3.Error) else None


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
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{_CACHE_KB}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
