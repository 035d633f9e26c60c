"""What clients see of a platform that has stored 100,000 orders: reading, filtering, taking one more."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from api.http.server import bind, serving
from api.wiring import PRODUCT_ORDERING
from tests.bench.orders import order
from tests.bench.report import UNDER, Figure, rounded
from tests.bench.rig import ROOT, Rig, running
from tests.bench.seed import customer, external_id, key_of, moment_of, seed
from tests.bench.stored_peer import peer

COLLECTION: Final = f"{PRODUCT_ORDERING}/productOrder"
STORED: Final = 100_000
FEW: Final = 1_000
CLIENTS: Final = 4
FILTERED: Final = 60
STEP: Final = 7_919
"""Orders are asked for all over the table: a prime number apart."""

Numbers = Iterator[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """A process of clients that talks to one server."""

    process: subprocess.Popen[str]
    token: str | None

    def rate(self, requests: Sequence[str], connections: int = CLIENTS) -> float:
        """Return how many of the requests are answered per second."""
        return len(requests) / self.took_s(requests, connections)

    def took_s(self, requests: Sequence[str], connections: int = CLIENTS) -> float:
        """Return how long the requests take.

        Raises:
            RuntimeError: one was refused.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"connections": connections, "requests": requests}) + "\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError("a request was refused; the clients said which")
        return float(said)

    def get(self, path: str) -> str:
        """Return a GET below the collection as it goes over the wire."""
        return self._request("GET", path, "")

    def post(self, number: int) -> str:
        """Return the POST of an order as it goes over the wire."""
        return self._request("POST", "", json.dumps(order(number)))

    def _request(self, method: str, path: str, body: str) -> str:
        head = [f"{method} {COLLECTION}{path} HTTP/1.1", "Host: bench"]
        head += [f"Authorization: Bearer {self.token}"] if self.token else []
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*head, "", body])


def stored(runs: int) -> list[Figure]:
    """Return how reading and posting go with 100,000 orders stored, beside FastAPI with SQLAlchemy on the same file."""
    with running(works=False, auth=True) as rig, ExitStack() as stack:
        _fill(rig, STORED)
        ours = stack.enter_context(_clients(rig.url, rig.system.first_token))
        url = stack.enter_context(serving(peer(rig, stack), bind("127.0.0.1", 0)))
        theirs = stack.enter_context(_clients(url, None))
        numbers = itertools.count(1)
        return [_compared(each, runs, (ours, theirs), numbers) for each in _FIGURES]


def filters_flat(runs: int) -> list[Figure]:
    """Return by how much the processor time of a filter grows from 1,000 to 100,000 stored orders, the worst of all."""
    with ExitStack() as stack:
        rigs = [(stack.enter_context(running(works=False, auth=True)), size) for size in (FEW, STORED)]
        for rig, size in rigs:
            _fill(rig, size)
        clients = [(stack.enter_context(_clients(rig.url, rig.system.first_token)), size) for rig, size in rigs]
        found = {name: _growth(clients, queries, runs) for name, queries in _FILTERS.items()}
    return [
        Figure(name="filters_flat", value=max(found.values()), unit="times", goal=1.5, sense=UNDER, peers=found),
    ]


def _by_id(clients: Clients, numbers: Numbers, count: int) -> list[str]:
    return [clients.get(f"/{key_of(next(numbers) * STEP % STORED)}") for _ in range(count)]


def _page(clients: Clients, _: Numbers, count: int) -> list[str]:
    return [clients.get("?limit=100")] * count


def _post(clients: Clients, numbers: Numbers, count: int) -> list[str]:
    return [clients.post(next(numbers)) for _ in range(count)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One figure beside the peer's, who is asked for less: it takes longer."""

    name: str
    unit: str
    goal: float
    ask: Callable[[Clients, Numbers, int], list[str]]
    count: int
    peer_count: int


_FIGURES: Final = (
    Measured(name="stored_by_id", unit="reads/s", goal=800, ask=_by_id, count=2_000, peer_count=300),
    Measured(name="stored_page_100", unit="pages/s", goal=150, ask=_page, count=300, peer_count=20),
    Measured(name="stored_post", unit="posts/s", goal=300, ask=_post, count=500, peer_count=100),
)

_FILTERS: Final[Mapping[str, Callable[[int, int], str]]] = {
    "held": lambda _, __: "?state=held",
    "completed": lambda _, __: "?state=completed&limit=20",
    "externalId": lambda number, _: f"?externalId={external_id(number)}",
    "relatedParty.id": lambda number, _: f"?relatedParty.id={customer(number)}",
    "one minute": lambda number, size: (
        f"?orderDate.gte={moment_of(number, size)}&orderDate.lte={moment_of(number, size)}&limit=20"
    ),
    "newest first": lambda _, __: "?sort=-orderDate&limit=20",
    "completed, newest first": lambda _, __: "?state=completed&sort=-orderDate&limit=20",
}


def _compared(measured: Measured, runs: int, clients: tuple[Clients, Clients], numbers: Numbers) -> Figure:
    rates = [
        median(each.rate(measured.ask(each, numbers, count)) for _ in range(runs))
        for each, count in zip(clients, (measured.count, measured.peer_count), strict=True)
    ]
    peers = {"FastAPI, SQLAlchemy, response_model": rounded(rates[1])}
    return Figure(name=measured.name, value=rounded(rates[0]), unit=measured.unit, goal=measured.goal, peers=peers)


def _growth(clients: Sequence[tuple[Clients, int]], query: Callable[[int, int], str], runs: int) -> float:
    """Return how many times as much processor time a filter takes with many orders, in turns with few."""
    found: dict[int, list[float]] = {FEW: [], STORED: []}
    for turn in range(runs + 1):
        for each, size in clients:
            asked = [each.get(query((turn * FILTERED + number) * STEP % size, size)) for number in range(FILTERED)]
            begun_s = time.process_time()
            each.took_s(asked, 1)
            if turn > 0:
                found[size].append(time.process_time() - begun_s)
    return rounded(median(found[STORED]) / median(found[FEW]))


def _fill(rig: Rig, count: int) -> None:
    rig.place(1)
    seed(rig, range(count), count)


@contextmanager
def _clients(url: str, token: str | None) -> Iterator[Clients]:
    where = urlsplit(url)
    command = [sys.executable, "-m", "tests.bench.load", str(where.hostname), str(where.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Clients(process=process, token=token)
