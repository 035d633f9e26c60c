"""Transactions of a leased job: none of them commits once the lease is another worker's."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from api.errors import DatabaseAway, LeaseLost
from api.runtime.contracts import Claim
from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit

PATIENCE_S: Final = 300.0
_ASK_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedTransactions:
    """:class:`inventory.ledger.Transactions` for one leased job.

    A device job in the middle of a change waits for a database that is away, rather than leave the devices half done.

    Attributes:
        stopping: set when waiting for the database makes no sense any more.
    """

    database: Database
    claim: Claim
    stopping: threading.Event

    @contextmanager
    def begin(self) -> Iterator[LedgerUnit]:
        """Open a write transaction in which the lease stands until the end.

        Raises:
            LeaseLost: the worker was given up, and another one has the job.
            DatabaseAway: for longer than is worth waiting, or in the middle of the transaction.
        """
        with ExitStack() as stack:
            yield self._enter(stack)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self.database.read() as connection:
            yield connection

    def _enter(self, stack: ExitStack) -> LedgerUnit:
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._entered(stack)
            except DatabaseAway:
                if time.monotonic() > deadline_s or self.stopping.wait(_ASK_AGAIN_S):
                    raise

    def _entered(self, stack: ExitStack) -> LedgerUnit:
        with ExitStack() as attempt:
            unit = attempt.enter_context(self.database.begin())
            if not self.database.queue.holds(unit.reader, self.claim):
                raise LeaseLost(self.claim.job.job_id, self.claim.job.kind)
            stack.push(attempt.pop_all())
        return unit
