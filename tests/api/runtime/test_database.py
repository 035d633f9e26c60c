"""The database loses no update, and an exception leaves nothing behind."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update

from api.errors import StartRefused
from api.runtime.database import Database
from api.runtime.tables import events, jobs, moves
from inventory.ledger import Event, Move, NewJob, UnitOfWork

THREADS, ROUNDS = 8, 40

schema = MetaData()
counter = Table("counter", schema, Column("value", Integer, nullable=False))


def test_read_modify_writes_of_many_threads_all_count(open_database: Callable[..., Database]) -> None:
    database = open_database(schema)
    with database.begin() as uow:
        uow.connection.execute(insert(counter).values(value=0))

    def add() -> None:
        for _ in range(ROUNDS):
            with database.begin() as uow:
                value = uow.connection.execute(select(counter.c.value)).scalar_one()
                uow.connection.execute(update(counter).values(value=value + 1))

    threads = [threading.Thread(target=add) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(select(counter.c.value)).scalar_one() == THREADS * ROUNDS


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
    database.on_commit(lambda: woken.append("woken"))
    with database.begin() as uow:
        uow.record(Move(resource_kind="thing", resource_id="t1", from_state="", to_state="new"))
    assert woken == []
    with database.begin() as uow:
        _write_everything(uow)
    assert woken == ["woken"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    file = tmp_path / "lastmile.db"
    file.write_bytes(bytes(range(256)) * 32)
    database = Database(file, routes={})
    with pytest.raises(StartRefused, match=r"lastmile\.db: file is not a database"):
        database.create_tables(MetaData())
    database.close()
