"""Device jobs that are done for many together: handed over as they come, leased until they end."""

import threading
from collections.abc import Sequence

from api.errors import LeaseLost
from api.runtime.database import Database
from api.runtime.worker import Worker
from inventory.ledger import DeviceJob, Retry
from tests.api.runtime.work import enqueue, pending, traces, until
from tests.api.runtime.work import trace as leave_trace

MANY = 300


class Desk:
    """Keeps the jobs that come until it is told to end them."""

    def __init__(self) -> None:
        self.jobs: list[DeviceJob] = []
        self.dismissed = False

    def accept(self, jobs: Sequence[DeviceJob], /) -> None:
        self.jobs += jobs

    def dismiss(self) -> None:
        self.dismissed = True
        for job in self.jobs:
            job.end(Retry(delay_s=0.0, reason="dismissed"))

    def end_all(self, outcome: Retry | BaseException | None = None) -> None:
        ending, self.jobs = self.jobs, []
        for job in ending:
            job.end(outcome)


def working(database: Database, desk: Desk, **options: int) -> Worker:
    worker = Worker(database=database, handlers={}, device_handlers={}, desks={"touch": desk}, **options)  # type: ignore[arg-type]  # a test's few options
    worker.start()
    return worker


def test_all_ready_jobs_come_at_once_and_no_thread_waits_for_them(either: Database) -> None:
    desk = Desk()
    worker = working(either, desk)
    threads = threading.active_count()
    for lane in range(MANY):
        enqueue(either, "touch", f"l{lane}", {"n": lane})
    until(lambda: len(desk.jobs) == MANY)
    assert threading.active_count() <= threads + 1
    desk.end_all()
    until(lambda: pending(either) == 0)
    assert worker.stop()


def test_a_desk_holds_no_more_than_its_bound(either: Database) -> None:
    desk = Desk()
    worker = working(either, desk, at_desks=10)
    for lane in range(25):
        enqueue(either, "touch", f"l{lane}", {"n": lane})
    for left in (10, 10, 5):
        until(lambda wanted=left: len(desk.jobs) == wanted)  # type: ignore[misc]  # bound per round
        desk.end_all()
    until(lambda: pending(either) == 0)
    assert worker.stop()


def test_jobs_of_a_desk_write_under_their_lease(either: Database) -> None:
    desk = Desk()
    worker = working(either, desk)
    enqueue(either, "touch", "a", {"n": 1})
    until(lambda: bool(desk.jobs))
    (job,) = desk.jobs
    with job.transactions.begin() as uow:
        leave_trace(uow, job.job, "began")
    desk.end_all()
    until(lambda: pending(either) == 0)
    assert traces(either) == [("a", 1)]
    assert worker.stop()


def test_what_broke_a_job_costs_that_job_and_a_lost_lease_nothing(either: Database) -> None:
    desk = Desk()
    worker = working(either, desk)
    enqueue(either, "touch", "a", {"n": 1})
    until(lambda: bool(desk.jobs))
    desk.end_all(ValueError("a bug"))
    until(lambda: bool(desk.jobs))
    assert desk.jobs[0].job.attempt == 2
    desk.end_all(LeaseLost(1, "touch"))
    until(lambda: not worker._hands.running)
    assert worker.stop()
    assert pending(either) == 1


def test_stopping_leaves_to_others_what_has_not_begun(either: Database) -> None:
    desk = Desk()
    worker = working(either, desk)
    enqueue(either, "touch", "a", {"n": 1})
    until(lambda: bool(desk.jobs))
    assert worker.stop()
    assert desk.dismissed
    assert pending(either) == 1
    other = Desk()
    peer = working(either, other)
    until(lambda: bool(other.jobs))
    assert other.jobs[0].job.attempt == 2
    other.end_all()
    until(lambda: pending(either) == 0)
    assert peer.stop()
