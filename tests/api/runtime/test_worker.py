"""Jobs run in lane order, survive a failing handler, and carry the event that caused them."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from api.runtime.batch import MAX_FAILURES
from api.runtime.database import Database
from api.runtime.tables import jobs, moves
from api.runtime.worker import Worker
from inventory.ledger import Event, Job, Move, NewJob, Retry, Transactions, UnitOfWork

DEADLINE_S = 5.0


def _enqueue(database: Database, *names: tuple[str, str]) -> None:
    with database.begin() as uow:
        for lane, name in names:
            uow.enqueue(NewJob(kind="note", lane=lane, payload={"name": name}))


def _make_due(database: Database) -> None:
    with database.begin() as uow:
        uow.connection.execute(update(jobs).values(run_at_s=0.0))


def test_a_lane_keeps_its_order_and_lanes_do_not_wait_for_each_other(database: Database) -> None:
    seen: list[str] = []

    def note(job: Job, _: UnitOfWork) -> Retry | None:
        if job.payload["name"] == "a1" and job.attempt == 1:
            return Retry(delay_s=60.0, reason="not yet")
        seen.append(job.payload["name"])
        return None

    worker = Worker(database=database, handlers={"note": note}, device_handlers={})
    _enqueue(database, ("a", "a1"), ("a", "a2"), ("b", "b1"))
    while worker.run_ready():
        pass
    assert seen == ["b1"]
    _make_due(database)
    while worker.run_ready():
        pass
    assert seen == ["b1", "a1", "a2"]


def test_a_failing_handler_costs_its_own_job_only_and_is_parked_with_its_reason(database: Database) -> None:
    seen: list[str] = []

    def note(job: Job, uow: UnitOfWork) -> Retry | None:
        uow.record(Move(resource_kind="note", resource_id=job.payload["name"], from_state="", to_state="seen"))
        if job.payload["name"] == "bad":
            raise ValueError("this note is bad")
        seen.append(job.payload["name"])
        return None

    worker = Worker(database=database, handlers={"note": note}, device_handlers={})
    _enqueue(database, ("a", "bad"), ("b", "good"))
    for _ in range(MAX_FAILURES):
        worker.run_ready()
        _make_due(database)
    with database.read() as connection:
        (parked,) = database.queue.parked(connection)
        recorded = connection.execute(select(moves.c.resource_id)).scalars().all()
    assert seen == ["good"]
    assert recorded == ["good"]
    assert (parked.lane, parked.attempt, parked.reason) == ("a", MAX_FAILURES, "ValueError: this note is bad")


def test_an_event_becomes_a_job_of_each_follower_with_the_document(open_database: Callable[..., Database]) -> None:
    database = open_database(routes={"ThingCreateEvent": ("one.follow", "two.follow")})
    seen: list[tuple[str, object]] = []

    def follow(job: Job, _: UnitOfWork) -> Retry | None:
        assert job.event is not None
        seen.append((job.kind, job.event.document["name"]))
        return None

    with database.begin() as uow:
        event = Event(
            event_type="ThingCreateEvent",
            domain="inventory",
            resource_kind="thing",
            resource_id="t1",
            correlation_id="c1",
            document={"name": "Ünïcode"},
        )
        uow.publish(event)
    worker = Worker(database=database, handlers={"one.follow": follow, "two.follow": follow}, device_handlers={})
    while worker.run_ready():
        pass
    assert seen == [("one.follow", "Ünïcode"), ("two.follow", "Ünïcode")]


def test_the_worker_wakes_on_commit_and_runs_device_jobs_without_a_transaction(database: Database) -> None:
    done = threading.Event()

    def touch(_: Job, transactions: Transactions) -> Retry | None:
        with transactions.begin() as uow:
            uow.record(Move(resource_kind="device", resource_id="d1", from_state="", to_state="touched"))
        done.set()
        return None

    worker = Worker(database=database, handlers={}, device_handlers={"note": touch})
    worker.start()
    _enqueue(database, ("d1", "x"))
    assert done.wait(DEADLINE_S)
    worker.stop()
    with database.read() as connection:
        assert database.queue.pending(connection) == 0


def test_an_unknown_kind_stays_in_the_table(database: Database) -> None:
    worker = Worker(database=database, handlers={}, device_handlers={})
    _enqueue(database, ("a", "x"))
    assert worker.run_ready() == 0
    with database.read() as connection:
        assert database.queue.pending(connection) == 1


@pytest.mark.parametrize("attempt", [1, 2])
def test_retry_is_a_value_and_keeps_its_reason(database: Database, attempt: int) -> None:
    def note(_: Job, __: UnitOfWork) -> Retry | None:
        return Retry(delay_s=0.0, reason="device is busy")

    worker = Worker(database=database, handlers={"note": note}, device_handlers={})
    _enqueue(database, ("a", "x"))
    for _ in range(attempt):
        worker.run_ready()
    with database.read() as connection:
        row = connection.execute(select(jobs.c.attempt, jobs.c.reason)).one()
    assert tuple(row) == (attempt, "device is busy")
