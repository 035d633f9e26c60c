"""Orders per second on PostgreSQL, with one worker process and with two."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.bench.report import Figure, median_of, rounded
from tests.bench.rig import running
from tests.postgres import running_server

ROOT: Final = Path(__file__).parents[2]
ORDERS: Final = 400
WARM_UP: Final = 100


def orders_postgres(runs: int) -> list[Figure]:
    """Return orders per second with two workers, beside one worker's, and how much of twice that it is."""
    two = median_of(runs, lambda: _rate(2))
    one = median_of(runs, lambda: _rate(1))
    peers = {"one worker": one, "efficiency from one to two, %": rounded(100 * two / (2 * one))}
    return [Figure(name="orders_postgres", value=two, unit="orders/s", goal=60, peers=peers)]


def _rate(workers: int) -> float:
    with ExitStack() as stack:
        server = stack.enter_context(running_server(is_durable=True))
        url = server.new_database()
        rig = stack.enter_context(running(works=False, database=url))
        for _ in range(workers):
            stack.enter_context(_worker(url))
        rig.complete(WARM_UP)
        return rig.rate(ORDERS)


@contextmanager
def _worker(url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.peer", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as process:
        if process.stdout is None or process.stdout.readline() != b"ready\n":
            raise RuntimeError("the worker process did not start; its log says why")
        yield
        # Leaving the block closes its input, which ends it.
