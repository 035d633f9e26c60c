"""Handlers that leave a trace in the history, and a process that runs them (``python -m tests.api.runtime.work``)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy import select

from api.runtime.database import Database, open_database
from api.runtime.tables import moves
from api.runtime.worker import Worker
from inventory.ledger import Job, Move, NewJob, Retry, Transactions, UnitOfWork

DEADLINE_S: Final = 20.0


def trace(uow: UnitOfWork, job: Job, word: str) -> None:
    uow.record(
        Move(resource_kind=job.kind, resource_id=job.lane, item=str(job.payload["n"]), from_state="", to_state=word)
    )


def count(job: Job, uow: UnitOfWork) -> Retry | None:
    trace(uow, job, "counted")
    return None


def touch(job: Job, transactions: Transactions) -> Retry | None:
    """Say that it began, take ``for_s`` seconds unless the job was tried before, say that it ended."""
    with transactions.begin() as uow:
        trace(uow, job, f"began {os.getpid()}")
    if job.attempt == 1:
        threading.Event().wait(float(job.payload.get("for_s", 0.0)))
    with transactions.begin() as uow:
        trace(uow, job, "ended")
    return None


def worker_on(database: Database, **options: object) -> Worker:
    return Worker(database=database, handlers={"count": count}, device_handlers={"touch": touch}, **options)  # type: ignore[arg-type]  # a test's few options


def enqueue(database: Database, kind: str, lane: str, *payloads: Mapping[str, object]) -> None:
    with database.begin() as uow:
        for payload in payloads:
            uow.enqueue(NewJob(kind=kind, lane=lane, payload=payload))


def traces(database: Database, word: str = "") -> list[tuple[str, int]]:
    """Return lane and number of each trace that starts with ``word``, in the order of their commits per lane."""
    wanted = select(moves.c.resource_id, moves.c.item, moves.c.to_state).order_by(moves.c.sequence)
    with database.read() as connection:
        return [(row[0], int(row[1])) for row in connection.execute(wanted) if row[2].startswith(word)]


def pending(database: Database) -> int:
    with database.read() as connection:
        return database.queue.pending(connection)


def until(done: Callable[[], bool], timeout_s: float = DEADLINE_S) -> float:
    """Wait for ``done`` and return how many seconds that took."""
    began_s = time.monotonic()
    while not done():
        assert time.monotonic() - began_s < timeout_s, "it did not come to pass in time"
        threading.Event().wait(0.01)
    return time.monotonic() - began_s


@contextmanager
def process(url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker on ``url`` in a process of its own; it is killed at the end of the block, if it still lives."""
    with subprocess.Popen([sys.executable, "-m", "tests.api.runtime.work", url], stdout=subprocess.PIPE) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == b"works\n"
            yield running
        finally:
            running.kill()


def main(url: str) -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    database = open_database(url, routes={})
    worker = worker_on(database)
    worker.start()
    print("works", flush=True)  # noqa: T201 - tells the test that the worker runs
    ended.wait()
    sys.exit(0 if worker.stop(grace_s=5.0) else 1)


if __name__ == "__main__":
    main(sys.argv[1])
