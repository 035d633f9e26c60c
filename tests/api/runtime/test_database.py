"""The database loses no update, and an exception leaves nothing behind."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update

from api.runtime.database import Database
from api.runtime.tables import events, jobs, moves
from inventory.errors import StaleState
from inventory.ledger import Event, Move, NewJob, UnitOfWork
from inventory.store import DocumentStore, Row
from inventory.tables import products

THREADS, ROUNDS = 8, 40

schema = MetaData()
counter = Table("counter", schema, Column("value", Integer, nullable=False))


def _in_threads(work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work) for _ in range(THREADS)]:
            done.result(timeout=60)


def test_on_sqlite_read_modify_writes_of_many_threads_all_count(open_database: Callable[..., Database]) -> None:
    database = open_database(schema)
    with database.begin() as uow:
        uow.connection.execute(insert(counter).values(value=0))

    def add() -> None:
        for _ in range(ROUNDS):
            with database.begin() as uow:
                value = uow.connection.execute(select(counter.c.value)).scalar_one()
                uow.connection.execute(update(counter).values(value=value + 1))

    _in_threads(add)
    with database.read() as connection:
        assert connection.execute(select(counter.c.value)).scalar_one() == THREADS * ROUNDS


def test_read_modify_writes_of_stored_resources_all_count(either: Database) -> None:
    """A store's row is guarded by its version: who comes too late is told, and what was written counts."""
    store = DocumentStore(table=products, kind="product", domain="inventory")
    with either.begin() as uow:
        store.insert(uow, Row(id="p1", state="active", correlation_id="c1", document={"value": 0}))

    def add() -> None:
        added = 0
        while added < ROUNDS:
            with suppress(StaleState):
                _add_one(either, store)
                added += 1

    _in_threads(add)
    with either.read() as connection:
        row = store.get(connection, "p1")
        assert (row.document["value"], row.version) == (THREADS * ROUNDS, THREADS * ROUNDS + 1)
        written = connection.execute(select(events.c.document).order_by(events.c.sequence)).scalars()
        assert [json.loads(text)["value"] for text in written] == list(range(THREADS * ROUNDS + 1))


def _add_one(database: Database, store: DocumentStore) -> None:
    with database.begin() as uow:
        row = store.get(uow, "p1")
        store.save(uow, row, replace(row, document={"value": row.document["value"] + 1}))


def _write_everything(uow: UnitOfWork) -> None:
    event = Event(
        event_type="ThingCreateEvent",
        domain="inventory",
        resource_kind="thing",
        resource_id="t1",
        correlation_id="c1",
        document={"id": "t1"},
    )
    uow.publish(event)
    uow.record(Move(resource_kind="thing", resource_id="t1", from_state="", to_state="new"))
    uow.enqueue(NewJob(kind="thing.start", lane="t1"))


def _counts(database: Database) -> list[int]:
    with database.read() as connection:
        return [len(connection.execute(select(table)).all()) for table in (events, moves, jobs)]


def test_event_history_and_job_are_one_commit(database: Database) -> None:
    with database.begin() as uow:
        _write_everything(uow)
    assert _counts(database) == [1, 1, 1]


def test_an_exception_leaves_nothing_behind(database: Database) -> None:
    def write_then_fail() -> None:
        with database.begin() as uow:
            _write_everything(uow)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_then_fail()
    assert _counts(database) == [0, 0, 0]


def test_readers_do_not_wait_for_an_open_writer(database: Database) -> None:
    with database.begin() as uow:
        _write_everything(uow)
        assert _counts(database) == [0, 0, 0]


def test_a_commit_with_a_job_wakes_the_worker_and_one_without_does_not(database: Database) -> None:
    woken: list[str] = []
    database.signals.subscribe(("thing.start",), lambda: woken.append("woken"))
    with database.begin() as uow:
        uow.record(Move(resource_kind="thing", resource_id="t1", from_state="", to_state="new"))
    assert woken == []
    with database.begin() as uow:
        _write_everything(uow)
    assert woken == ["woken"]
