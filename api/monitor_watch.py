"""Waiting for monitors to end: one thread looks for everybody who waits, and only when something was committed."""

import asyncio
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Collection
from concurrent.futures import Future
from typing import Final

from activation.reviews import REVIEW_ID
from activation.states import MonitorState
from activation.store import MONITORS
from api.errors import DatabaseAway
from api.runtime.contracts import Signals
from inventory.ledger import Transactions
from inventory.store import Row

_log = logging.getLogger(__name__)

APART_S: Final = 0.005
"""Between two looks: what is committed meanwhile is seen by the second one."""
UNHEARD_S: Final = 2.0
"""A look without a signal, while somebody waits: a signal may get lost with a connection."""


class MonitorWatch:
    """Tells those who wait when their monitors have ended, whichever process ended them."""

    def __init__(self, transactions: Transactions, signals: Signals, kinds: Collection[str]) -> None:
        """Listen from now on; look while somebody waits.

        Args:
            transactions: where monitors are read.
            signals: tells of commits.
            kinds: job kinds that follow the end of a monitor.
        """
        self._transactions = transactions
        self._waiting: dict[str, list[Future[Row]]] = defaultdict(list)
        self._guard = threading.Lock()
        self._woken = threading.Event()
        self._is_closed = False
        self._thread: threading.Thread | None = None
        self._forget = signals.subscribe(kinds, self._heard)

    async def ended(self, monitor_id: str, patience_s: float) -> Row | None:
        """Return the monitor once it has ended or waits for people, or None when the patience is over before."""
        future: Future[Row] = Future()
        self._add(monitor_id, future)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), patience_s)
        except TimeoutError:
            return None
        finally:
            self._drop(monitor_id, future)

    def close(self) -> None:
        """Stop; whoever waits gets no answer any more and runs out of patience."""
        self._forget()
        self._is_closed = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _heard(self) -> None:
        if self._waiting:
            self._woken.set()

    def _add(self, monitor_id: str, future: "Future[Row]") -> None:
        with self._guard:
            self._waiting[monitor_id].append(future)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="monitor-watch", daemon=True)
                self._thread.start()
        # It may have ended already.
        self._woken.set()

    def _drop(self, monitor_id: str, future: "Future[Row]") -> None:
        with self._guard:
            left = [each for each in self._waiting.get(monitor_id, ()) if each is not future]
            if left:
                self._waiting[monitor_id] = left
            else:
                self._waiting.pop(monitor_id, None)

    def _run(self) -> None:
        while not self._is_closed:
            self._woken.wait(UNHEARD_S if self._waiting else None)
            self._woken.clear()
            self._look()
            # A burst of commits is worth one look.
            time.sleep(APART_S)

    def _look(self) -> None:
        with self._guard:
            wanted = list(self._waiting)
        if not wanted:
            return
        try:
            with self._transactions.read() as connection:
                found = MONITORS.many(connection, wanted)
        except DatabaseAway as error:
            _log.warning("cannot see whether monitors have ended, looking again in %s s: %s", UNHEARD_S, error)
            return
        for monitor in found.values():
            if monitor.state != MonitorState.IN_PROGRESS or REVIEW_ID in monitor.task:
                self._tell(monitor)

    def _tell(self, monitor: Row) -> None:
        with self._guard:
            futures = self._waiting.pop(monitor.id, [])
        for future in futures:
            if future.set_running_or_notify_cancel():
                future.set_result(monitor)
