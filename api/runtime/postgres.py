"""PostgreSQL: any number of processes on one database, which may go away and come back."""

import select as sockets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from api.errors import DatabaseAway
from api.runtime.queue_procrastinate import ProcrastinateQueue
from api.runtime.signals_postgres import NotifiedSignals

_CONNECTIONS: Final = 20
_OVERFLOW: Final = 20
_PATIENCE_S: Final = 10.0  # for a free connection of the pool
_CONNECT_TIMEOUT_S: Final = 5
_SESSION_ENDED: Final = ("57P01", "57P02", "57P03", "57P05", "08000", "08003", "08006", "25P03", "53300")
"""SQLSTATEs of a server that shuts down, starts, lost us or has no connection left."""
_CANNOT_WRITE: Final = ("53100", "25006")
"""SQLSTATEs of a server whose disk is full, and of one that takes no writes, a standby among them."""

KEEPALIVE: Final = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


class PostgresBackend:
    """A PostgreSQL server as :class:`api.runtime.contracts.Backend`.

    Writers run in READ COMMITTED side by side: stores guard each row with its version, lanes and leases guard jobs.
    Readers see one snapshot.
    """

    dialect: Final[Literal["sqlite", "postgresql"]] = "postgresql"

    def __init__(self, url: str) -> None:
        """Connect at first use.

        Args:
            url: ``postgresql+psycopg://user:password@host:port/database``; query parameters go to libpq.
        """
        self.engine = _engine(url)
        self.queue = ProcrastinateQueue()
        self.signals = NotifiedSignals(make_url(url), KEEPALIVE)
        self._name = make_url(url).render_as_string(hide_password=True).replace("+psycopg", "")
        self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction."""
        with self._reached(), _writable(self._name), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self._reached(), self._reader.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; one that a thread still has is closed when it gives it back."""
        event.listen(self.engine, "checkin", _close_returned)
        self.engine.dispose()

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if not is_away(error):
                raise
            raise DatabaseAway(self._name, _first_line(error)) from error


@contextmanager
def _writable(name: str) -> Iterator[None]:
    try:
        yield
    except (OperationalError, InternalError) as error:
        if getattr(error.orig, "sqlstate", None) not in _CANNOT_WRITE:
            raise
        raise DatabaseAway(name, _first_line(error)) from error


def is_away(error: OperationalError | InterfaceError | PoolTimeout) -> bool:
    """Say whether the server or its connection is gone, as against a statement that it refused."""
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state in _SESSION_ENDED


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]


def _engine(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=_CONNECTIONS,
        max_overflow=_OVERFLOW,
        pool_timeout=_PATIENCE_S,
        hide_parameters=True,  # a failed statement must not print passwords into the log
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "application_name": "lastmile",
            "options": "-c timezone=UTC",  # times come back in the session's zone, and ours is UTC
            **KEEPALIVE,
        },
    )
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _close_returned(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    entry.invalidate()


def _refuse_dead(connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Have the pool replace a connection whose server said goodbye; costs no round trip."""
    raw: Any = connection
    if raw.closed or _has_news(raw.fileno()):
        raise DisconnectionError("the server ended this connection")


def _has_news(descriptor: int) -> bool:
    poll = sockets.poll()
    poll.register(descriptor, sockets.POLLIN)
    return bool(poll.poll(0))
