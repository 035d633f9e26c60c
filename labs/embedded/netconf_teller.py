"""Tells one client of an emulated NETCONF device what it subscribed to: first the past, then what comes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from labs.embedded.change_log import Change, ChangeLog
from labs.embedded.notifications import Subscription, change_event, end_event
from labs.embedded.rpc_error import protocol_error
from labs.embedded.schema import Schema


class Teller:
    """The subscription of one session; it has one at a time."""

    def __init__(self, log: ChangeLog, schema: Schema, send: Callable[[bytes], None]) -> None:
        self._log, self._schema, self._send = log, schema, send
        self._wanted: Subscription | None = None
        self._ends: asyncio.TimerHandle | None = None

    def subscribe(self, wanted: Subscription) -> None:
        """Take the subscription; nothing is told before :meth:`begin`.

        Raises:
            RpcError: there is one already.
        """
        if self._wanted is not None:
            raise protocol_error("operation-failed", "this session has a subscription; legal: a session of its own")
        self._wanted = wanted

    def begin(self) -> None:
        """Replay what was asked for, and go on with what comes."""
        wanted = self._wanted
        if wanted is None:
            return
        now = datetime.now(UTC)
        if wanted.start is not None:
            for change in self._log.between(wanted.start, min(now, wanted.stop or now)):
                self._tell(change)
            self._send(end_event("replayComplete", now))
        if wanted.stop is None or wanted.stop > now:
            self._log.follow(self._tell)
        if wanted.stop is not None:
            left_s = max(0.0, (wanted.stop - now).total_seconds())
            self._ends = asyncio.get_running_loop().call_later(left_s, self._complete)

    def end(self) -> None:
        """Tell nothing more."""
        self._log.leave(self._tell)
        self._wanted = None
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None

    def _complete(self) -> None:
        self._send(end_event("notificationComplete", datetime.now(UTC)))
        self.end()

    def _tell(self, change: Change) -> None:
        event = change_event(change, self._schema, self._wanted) if self._wanted is not None else None
        if event is not None:
            self._send(event)
