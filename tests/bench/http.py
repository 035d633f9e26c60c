"""What a client sees: latency of an order, orders taken per second, pages read per second."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI

from api.http.server import bind, serving
from api.wiring import PRODUCT_ORDERING
from orders.product.bodies import ProductOrderBody
from tests.bench.orders import order
from tests.bench.report import UNDER, Figure, median_of, percentile, rounded
from tests.bench.rig import Rig, running
from tests.postgres import running_server

ROOT: Final = Path(__file__).parents[2]
COLLECTION: Final = f"{PRODUCT_ORDERING}/productOrder"
LATENCY_ORDERS: Final = 40
PER_SECOND: Final = 2.0
CLIENTS: Final = 4
POSTS: Final = 600
PAGES: Final = 300
SLOW_PAGES: Final = 20
LOOK_EVERY_S: Final = 0.002


def latency(runs: int) -> list[Figure]:
    """Return how long a lone order takes from POST to completed, with two orders per second, on both databases."""
    return [*_latency("sqlite", runs, {}), *_on_postgres(runs)]


def post_order(runs: int) -> list[Figure]:
    """Return how many orders per second are taken over HTTP by a process that only takes them."""
    return [Figure(name="post_order", value=median_of(runs, _post_rate), unit="posts/s", goal=300)]


def get_page_100(runs: int) -> list[Figure]:
    """Return how many pages of 100 orders per second are read, beside FastAPI's response_model way."""
    with running() as rig:
        rig.complete(100)
        value = median_of(runs, lambda: _page_rate(rig.url, PAGES))
        with serving(_peer(rig), bind("127.0.0.1", 0)) as url:
            modelled = median_of(runs, lambda: _page_rate(url, SLOW_PAGES))
    return [
        Figure(name="get_page_100", value=value, unit="pages/s", goal=150, peers={"FastAPI response_model": modelled})
    ]


def _on_postgres(runs: int) -> list[Figure]:
    with running_server(is_durable=True) as server:
        return _latency("postgres", runs, {"database": server.new_database()})


def _latency(name: str, runs: int, settings: Mapping[str, Any]) -> list[Figure]:
    taken_ms = [1000 * taken_s for run in range(runs) for taken_s in _latencies(run, settings)]
    p50, p95 = (rounded(percentile(taken_ms, share)) for share in (0.5, 0.95))
    return [
        Figure(name=f"latency_p50_{name}", value=p50, unit="ms", goal=100, sense=UNDER),
        Figure(name=f"latency_p95_{name}", value=p95, unit="ms", goal=200, sense=UNDER),
    ]


def _latencies(run: int, settings: Mapping[str, Any]) -> list[float]:
    """Return seconds per order; runs share a PostgreSQL database, so that each has numbers of its own."""
    first = run * (LATENCY_ORDERS + 1)
    with running(**settings) as rig, httpx.Client(base_url=rig.url, trust_env=False) as client:
        _follow(client, first)
        found: list[float] = []
        begin_s = time.perf_counter()
        for number in range(1, LATENCY_ORDERS + 1):
            time.sleep(max(0.0, begin_s + number / PER_SECOND - time.perf_counter()))
            found.append(_follow(client, first + number))
        return found


def _follow(client: httpx.Client, number: int) -> float:
    started_s = time.perf_counter()
    placed = client.post(COLLECTION, json=order(number))
    placed.raise_for_status()
    where = placed.headers["Location"]
    while (state := client.get(where, params={"fields": "state"}).json()["state"]) != "completed":
        if state in {"failed", "partial"}:
            raise RuntimeError(f"order {number} ended {state}")
        time.sleep(LOOK_EVERY_S)
    return time.perf_counter() - started_s


def _post_rate() -> float:
    """Return the rate that clients in a process of their own reach: they are no part of the platform."""
    with running(works=False) as rig:
        command = [sys.executable, "-m", "tests.bench.poster", rig.url, str(POSTS), str(CLIENTS)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        return POSTS / float(done.stdout)


def _page_rate(url: str, count: int) -> float:
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.get(COLLECTION, params={"limit": "100"}).raise_for_status()
        started_s = time.perf_counter()
        for _ in range(count):
            client.get(COLLECTION, params={"limit": "100"}).raise_for_status()
        return count / (time.perf_counter() - started_s)


def _peer(rig: Rig) -> FastAPI:
    """Return an application that answers the same page through a model, as FastAPI's tutorial does."""
    app = FastAPI()
    collection = next(each for each in rig.system.collections if each.name == "productOrder")

    def read(limit: int = 100) -> list[dict[str, Any]]:
        page = collection.page(rig.query(limit))
        return [json.loads(text) for text in page.texts]

    app.add_api_route(COLLECTION, read, methods=["GET"], response_model=list[ProductOrderBody])
    return app
