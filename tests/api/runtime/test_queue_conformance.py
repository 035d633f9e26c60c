"""The job contract, on every adapter alike."""

import signal
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.errors import LeaseLost
from api.runtime.batch import MAX_FAILURES, failed
from api.runtime.contracts import Claim, Outcome, WorkerId
from api.runtime.database import Database, open_database
from api.runtime.fence import FencedTransactions
from inventory.ledger import Event, Job, NewJob, Transactions
from tests.api.runtime.work import enqueue, pending, process, trace, traces, until, worker_on

TAKE_OVER_S = 10.0


def _put(database: Database, *jobs: NewJob) -> None:
    with database.begin() as uow:
        for job in jobs:
            uow.enqueue(job)


def _job(lane: str, n: int = 0, *, kind: str = "count", priority: int = 0, delay_s: float = 0.0) -> NewJob:
    return NewJob(kind=kind, lane=lane, payload={"n": n}, priority=priority, delay_s=delay_s)


def _claim(database: Database, limit: int = 100) -> list[Claim]:
    """Return what is ready; the transaction ends, so that nothing stays claimed."""
    with database.begin() as uow:
        return database.queue.claim(uow.reader, ["count"], limit=limit)


def _lease(database: Database, worker_id: WorkerId, limit: int = 100) -> list[Claim]:
    with database.begin() as uow:
        return database.queue.lease(uow.reader, ["count"], limit=limit, register=lambda _: worker_id)


def _worker(database: Database) -> WorkerId:
    with database.begin() as uow:
        return database.queue.register(uow.reader)


def _settle(database: Database, *outcomes: Outcome) -> list[Outcome]:
    with database.begin() as uow:
        return database.queue.settle(uow.reader, outcomes)


def _finished(claim: Claim) -> Outcome:
    return Outcome(claim=claim, ending="finished")


def _reap(database: Database, silent_for_s: float = 0.0, max_failures: int = MAX_FAILURES) -> int:
    with database.begin() as uow:
        return database.queue.reap(uow.reader, silent_for_s=silent_for_s, max_failures=max_failures)


def _lanes(claims: list[Claim]) -> list[str]:
    return [claim.job.lane for claim in claims]


def test_a_job_is_there_only_if_its_transaction_committed(either: Database) -> None:
    def fail() -> None:
        with either.begin() as uow:
            uow.enqueue(_job("a"))
            uow.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _claim(either) == []
    _put(either, _job("a"))
    assert _lanes(_claim(either)) == ["a"]


def test_only_the_first_of_each_lane_is_ready(either: Database) -> None:
    _put(either, _job("a", 1), _job("a", 2), _job("b", 3))
    first = _claim(either)
    assert [(claim.job.lane, claim.job.payload["n"], claim.alone) for claim in first] == [
        ("a", 1, False),
        ("b", 3, True),
    ]
    assert _settle(either, *map(_finished, first)) == []
    assert [claim.job.payload["n"] for claim in _claim(either)] == [2]


def test_other_kinds_hold_their_lane_and_are_not_ours(either: Database) -> None:
    _put(either, _job("a", 1, kind="other"), _job("a", 2), _job("b", 3))
    assert _lanes(_claim(either)) == ["b"]


def test_a_job_with_a_delay_waits_and_so_does_its_lane(either: Database) -> None:
    _put(either, _job("a", 1, delay_s=60.0), _job("a", 2), _job("b", 3, delay_s=0.05))
    assert _claim(either) == []
    with either.read() as connection:
        due_s = either.queue.next_due_s(connection, ["count"])
        assert either.queue.next_due_s(connection, ["other"]) is None
    assert due_s is not None
    assert due_s <= 0.05
    until(lambda: _lanes(_claim(either)) == ["b"])


def test_the_higher_priority_goes_first_and_a_lane_keeps_its_order(either: Database) -> None:
    _put(either, _job("a"), _job("b", priority=5), _job("c", 1), _job("c", 2, priority=9))
    assert _lanes(_claim(either)) == ["b", "a", "c"]
    assert _lanes(_claim(either, limit=1)) == ["b"]


def test_a_claim_brings_the_event_that_caused_the_job(database_url: str, either: Database) -> None:
    event = Event(
        event_type="ThingCreateEvent",
        domain="inventory",
        resource_kind="thing",
        resource_id="t1",
        correlation_id="c1",
        document={"name": "Ünïcode"},
    )
    routed = open_database(database_url, routes={"ThingCreateEvent": ("count",)})
    with routed.begin() as uow:
        uow.publish(event)
    routed.close()
    (claim,) = _claim(either)
    assert (claim.job.event, claim.job.lane) == (event, "c1")


def test_a_postponed_job_keeps_its_place_its_reason_and_counts_its_attempts(either: Database) -> None:
    _put(either, _job("a", 1), _job("a", 2))
    (claim,) = _claim(either)
    _settle(either, Outcome(claim=claim, ending="postponed", reason="busy", failures=3))
    (again,) = _claim(either)
    assert (again.job.payload["n"], again.job.attempt, again.failures) == (1, 2, 3)


def test_a_parked_job_frees_its_lane_and_runs_again_by_command(either: Database) -> None:
    _put(either, _job("a", 1), _job("a", 2))
    (claim,) = _claim(either)
    _settle(either, Outcome(claim=claim, ending="parked", reason="ValueError: no\0", failures=MAX_FAILURES))
    with either.read() as connection:
        (parked,) = either.queue.parked(connection)
        assert either.queue.pending(connection) == 1
    assert (parked.job_id, parked.kind, parked.lane, parked.attempt) == (claim.job.job_id, "count", "a", 1)
    assert parked.reason.startswith("ValueError: no")
    assert [each.job.payload["n"] for each in _claim(either)] == [2]
    with either.begin() as uow:
        assert either.queue.retry(uow.reader, [claim.job.job_id + 1]) == []
        assert either.queue.retry(uow.reader, [claim.job.job_id]) == [claim.job.job_id]
    assert [(each.job.payload["n"], each.failures) for each in _claim(either)] == [(1, 0)]


def test_retry_without_a_name_means_all(either: Database) -> None:
    _put(either, _job("a"), _job("b"))
    _settle(either, *(Outcome(claim=claim, ending="parked", reason="no") for claim in _claim(either)))
    with either.begin() as uow:
        assert len(either.queue.retry(uow.reader)) == 2
    assert _lanes(_claim(either)) == ["a", "b"]


def test_a_leased_job_is_nobody_elses_and_its_lane_waits(either: Database) -> None:
    _put(either, _job("a", 1), _job("a", 2))
    mine, other = _worker(either), _worker(either)
    (claim,) = _lease(either, mine)
    assert claim.worker_id == mine
    assert _lease(either, other) == []
    assert _claim(either) == []
    assert pending(either) == 2
    assert _settle(either, _finished(claim)) == []
    assert [each.job.payload["n"] for each in _lease(either, other)] == [2]


def test_a_worker_that_is_heard_of_keeps_its_lease(either: Database) -> None:
    _put(either, _job("a"))
    mine = _worker(either)
    (claim,) = _lease(either, mine)
    with either.begin() as uow:
        assert either.queue.beat(uow.reader, mine)
    with either.read() as connection:
        assert not either.queue.has_orphans(connection, silent_for_s=60.0)
    assert _reap(either, silent_for_s=60.0) == 0
    with either.begin() as uow:
        assert either.queue.holds(uow.reader, claim)


def test_a_silent_worker_loses_its_lease_and_can_do_nothing_with_it(either: Database) -> None:
    _put(either, _job("a"))
    mine, other = _worker(either), _worker(either)
    (stale,) = _lease(either, mine)
    threading.Event().wait(0.02)
    with either.begin() as uow:
        either.queue.beat(uow.reader, other)
    with either.read() as connection:
        assert either.queue.has_orphans(connection, silent_for_s=0.01)
    assert _reap(either, silent_for_s=0.01) == 1
    with either.begin() as uow:
        assert not either.queue.beat(uow.reader, mine)
    (claim,) = _lease(either, _worker(either))
    assert (claim.job.attempt, claim.failures) == (2, 1)

    lost = _finished(stale)
    assert _settle(either, lost) == [lost]
    fenced = FencedTransactions(database=either, claim=stale, stopping=threading.Event())
    with pytest.raises(LeaseLost, match=str(stale.job.job_id)), fenced.begin() as uow:
        trace(uow, stale.job, "too late")
    assert traces(either) == []
    assert _settle(either, _finished(claim)) == []
    assert pending(either) == 0


def test_the_same_worker_that_lost_its_lease_and_got_the_job_again_is_told_apart(either: Database) -> None:
    _put(either, _job("a"))
    mine = _worker(either)
    (stale,) = _lease(either, mine)
    with either.begin() as uow:
        either.queue.hand_back(uow.reader, mine, keep=())
    (claim,) = _lease(either, mine)
    assert len(_settle(either, _finished(stale))) == 1
    assert _settle(either, _finished(claim)) == []


def test_a_job_handed_back_but_for_those_kept(either: Database) -> None:
    _put(either, _job("a"), _job("b"))
    mine = _worker(either)
    kept, _ = _lease(either, mine)
    with either.begin() as uow:
        either.queue.hand_back(uow.reader, mine, keep=[kept.job.job_id])
    assert _lanes(_claim(either)) == ["b"]


def test_a_worker_that_retires_leaves_its_jobs_to_others_at_once(either: Database) -> None:
    _put(either, _job("a"))
    mine = _worker(either)
    _lease(either, mine)
    with either.begin() as uow:
        either.queue.retire(uow.reader, mine)
    assert [(claim.job.lane, claim.failures) for claim in _claim(either)] == [("a", 0)]


def test_a_job_that_kills_its_workers_is_parked(either: Database) -> None:
    _put(either, _job("a"))
    for _ in range(3):
        (claim,) = _lease(either, _worker(either))
        _charge(either, claim)
        threading.Event().wait(0.002)
        assert _reap(either, silent_for_s=0.001, max_failures=3) == 1
    with either.read() as connection:
        (parked,) = either.queue.parked(connection)
    assert "died" in parked.reason


def test_a_job_that_only_waited_is_charged_with_the_first_death_alone(either: Database) -> None:
    _put(either, _job("waits"), _job("works"))
    for deaths in range(1, 5):
        waits, works = _lease(either, _worker(either))
        _charge(either, works)
        threading.Event().wait(0.002)
        assert _reap(either, silent_for_s=0.001) == 2
        again = {claim.job.lane: claim.failures for claim in _claim(either)}
        assert again == {"waits": 1, "works": deaths}
        assert waits.failures == min(1, deaths - 1)


def test_settling_takes_the_charge_back(either: Database) -> None:
    _put(either, _job("a"))
    (claim,) = _lease(either, _worker(either))
    _charge(either, claim)
    assert _settle(either, Outcome(claim=claim, ending="postponed", reason="busy", failures=claim.failures)) == []
    (again,) = _lease(either, _worker(either))
    assert again.failures == 0


def test_only_who_holds_the_lease_charges(either: Database) -> None:
    _put(either, _job("a"))
    mine = _worker(either)
    (stale,) = _lease(either, mine)
    with either.begin() as uow:
        either.queue.retire(uow.reader, mine)
    (_,) = _lease(either, _worker(either))
    _charge(either, stale)
    threading.Event().wait(0.002)
    assert _reap(either, silent_for_s=0.001, max_failures=2) == 1
    assert [claim.failures for claim in _claim(either)] == [1]


def test_a_claim_is_charged_once_however_often_it_begins_and_acquitted_of_all(either: Database) -> None:
    _put(either, _job("a"), _job("b"))
    charged, acquitted = _lease(either, _worker(either))
    for _ in range(3):
        _charge(either, charged, acquitted)
    with either.begin() as uow:
        either.queue.acquit(uow.reader, [acquitted])
    threading.Event().wait(0.002)
    assert _reap(either, silent_for_s=0.001) == 2
    first, second = _lease(either, _worker(either))
    assert [(claim.failures, claim.died) for claim in (first, second)] == [(1, True), (1, True)]
    _charge(either, first, second)
    _charge(either, first)
    with either.begin() as uow:
        either.queue.acquit(uow.reader, [second])
    threading.Event().wait(0.002)
    assert _reap(either, silent_for_s=0.001) == 2
    assert {claim.job.lane: claim.failures for claim in _claim(either)} == {"a": 2, "b": 1}


def test_a_claim_says_whether_its_last_worker_died(either: Database) -> None:
    _put(either, _job("a"))
    (claim,) = _lease(either, _worker(either))
    assert not claim.died
    threading.Event().wait(0.002)
    _reap(either, silent_for_s=0.001)
    (claim,) = _lease(either, _worker(either))
    assert claim.died
    _settle(either, Outcome(claim=claim, ending="postponed", reason="busy", failures=claim.failures))
    assert [(claim.failures, claim.died) for claim in _claim(either)] == [(1, False)]


def _charge(database: Database, *claims: Claim) -> None:
    with database.begin() as uow:
        database.queue.charge(uow.reader, claims)


def test_a_settled_job_cannot_be_settled_again(either: Database) -> None:
    _put(either, _job("a"))
    (claim,) = _claim(either)
    assert _settle(either, failed(claim, ValueError("no"))) == []
    assert len(_settle(either, _finished(claim))) == 1
    assert pending(either) == 1


def test_claims_of_many_workers_at_once_never_share_a_lane_nor_change_its_order(either: Database) -> None:
    lanes, each = 12, 15
    for lane in range(lanes):
        _put(either, *(_job(f"l{lane}", n) for n in range(each)))
    running: Counter[str] = Counter()
    seen: dict[str, list[int]] = defaultdict(list)
    shared: list[str] = []
    guard = threading.Lock()

    def work() -> None:
        while pending(either):
            with either.begin() as uow:
                claims = either.queue.claim(uow.reader, ["count"], limit=3)
                with guard:
                    running.update(_lanes(claims))
                    shared.extend(lane for lane, times in running.items() if times > 1)
                outcomes = [_finished(claim) for claim in claims]
                assert either.queue.settle(uow.reader, outcomes) == [] if outcomes else True
                with guard:
                    running.subtract(_lanes(claims))
                    for claim in claims:
                        seen[claim.job.lane].append(claim.job.payload["n"])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result(timeout=60)
    assert shared == []
    assert len(seen) == lanes
    assert {tuple(numbers) for numbers in seen.values()} == {tuple(range(each))}


def test_two_workers_share_the_work_and_each_job_has_its_effect_once(database_url: str, either: Database) -> None:
    second = open_database(database_url, routes={})
    workers = [worker_on(either), worker_on(second)]
    for lane in range(40):
        enqueue(either, "count", f"l{lane}", *({"n": n} for n in range(5)))
        enqueue(either, "touch", f"d{lane}", {"n": 0})
    for worker in workers:
        worker.start()
    until(lambda: pending(either) == 0)
    for worker in workers:
        worker.stop()
    second.close()
    assert Counter(traces(either, "counted")) == Counter({(f"l{lane}", n): 1 for lane in range(40) for n in range(5)})
    assert Counter(traces(either, "ended")) == Counter({(f"d{lane}", 0): 1 for lane in range(40)})


def test_a_commit_wakes_a_sleeping_worker(either: Database) -> None:
    worker = worker_on(either)
    worker.start()
    try:
        threading.Event().wait(0.3)
        enqueue(either, "count", "a", {"n": 1})
        assert until(lambda: pending(either) == 0) < 1.0
    finally:
        worker.stop()


def test_stopping_finishes_what_runs(either: Database) -> None:
    worker = worker_on(either)
    worker.start()
    enqueue(either, "touch", "a", {"n": 1, "for_s": 0.3})
    until(lambda: bool(traces(either, "began")))
    assert worker.stop()
    assert traces(either, "ended") == [("a", 1)]
    assert pending(either) == 0


@pytest.mark.slow
def test_a_job_longer_than_the_silence_allowed_keeps_its_lease(database_url: str, either: Database) -> None:
    peer = open_database(database_url, routes={})
    workers = [worker_on(either), worker_on(peer)]
    for worker in workers:
        worker.start()
    enqueue(either, "touch", "a", {"n": 1, "for_s": 8.0})
    until(lambda: pending(either) == 0)
    for worker in workers:
        worker.stop()
    peer.close()
    assert traces(either, "began") == [("a", 1)]
    assert traces(either, "ended") == [("a", 1)]


@pytest.mark.slow
def test_a_killed_workers_job_is_taken_over_by_a_live_peer(database_url: str, either: Database) -> None:
    with process(database_url) as victim:
        enqueue(either, "touch", "a", {"n": 1, "for_s": 600.0}, {"n": 2})
        until(lambda: bool(traces(either, f"began {victim.pid}")))
        peer = worker_on(either)
        peer.start()
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        took_s = until(lambda: traces(either, "ended")[:1] == [("a", 1)])
        until(lambda: pending(either) == 0)
        peer.stop()
    assert took_s < TAKE_OVER_S
    assert traces(either, "ended") == [("a", 1), ("a", 2)]


@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing(database_url: str, either: Database) -> None:
    """Worker after worker is killed under load; database jobs have their effect exactly once all the same."""
    expected = Counter({(f"l{lane}", n): 1 for lane in range(60) for n in range(20)})
    for lane in range(60):
        enqueue(either, "count", f"l{lane}", *({"n": n} for n in range(20)))
    for kill_after in (100, 400, 700):
        with process(database_url):
            until(lambda wanted=kill_after: len(traces(either)) >= wanted)  # type: ignore[misc]  # bound per round
    last = worker_on(either)
    last.start()
    until(lambda: pending(either) == 0)
    last.stop()
    assert Counter(traces(either, "counted")) == expected


@pytest.mark.slow
def test_sigterm_ends_a_worker_in_an_orderly_way(database_url: str, either: Database) -> None:
    with process(database_url) as worker:
        enqueue(either, "touch", "a", {"n": 1, "for_s": 0.5})
        until(lambda: bool(traces(either, "began")))
        worker.terminate()
        assert worker.wait(timeout=20) == 0
    assert traces(either, "ended") == [("a", 1)]
    assert pending(either) == 0


def test_a_device_job_that_outlives_the_grace_is_left_to_a_peer(either: Database) -> None:
    release = threading.Event()

    def hang(_: Job, __: Transactions) -> None:
        release.wait(30)

    worker = worker_on(either)
    worker.device_handlers = {"touch": hang}
    worker.start()
    enqueue(either, "touch", "a", {"n": 1})
    until(lambda: bool(worker._hands.running))
    assert not worker.stop(grace_s=0.1)
    assert pending(either) == 1
    release.set()
    until(lambda: not worker._hands.running)
    worker._here.stop()
