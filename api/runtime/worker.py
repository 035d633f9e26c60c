"""The worker: wakes when work is committed, runs database jobs in batches, leases device jobs and hands them on."""

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from api.errors import DatabaseAway, LeaseLost, WorkerGivenUp
from api.runtime.batch import ended, failed, run_batch
from api.runtime.contracts import Claim, Outcome
from api.runtime.database import Database
from api.runtime.fence import FencedTransactions
from api.runtime.ledger import LedgerUnit
from api.runtime.presence import Presence
from api.runtime.trial import Charges
from inventory.ledger import DeviceDesk, DeviceHandler, DeviceJob, Handler, Retry

_log = logging.getLogger(__name__)

BATCH: Final = 100
DEVICE_THREADS: Final = 16
AT_DESKS: Final = 1000
"""Jobs that desks may hold at a time: those that wait there cost a list entry each, and a lease."""
DEVICE_THREAD: Final = "device"
"""What the names of the threads begin with that run device jobs."""
GRACE_S: Final = 60.0
# A lane that was held when we looked may be free without a signal in the worst of races: look again now and then.
_LONGEST_WAIT_S: Final = 5.0
_SHORTEST_WAIT_S: Final = 0.02
_PAUSE_S: Final = 0.5


@dataclass(slots=True)
class _Hands:
    """The leased jobs of this process: those that run, by id, and those that are not settled yet."""

    running: dict[int, Claim] = field(default_factory=dict)
    ended: list[Outcome] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    emptied: threading.Condition = field(init=False)

    def __post_init__(self) -> None:
        self.emptied = threading.Condition(self.lock)


@dataclass(slots=True, kw_only=True)
class Worker:
    """Runs the jobs of one process.

    Attributes:
        handlers: database work by job kind: many jobs share one transaction, each in a step of its own.
        device_handlers: work that talks to devices, by job kind: one thread each, no transaction open, leased.
        desks: work that talks to devices and is done for many jobs together, by job kind: leased too.
        concurrency: how many device jobs run at a time in threads.
        at_desks: how many jobs the desks hold at a time.
        presence: this process among the workers of the database; shared with whoever else holds something.
    """

    database: Database
    handlers: Mapping[str, Handler]
    device_handlers: Mapping[str, DeviceHandler]
    desks: Mapping[str, DeviceDesk] = field(default_factory=dict)
    concurrency: int = DEVICE_THREADS
    at_desks: int = AT_DESKS
    presence: Presence | None = None
    _here: Presence = field(init=False)
    _hands: _Hands = field(default_factory=_Hands)
    _charges: Charges = field(init=False)
    _limit: int = BATCH
    _unsure: bool = False
    _wake: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _given_up: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _pool: ThreadPoolExecutor | None = None

    def __post_init__(self) -> None:
        self._here = self.presence or Presence(self.database)
        self._charges = Charges(database=self.database, claims=self._hands.running)

    def start(self) -> None:
        """Begin: from now on every commit with a job for us wakes us."""
        self._pool = ThreadPoolExecutor(self.concurrency, thread_name_prefix=DEVICE_THREAD)
        self.database.signals.subscribe((*self.handlers, *self.device_handlers, *self.desks), self._wake.set)
        self._here.start()
        self._thread = threading.Thread(target=self._loop, name="worker", daemon=True)
        self._wake.set()
        self._thread.start()

    def stop(self, grace_s: float = GRACE_S) -> bool:
        """Finish the batch in hand and the device jobs under way, then end; say whether all of them ended in time.

        Where some did not, their leases end with this process, and a peer takes them over.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is None or self._pool is None:
            return True
        self._thread.join()
        for desk in self.desks.values():
            desk.dismiss()
        in_time = self._wait_for_device_jobs(grace_s)
        self._given_up.set()
        self._pool.shutdown(wait=in_time, cancel_futures=True)
        self._settle_last()
        if in_time:
            self._here.stop()
        return in_time

    def run_ready(self) -> int:
        """Run every job that is due in this thread, device jobs too; return how many. For tests."""
        claims, leased = self._round()
        for claim in leased:
            if claim.job.kind in self.device_handlers:
                self._run_device_job(claim)
        self._hand_over(leased)
        with self._hands.emptied:
            self._hands.emptied.wait_for(lambda: not self._hands.running)
        self._settle_last()
        return len(claims) + len(leased)

    def _loop(self) -> None:
        complaint = ""
        while not self._stop.is_set():
            self._wake.clear()
            try:
                if not self._turn():
                    self._wake.wait(self._idle_s())
            except (DatabaseAway, WorkerGivenUp) as error:
                if str(error) != complaint:
                    _log.warning("worker: %s; trying again", error)
                complaint = str(error)
                self._stop.wait(_PAUSE_S)
            except Exception:  # noqa: BLE001 - see below; it is logged with its traceback
                # The loop is the last seam: whatever it was, the process's work goes on, and the log has it.
                _log.exception("worker: this round failed; trying again")
                self._stop.wait(_PAUSE_S)
            else:
                complaint = ""

    def _turn(self) -> bool:
        """Run one round; say whether there was anything to do."""
        claims, leased = self._round()
        for claim in leased:
            if claim.job.kind in self.device_handlers:
                self._submit(claim)
        self._hand_over(leased)
        return bool(claims or leased)

    def _idle_s(self) -> float:
        kinds = (*self.handlers, *(kind for kinds, _ in self._room() for kind in kinds))
        with self.database.read() as connection:
            due_s = self.database.queue.next_due_s(connection, kinds)
        return _LONGEST_WAIT_S if due_s is None else min(max(due_s, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)

    def _round(self) -> tuple[Sequence[Claim], Sequence[Claim]]:
        """Settle, claim, run, lease in one commit; return the jobs that ran and the device jobs to run now."""
        claims: Sequence[Claim] = ()
        settled = self._ended()
        if self.device_handlers or self.desks:
            self._here.register()
        try:
            with self.database.begin() as unit:
                self._make_sure(unit)
                self._settle(unit, settled)
                claims = self.database.queue.claim(unit.reader, self.handlers, limit=self._limit)
                self._run(unit, claims)
                leased = self._lease(unit)
        except WorkerGivenUp:
            raise
        except DatabaseAway:
            self._unsure = True
            raise
        except Exception as error:
            if not claims:
                raise
            # One of the jobs wrote what the database refused at the end: run them one by one to find it.
            self._isolate(claims, error)
            return claims, ()
        self._limit, self._unsure = min(self._limit * 4, BATCH), False
        self._forget(settled)
        with self._hands.lock:
            self._hands.running.update({claim.job.job_id: claim for claim in leased})
        return claims, leased

    def _run(self, unit: LedgerUnit, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        outcomes = run_batch(unit, claims, self.handlers)
        unit.flush()
        refused = self.database.queue.settle(unit.reader, outcomes)
        if refused:
            raise LeaseLost(refused[0].claim.job.job_id, refused[0].claim.job.kind)

    def _isolate(self, claims: Sequence[Claim], error: Exception) -> None:
        if len(claims) > 1:
            _log.warning("a batch of %d jobs was refused, running them one by one: %s", len(claims), error)
            self._limit = 1
            return
        with self.database.begin() as unit:
            self.database.queue.settle(unit.reader, [failed(claims[0], error)])

    def _room(self) -> list[tuple[Collection[str], int]]:
        """Return the kinds of jobs that may be leased, those that share a bound together, each with how many."""
        bounds: tuple[tuple[Collection[str], int], ...] = (
            (self.device_handlers, self.concurrency),
            (self.desks, self.at_desks),
        )
        with self._hands.lock:
            held = Counter(claim.job.kind for claim in self._hands.running.values())
        found = [(kinds, limit - sum(held[kind] for kind in kinds)) for kinds, limit in bounds]
        return [(kinds, room) for kinds, room in found if kinds and room > 0]

    def _lease(self, unit: LedgerUnit) -> list[Claim]:
        if self._stop.is_set():
            return []
        queue, register = self.database.queue, self._here.registered
        return [
            claim
            for kinds, room in self._room()
            for claim in queue.lease(unit.reader, kinds, limit=room, register=register)
        ]

    def _make_sure(self, unit: LedgerUnit) -> None:
        """Give back what we leased without knowing it: the answer to the last commit was lost."""
        if self._unsure:
            with self._hands.lock:
                ours = self._hands.running.keys() | {outcome.claim.job.job_id for outcome in self._hands.ended}
            self._here.hand_back_but(unit.reader, ours)

    def _settle(self, unit: LedgerUnit, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        for refused in self.database.queue.settle(unit.reader, outcomes):
            job = refused.claim.job
            _log.warning("job %s (%s) was settled before, or is another worker's by now", job.job_id, job.kind)
        unit.enqueued = True

    def _ended(self) -> list[Outcome]:
        with self._hands.lock:
            return list(self._hands.ended)

    def _forget(self, settled: Sequence[Outcome]) -> None:
        with self._hands.lock:
            del self._hands.ended[: len(settled)]

    def _submit(self, claim: Claim) -> None:
        if self._pool is not None:
            self._pool.submit(self._run_device_job, claim)

    def _hand_over(self, claims: Sequence[Claim]) -> None:
        """Give each desk its jobs; they beat for their leases until they end."""
        by_kind: dict[str, list[DeviceJob]] = defaultdict(list)
        for claim in claims:
            if claim.job.kind in self.desks:
                self._here.hold()
                by_kind[claim.job.kind].append(self._handed(claim))
        for kind, jobs in by_kind.items():
            self.desks[kind].accept(jobs)

    def _handed(self, claim: Claim) -> DeviceJob:
        return DeviceJob(
            job=claim.job,
            transactions=self._fenced(claim),
            end=partial(self._end, claim),
            trial=self._charges,
            failures=claim.failures,
            died=claim.died,
        )

    def _end(self, claim: Claim, outcome: Retry | BaseException | None) -> None:
        self._here.let_go()
        if isinstance(outcome, LeaseLost):
            _log.warning("%s", outcome)
            self._put_down(claim, None)
        elif isinstance(outcome, BaseException):
            self._put_down(claim, failed(claim, outcome))
        else:
            self._put_down(claim, ended(claim, outcome))

    def _fenced(self, claim: Claim) -> FencedTransactions:
        return FencedTransactions(database=self.database, claim=claim, stopping=self._given_up)

    def _run_device_job(self, claim: Claim) -> None:
        outcome: Outcome | None = None
        try:
            with self._here.holding():
                self._charges.begins([claim.job.job_id])
                outcome = ended(claim, self.device_handlers[claim.job.kind](claim.job, self._fenced(claim)))
        except LeaseLost as error:
            _log.warning("%s", error)
        except Exception as error:  # noqa: BLE001 - see below; kept in the job's row and logged
            # As for database jobs: a bug costs its own job and stays visible.
            outcome = failed(claim, error)
        finally:
            self._put_down(claim, outcome)

    def _put_down(self, claim: Claim, outcome: Outcome | None) -> None:
        self._charges.forget(claim.job.job_id)
        with self._hands.lock:
            self._hands.running.pop(claim.job.job_id, None)
            if outcome is not None:
                self._hands.ended.append(outcome)
            self._hands.emptied.notify_all()
        self._wake.set()

    def _wait_for_device_jobs(self, grace_s: float) -> bool:
        deadline_s = time.monotonic() + grace_s
        with self._hands.emptied:
            return self._hands.emptied.wait_for(
                lambda: not self._hands.running, timeout=max(0.0, deadline_s - time.monotonic())
            )

    def _settle_last(self) -> None:
        settled = self._ended()
        if not settled:
            return
        try:
            with self.database.begin() as unit:
                self._settle(unit, settled)
        except DatabaseAway as error:
            _log.warning("%d device jobs could not be settled and run again elsewhere: %s", len(settled), error)
        else:
            self._forget(settled)
