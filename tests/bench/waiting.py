"""What orders cost that wait for a person: no thread, and next to no time of the others."""

import threading
from collections.abc import Callable
from statistics import median
from typing import Final

from sqlalchemy import insert

from inventory.rows import Row
from orders.product.layer import product_order_store
from tests.bench.orders import order
from tests.bench.report import UNDER, Figure, rounded
from tests.bench.rig import Rig, running

WAITING: Final = 100_000
CHUNK: Final = 10_000
ORDERS: Final = 600
WARM_UP: Final = 100


def waiting(runs: int) -> list[Figure]:
    """Return by how much 100,000 waiting orders slow the rest, and how many threads they cost.

    The peer is a platform that did all the same but has no waiting orders, measured in turns.
    """
    threads: list[int] = []
    with_them, without = [], []
    for _ in range(runs):
        without.append(_rate(lambda _: None, threads))
        with_them.append(_rate(_let_wait, threads))
    slower = 100 * (median(without) / median(with_them) - 1)
    peers = {"orders/s with them": rounded(median(with_them)), "orders/s without": rounded(median(without))}
    return [
        Figure(name="waiting_slower", value=rounded(max(slower, 0.0)), unit="%", goal=5, sense=UNDER, peers=peers),
        Figure(name="waiting_threads", value=max(0, *threads), unit="threads", goal=0, sense=UNDER),
    ]


def _rate(prepare: Callable[[Rig], None], threads: list[int]) -> float:
    with running() as rig:
        rig.complete(WARM_UP)
        had = threading.active_count()
        prepare(rig)
        rig.complete(WARM_UP)
        threads.append(threading.active_count() - had)
        return rig.rate(ORDERS)


def _let_wait(rig: Rig) -> None:
    """Store product orders that wait for approval: rows in state pending, with their documents."""
    store = product_order_store()
    for start in range(0, WAITING, CHUNK):
        with rig.system.database.begin() as uow:
            rows = [_pending(f"waiting-{number}") for number in range(start, start + CHUNK)]
            values = [
                {
                    "id": row.id,
                    "state": row.state,
                    "external_id": None,
                    "correlation_id": row.correlation_id,
                    "document": uow.text(row.document),
                    "task": "{}",
                    "version": 1,
                    "created_at": uow.now,
                    "updated_at": uow.now,
                }
                for row in rows
            ]
            uow.connection.execute(insert(store.table), values)


def _pending(key: str) -> Row:
    document = {**order(0), "id": key, "href": f"/productOrder/{key}", "state": "pending"}
    return Row(id=key, state="pending", correlation_id=key, document=document)
