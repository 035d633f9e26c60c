"""Orders per second, from stored to completed, through the whole chain."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest import mock

from api.runtime import database, worker
from api.runtime.ledger import LedgerUnit
from inventory.ledger import Event, Job, Move, NewJob
from tests.bench.report import Figure, median_of
from tests.bench.rig import running

ORDERS: Final = 600
PLAIN_ORDERS: Final = 60
WARM_UP: Final = 20


class PlainUnit(LedgerUnit):
    """The plain way: every change is a statement of its own, every job a transaction of its own."""

    def publish(self, event: Event) -> None:
        """Write the event at once."""
        super().publish(event)
        self.flush()

    def record(self, move: Move) -> None:
        """Write the history row at once."""
        super().record(move)
        self.flush()

    def enqueue(self, job: NewJob) -> None:
        """Write the job at once."""
        super().enqueue(job)
        self.flush()

    def take(self, kinds: object, lane: str) -> Job | None:  # noqa: ARG002 - every job goes through the queue
        """Return None."""
        return None


def orders_sqlite(runs: int) -> list[Figure]:
    """Return orders per second on SQLite in one process."""
    value = median_of(runs, lambda: _rate(ORDERS))
    with _plain():
        plain = median_of(runs, lambda: _rate(PLAIN_ORDERS))
    peers = {"one transaction per step": plain}
    return [Figure(name="orders_sqlite", value=value, unit="orders/s", goal=100, peers=peers)]


def _rate(count: int) -> float:
    with running() as rig:
        rig.complete(WARM_UP)
        return rig.rate(count)


@contextmanager
def _plain() -> Iterator[None]:
    with mock.patch.object(database, "LedgerUnit", PlainUnit), mock.patch.object(worker, "BATCH", 1):
        yield
