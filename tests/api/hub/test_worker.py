"""Deliveries by the real worker, on both databases, from several processes, past subscribers that hang or are gone."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import psycopg
import pytest

from api.hub.delivering import delivering
from api.hub.delivery import Patience
from api.hub.fan_out import FanOut
from api.hub.hub import Hub
from api.hub.tables import metadata as hub_tables
from api.runtime.database import Database, open_database
from api.runtime.tables import metadata as runtime_tables
from tests.api.hub.rig import LOOPBACK, SERVICE_ORDERING, order_event
from tests.api.hub.subscriber import Received, Subscriber, subscribed_system, until
from tests.postgres import PostgresServer

PATIENCE = Patience(attempts=1000, first_pause_s=0.001, longest_pause_s=0.01)
Open = Callable[[str], Database]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Return the function that opens a database as one more process would, with nothing shared."""
    with ExitStack() as stack:

        def open_one(url: str) -> Database:
            database = open_database(url, routes={}, fan_out=FanOut())
            stack.callback(database.close)
            database.create_tables(runtime_tables, hub_tables)
            return database

        yield open_one


@pytest.fixture
def shop() -> Iterator[Subscriber]:
    with subscribed_system() as running:
        yield running


def _subscribe(database: Database, callback: str) -> str:
    hub = Hub(transactions=database, guard=LOOPBACK)
    return hub.subscribe(SERVICE_ORDERING, {"callback": callback}).subscription_id


def _publish(database: Database, *, orders: int, events: int, first: int = 0) -> None:
    for number in range(first, first + events):
        with database.begin() as uow:
            for order in range(orders):
                uow.publish(order_event(number, order=f"so-{order}"))


def _by_order(received: list[Received]) -> dict[str, list[int]]:
    """Return the numbers of each order's events as they were accepted, repetitions of the same event aside."""
    found: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for each in received:
        if each.body["eventId"] not in seen:
            seen.add(each.body["eventId"])
            document = each.body["event"]["serviceOrder"]
            found[document["id"]].append(document["number"])
    return found


def _expected(*, orders: int, events: int) -> dict[str, list[int]]:
    return {f"so-{order}": list(range(events)) for order in range(orders)}


def test_every_resource_stays_in_order_though_every_fifth_try_fails(
    database_url: str, opened: Open, shop: Subscriber
) -> None:
    database = opened(database_url)
    shop.answer = lambda _: 500 if len(shop.tried) % 5 == 0 else 201
    _subscribe(database, shop.url)
    with delivering(database, LOOPBACK, patience=PATIENCE, timeout_s=5.0):
        _publish(database, orders=10, events=10)
        shop.wait(accepted=100)
        until(lambda: _waiting(database) == 0)
    assert _by_order(shop.accepted) == _expected(orders=10, events=10)


def test_processes_share_subscriptions_and_deliveries(postgres: PostgresServer, opened: Open, shop: Subscriber) -> None:
    url = postgres.new_database()
    asking, publishing, first, second = (opened(url) for _ in range(4))
    _publish(publishing, orders=2, events=1)
    key = _subscribe(asking, shop.url)
    with (
        delivering(first, LOOPBACK, patience=PATIENCE, timeout_s=5.0),
        delivering(second, LOOPBACK, patience=PATIENCE, timeout_s=5.0),
    ):
        _publish(publishing, orders=5, events=10)
        shop.wait(accepted=50)
        Hub(transactions=asking, guard=LOOPBACK).unsubscribe(SERVICE_ORDERING, key)
        _publish(publishing, orders=5, events=1)
        until(lambda: _waiting(publishing) == 0)
    assert _by_order(shop.accepted) == _expected(orders=5, events=10)


def test_a_hanging_and_a_dead_subscriber_keep_nobody_waiting(database_url: str, opened: Open, shop: Subscriber) -> None:
    database = opened(database_url)
    with subscribed_system() as gone:
        _subscribe(database, gone.url)
    with subscribed_system() as stuck:
        stuck.hold.set()
        _subscribe(database, stuck.url)
        _publish(database, orders=40, events=1)
        _subscribe(database, shop.url)
        with delivering(database, LOOPBACK, patience=PATIENCE, timeout_s=60.0):
            stuck.wait(tried=1)
            _publish(database, orders=10, events=5)
            shop.wait(accepted=50)
            assert stuck.accepted == []
            stuck.hold.clear()
            stuck.wait(accepted=90)
    assert _by_order(shop.accepted) == _expected(orders=10, events=5)


def test_a_worker_that_stops_and_one_that_begins_lose_nothing(
    database_url: str, opened: Open, shop: Subscriber
) -> None:
    database = opened(database_url)
    _subscribe(database, shop.url)
    for first in range(0, 20, 5):
        with delivering(database, LOOPBACK, patience=PATIENCE, timeout_s=5.0):
            _publish(database, orders=3, events=5, first=first)
    with delivering(database, LOOPBACK, patience=PATIENCE, timeout_s=5.0):
        until(lambda: _waiting(database) == 0)
    assert _by_order(shop.accepted) == _expected(orders=3, events=20)


def test_event_times_are_utc_wherever_the_server_stands(
    postgres: PostgresServer, opened: Open, shop: Subscriber
) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {url.rsplit('/', 1)[1]} SET timezone TO 'Asia/Tokyo'".encode())
    database = opened(url)
    _subscribe(database, shop.url)
    before = datetime.now(UTC)
    with delivering(database, LOOPBACK, patience=PATIENCE, timeout_s=5.0):
        _publish(database, orders=1, events=1)
        shop.wait(accepted=1)
    at = datetime.fromisoformat(shop.accepted[0].body["eventTime"])
    assert abs((at - before).total_seconds()) < 60


def _waiting(database: Database) -> int:
    with database.read() as connection:
        return database.queue.pending(connection)
