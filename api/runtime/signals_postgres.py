"""Wake-ups from other processes: one connection listens for the jobs that were committed."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import URL

from api.runtime.queue_procrastinate import CHANNEL

_log = logging.getLogger(__name__)

_LOOK_EVERY_S: Final = 0.5  # how long closing may take; the socket itself wakes at once
_RECONNECT_S: Final = 0.5


class NotifiedSignals:
    """:class:`api.runtime.contracts.Signals` over LISTEN/NOTIFY.

    After a lost connection every subscriber is woken: what was committed meanwhile could not be heard.
    """

    def __init__(self, url: URL, options: Mapping[str, Any]) -> None:
        """Listen from the first subscription on.

        Args:
            url: the database.
            options: libpq's connection parameters beside it.
        """
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._options = options
        self._wakes: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._guard = threading.Lock()
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def subscribe(self, kinds: Collection[str], wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` when a job of these kinds was committed anywhere."""
        with self._guard:
            for kind in kinds:
                self._wakes[CHANNEL + kind].append(wake)
            self._changed.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="listen", daemon=True)
                self._thread.start()
        return lambda: self._forget(wake)

    def committed(self) -> None:
        """Do nothing: the commit itself notified."""

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _forget(self, wake: Callable[[], None]) -> None:
        with self._guard:
            for wakes in self._wakes.values():
                if wake in wakes:
                    wakes.remove(wake)

    def _run(self) -> None:
        was_away = False
        while not self._closed.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, connect_timeout=5, **self._options) as connection:
                    self._changed.set()
                    self._listen(connection)
            except psycopg.OperationalError as error:
                if not was_away:
                    _log.warning("the database is away, not listening for jobs: %s", str(error).strip())
                was_away = True
                self._closed.wait(_RECONNECT_S)
            else:
                was_away = False

    def _listen(self, connection: psycopg.Connection) -> None:
        while not self._closed.is_set():
            if self._changed.is_set():
                self._changed.clear()
                self._listen_to_all(connection)
            heard = {notice.channel for notice in connection.notifies(timeout=_LOOK_EVERY_S, stop_after=1)}
            self._wake(heard)

    def _listen_to_all(self, connection: psycopg.Connection) -> None:
        with self._guard:
            channels = sorted(self._wakes)
        for channel in channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        self._wake(channels)

    def _wake(self, channels: Collection[str]) -> None:
        with self._guard:
            found = {id(wake): wake for channel in channels for wake in self._wakes.get(channel, ())}
        for wake in found.values():
            wake()
