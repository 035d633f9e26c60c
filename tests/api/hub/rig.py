"""Publishing and delivering without a worker: jobs run in this thread, and the clock jumps to the next due one."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.hub.address import AddressGuard
from api.hub.delivery import Delivery, Patience
from api.hub.fan_out import FanOut
from api.hub.hub import Hub
from api.hub.post import HttpPost
from api.hub.store import DELIVER
from api.hub.tables import metadata as hub_tables
from api.hub.traffic import Traffic
from api.runtime.contracts import Claim, Outcome
from api.runtime.database import Database
from api.runtime.queue_sqlite import SqliteQueue
from api.runtime.sqlite import SqliteBackend
from api.runtime.tables import metadata as runtime_tables
from inventory.ledger import Event

LOOPBACK = AddressGuard(allow=(ipaddress.ip_network("127.0.0.0/8"),))
SERVICE_ORDERING = "/tmf-api/serviceOrdering/v4"
PATIENCE = Patience(attempts=5, first_pause_s=1.0, longest_pause_s=60.0)
MANY_ROUNDS = 10_000


@dataclass(slots=True)
class Clock:
    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)


@dataclass(slots=True, kw_only=True)
class Rig:
    database: Database
    hub: Hub
    delivery: Delivery
    clock: Clock
    attempts_at_s: list[float] = field(default_factory=list)

    def subscribe(self, callback: str, query: str = "", base: str = SERVICE_ORDERING) -> str:
        return self.hub.subscribe(base, {"callback": callback, "query": query}).subscription_id

    def publish(self, *events: Event) -> None:
        with self.database.begin() as uow:
            for event in events:
                uow.publish(event)

    def lease(self, limit: int = 100) -> list[Claim]:
        with self.database.begin() as uow:
            queue = self.database.queue
            return queue.lease(uow.connection, [DELIVER], limit=limit, register=queue.register)

    def run_due(self) -> int:
        claims = self.lease()
        for claim in claims:
            retry = self.delivery(claim.job, self.database)
            self.attempts_at_s.append(self.clock())
            outcome = (
                Outcome(claim=claim, ending="finished")
                if retry is None
                else Outcome(claim=claim, ending="postponed", delay_s=retry.delay_s, reason=retry.reason)
            )
            with self.database.begin() as uow:
                assert self.database.queue.settle(uow.connection, [outcome]) == []
        return len(claims)

    def run_to_the_end(self) -> None:
        for _ in range(MANY_ROUNDS):
            if self.run_due():
                continue
            with self.database.read() as connection:
                due_in_s = self.database.queue.next_due_s(connection, [DELIVER])
            if due_in_s is None:
                return
            self.clock.now_s += max(due_in_s, 0.0) + 0.001
        raise AssertionError("the deliveries do not come to an end")

    def waiting(self) -> int:
        with self.database.read() as connection:
            return self.database.queue.pending(connection)


@contextmanager
def rig(folder: Path, *, patience: Patience = PATIENCE, clock: Clock | None = None) -> Iterator[Rig]:
    clock = clock or Clock()
    backend = SqliteBackend(folder / "hub.db")
    backend.queue = SqliteQueue(time_s=clock)
    database = Database(backend, routes={}, clock=clock.utc, fan_out=FanOut())
    database.create_tables(runtime_tables, hub_tables)
    post = HttpPost(guard=LOOPBACK, timeout_s=5.0)
    delivery = Delivery(post=post, traffic=Traffic(), patience=patience, clock_s=clock, chance=lambda: 1.0)
    yield Rig(database=database, hub=Hub(transactions=database, guard=LOOPBACK), delivery=delivery, clock=clock)
    post.close()
    database.close()


def order_event(number: int = 0, *, order: str = "so-1", change: str = "StateChange", **document: Any) -> Event:
    body: Mapping[str, Any] = {"id": order, "state": "inProgress", "number": number, **document}
    return Event(
        event_type=f"ServiceOrder{change}Event",
        domain="service",
        resource_kind="serviceOrder",
        resource_id=order,
        correlation_id="po-1",
        document=body,
    )
