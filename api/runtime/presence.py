"""A worker's life sign, which keeps its leases, and the end of those who show none."""

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection

from api.errors import DatabaseAway, WorkerGivenUp
from api.runtime.batch import MAX_FAILURES
from api.runtime.contracts import WorkerId
from api.runtime.database import Database

_log = logging.getLogger(__name__)

BEAT_S: Final = 1.5
SILENT_S: Final = 5.0
"""Who was not heard of for so long is given up: with a look every ``BEAT_S``, a peer takes over within 7 seconds."""


class Presence:
    """This process among the workers of a database.

    On SQLite, where nobody else is, it beats only while something is held: an idle process writes nothing.
    It reaps only after it could itself reach the database for as long as it demands of others: after an outage
    everybody looks silent.
    """

    def __init__(self, database: Database) -> None:
        """Begin unregistered; it registers when it first holds something."""
        self._database = database
        self._worker_id: WorkerId | None = None
        self._holds = 0
        self._guard = threading.Lock()
        self._registering = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._in_contact_since_s = time.monotonic()

    def start(self) -> None:
        """Begin to beat and to look after others."""
        self._thread = threading.Thread(target=self._loop, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hand back what is still held and be forgotten."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._worker_id is None:
            return
        try:
            with self._database.begin() as unit:
                self._database.queue.retire(unit.reader, self._worker_id)
        except DatabaseAway as error:
            _log.warning("could not sign off, peers take over in %.0f s: %s", SILENT_S, error)
        else:
            self._database.signals.committed()

    def hand_back_but(self, connection: Connection, keep: Collection[int]) -> None:
        """Make ready what this worker leased without knowing it: the answer to a commit was lost."""
        if self._worker_id is not None:
            self._database.queue.hand_back(connection, self._worker_id, keep=keep)

    def register(self) -> None:
        """Become known, where this worker is not; needs a transaction of its own."""
        with self._registering:
            if self._worker_id is None:
                with self._database.begin() as unit:
                    worker_id = self._database.queue.register(unit.reader)
                self._worker_id = worker_id

    def registered(self, connection: Connection) -> WorkerId:
        """Return this worker's id, heard of in this transaction.

        Raises:
            WorkerGivenUp: its peers gave it up; it can register anew.
        """
        worker_id = self._worker_id
        if worker_id is None or not self._database.queue.beat(connection, worker_id):
            self._worker_id = None
            raise WorkerGivenUp("this worker was given up by its peers; what it held is theirs now")
        return worker_id

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Beat for the length of the block."""
        self.hold()
        try:
            yield
        finally:
            self.let_go()

    def hold(self) -> None:
        """Beat from now on, until :meth:`let_go` was called as often."""
        with self._guard:
            self._holds += 1

    def let_go(self) -> None:
        """End one :meth:`hold`."""
        with self._guard:
            self._holds -= 1

    def _loop(self) -> None:
        while not self._stop.wait(BEAT_S):
            try:
                self._beat()
                self._look_after_others()
            except DatabaseAway:
                self._in_contact_since_s = time.monotonic()
            except WorkerGivenUp as error:
                _log.error("%s", error)
            except Exception:  # noqa: BLE001 - see below; it is logged with its traceback
                # The last seam of this thread: without it the leases of a healthy process would end.
                _log.exception("worker: no life sign this time")

    def _beat(self) -> None:
        worker_id = self._worker_id
        if worker_id is None or (self._holds == 0 and self._database.backend.dialect == "sqlite"):
            return
        with self._database.begin() as unit:
            self.registered(unit.reader)

    def _look_after_others(self) -> None:
        if time.monotonic() - self._in_contact_since_s < SILENT_S:
            return
        with self._database.read() as connection:
            if not self._database.queue.has_orphans(connection, silent_for_s=SILENT_S):
                return
        take_over(self._database, silent_for_s=SILENT_S)


def take_over(database: Database, *, silent_for_s: float = 0.0) -> int:
    """Make ready what silent workers were running, and return how many jobs that were.

    Without ``silent_for_s`` everybody counts as dead: for a process that knows it is alone, before it works.
    """
    with database.begin() as unit:
        taken = database.queue.reap(unit.reader, silent_for_s=silent_for_s, max_failures=MAX_FAILURES)
    if taken:
        _log.warning("took over %d jobs of workers that died", taken)
        database.signals.committed()
    return taken
