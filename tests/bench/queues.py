"""What a job costs in the engine alone: ``python -m tests.bench.queues [JOBS]``.

The handler does nothing. Each figure is the median of three runs in jobs per second, database and worker on this
machine: writing the jobs, and running them until none is left.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import procrastinate

from api.runtime.database import Database, open_database
from api.runtime.tables import metadata
from api.runtime.worker import Worker
from inventory.ledger import Job, NewJob, Retry, Transactions, UnitOfWork
from tests.postgres import PostgresServer, running_server

RUNS: Final = 3
AT_ONCE: Final = 16
_LOOK_EVERY_S: Final = 0.005


def _instant(_: Job, __: UnitOfWork) -> Retry | None:
    return None


def _instant_device(_: Job, __: Transactions) -> Retry | None:
    return None


def _write(database: Database, kind: str, jobs: int) -> float:
    began_s = time.perf_counter()
    with database.begin() as uow:
        for number in range(jobs):
            uow.enqueue(NewJob(kind=kind, lane=f"{kind}{number}", payload={"number": number}))
    return jobs / (time.perf_counter() - began_s)


def _drain(database: Database, jobs: int, workers: int = 1) -> float:
    handlers, devices = {"database": _instant}, {"device": _instant_device}
    running = [Worker(database=database, handlers=handlers, device_handlers=devices) for _ in range(workers)]
    began_s = time.perf_counter()
    for worker in running:
        worker.start()
    while _pending(database):
        threading.Event().wait(_LOOK_EVERY_S)
    took_s = time.perf_counter() - began_s
    for worker in running:
        worker.stop()
    return jobs / took_s


def _pending(database: Database) -> int:
    with database.read() as connection:
        return database.queue.pending(connection)


def _ours(url: str, jobs: int) -> Mapping[str, float]:
    database = open_database(url, routes={})
    database.create_tables(metadata)
    written = _write(database, "database", jobs)
    drained = _drain(database, jobs)
    _write(database, "device", jobs)
    leased = _drain(database, jobs)
    database.close()
    return {"write": written, "database jobs": drained, "device jobs": leased}


def _plain(url: str, jobs: int) -> Mapping[str, float]:
    return asyncio.run(_plainly(url, jobs))


async def _plainly(url: str, jobs: int) -> Mapping[str, float]:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="instant")
    async def instant(number: int) -> None:
        pass

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began_s = time.perf_counter()
        for number in range(jobs):
            await instant.configure(lock=f"lane{number}").defer_async(number=number)
        written = jobs / (time.perf_counter() - began_s)
        began_s = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=AT_ONCE, delete_jobs="always", install_signal_handlers=False)
        return {"write": written, "device jobs": jobs / (time.perf_counter() - began_s)}


def _median(measure: Callable[[], Mapping[str, float]]) -> Mapping[str, int]:
    found = [measure() for _ in range(RUNS)]
    return {name: round(statistics.median(run[name] for run in found)) for name in found[0]}


def measure(server: PostgresServer, jobs: int) -> Mapping[str, Mapping[str, int]]:
    """Return jobs per second by engine and kind of work."""

    def sqlite() -> Mapping[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            return _ours(str(Path(folder) / "bench.db"), jobs)

    return {
        "own table on SQLite": _median(sqlite),
        "Procrastinate, set-wise": _median(lambda: _ours(server.new_database(), jobs)),
        "Procrastinate as it comes": _median(lambda: _plain(server.new_database(), jobs)),
    }


def main(jobs: int = 3000) -> None:
    """Measure and print a line per engine, and the whole as JSON."""
    with running_server(is_durable=True) as server:
        found = measure(server, jobs)
    lines = [
        f"{engine:<28}" + "  ".join(f"{name} {value}/s" for name, value in figures.items())
        for engine, figures in found.items()
    ]
    sys.stdout.write("\n".join([*lines, json.dumps(found), ""]))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
