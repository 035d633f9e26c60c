"""The activation core: from a stored request to verified configuration, and back from any failure."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Final

from activation.batch_size import BatchSizes
from activation.change import Change
from activation.check_run import ServiceChecks
from activation.claim_store import holders
from activation.contracts import Returns
from activation.desired import Renderings
from activation.draft import with_places
from activation.dry_run import DryRun, DryRunResult
from activation.errors import NotUnique
from activation.fragment_store import index, unindexed
from activation.gate import ReviewGate
from activation.intake import Arrival, Intake
from activation.intent import IntentSpec
from activation.lines import Lines, Names
from activation.model import Plan
from activation.planning import plan
from activation.reach import Reach
from activation.recovery import Recovery
from activation.render import Renderer
from activation.repair_requests import RepairRequest
from activation.repairs import Repairs, consequences
from activation.report import Report
from activation.service_activation import Request, ServiceActivations
from activation.suspects import Suspects
from activation.unique import claims
from activation.withdrawal import withdraw
from activation.work import Member
from inventory.ledger import DeviceJob, Job, Retry, Transactions, Trial, UnitOfWork
from inventory.store import Row

GROUPS: Final = 64
"""Groups on their way at a time: a thread each, while the requests that wait are entries in a list."""
THREADS: Final = "device"
"""What the names of the threads begin with."""
_NOBODY: Final = Row(id="", state="", correlation_id="", document={})
"""The monitor of a plan that is made for nobody's request."""
_STOPPED: Final = Retry(delay_s=0.0, reason="the worker stopped before it began")


@dataclass(slots=True, kw_only=True)
class ActivationCore(ServiceActivations):
    """TMF640: takes requests (:class:`activation.contracts.ServiceActivation`) and does their device work.

    It is the :class:`inventory.ledger.DeviceDesk` of the job kind ``activation.run``. Activations that come while the
    devices they change are busy share the next transaction: one edit and one commit per device. One that comes alone
    never waits for company.

    Attributes:
        gate: holds plans that people have to look at; without one, none.
        groups: how many groups are on their way to devices at a time.
        sizes: how many activations may share a transaction, learned per device.
    """

    reach: Reach
    intents: Mapping[str, IntentSpec]
    renderer: Renderer
    gate: ReviewGate | None = None
    groups: int = GROUPS
    sizes: BatchSizes = field(default_factory=BatchSizes)
    _repairs: Repairs = field(init=False)
    _intake: Intake = field(init=False)
    _recovery: Recovery = field(init=False)
    _change: Change = field(init=False)
    _arriving: list[DeviceJob] = field(default_factory=list)
    _suspects: Suspects = field(default_factory=Suspects)
    _is_taking_in: bool = False
    _lines: Lines[Member] = field(default_factory=Lines)
    _busy: int = 0
    _is_stopping: bool = False
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        renderings = Renderings(
            intents=self.intents,
            renderer=self.renderer,
            platform_of=lambda name: self.reach.devices.device(name).platform,
        )
        self._repairs = Repairs(renderings=renderings, platform=self.reach.platform)
        self._intake = Intake(renderings=renderings, gate=self.gate, repairs=self._repairs)
        self._recovery = Recovery(reach=self.reach)
        self._change = Change(reach=self.reach, sizes=self.sizes, gate=self.gate)
        # One more than groups: somebody has to take in who comes meanwhile.
        self._threads = ThreadPoolExecutor(self.groups + 1, thread_name_prefix=THREADS)

    def check_with(self, checks: ServiceChecks) -> None:
        """Have services checked before each confirm; a check that fails takes the change back on all devices."""
        self._change = replace(self._change, checks=checks)

    def return_with(self, returns: Returns) -> None:
        """Have rollbacks bring back services that ended, with what the inventories know of them."""
        self._repairs = replace(self._repairs, returns=returns)
        self._intake = replace(self._intake, repairs=self._repairs)

    @property
    def checks(self) -> ServiceChecks:
        """The service checks."""
        return self._change.checks

    def accept(self, jobs: Sequence[DeviceJob]) -> None:
        """Do what the jobs' monitors ask, and end them. A monitor that has ended is left alone."""
        with self._guard:
            self._arriving.extend(jobs if self._is_stopping else self._suspects.apart(jobs))
        self._look_for_arrivals()

    def dismiss(self) -> None:
        """End every job that has not begun, to be run again; from now on none begins."""
        with self._guard:
            self._is_stopping = True
            arriving, self._arriving = [*self._arriving, *self._suspects.clear()], []
        for job in arriving:
            job.end(_STOPPED)
        for member in self._lines.clear():
            member.finish(_STOPPED)

    def run(self, job: Job, transactions: Transactions) -> Retry | None:
        """Do what one job's monitor asks and return when that has ended, or with when to try again."""
        ended: SimpleQueue[Retry | BaseException | None] = SimpleQueue()
        self.accept([DeviceJob(job=job, transactions=transactions, end=ended.put)])
        outcome = ended.get()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def cancel(self, uow: UnitOfWork, external_id: str, *, reason: str) -> None:
        """Withdraw a request; see :meth:`activation.contracts.ServiceActivation.cancel`."""
        withdraw(uow, external_id, reason)

    def recover(self, transactions: Transactions) -> int:
        """Roll back what a crash interrupted, on every device, and return how many transactions that were.

        Call it at start, before the worker: the interrupted jobs then run again from the beginning. What cannot be
        rolled back yet, because a device cannot be reached, its job goes on with.
        """
        self._index(transactions)
        return self._recovery.all_interrupted(transactions)

    def dry_run(
        self, wanted: Sequence[Request], transactions: Transactions, *, before: Sequence[Request | RepairRequest] = ()
    ) -> DryRunResult:
        """Return what ``wanted`` would change once ``before`` is through; nothing is stored, nothing is pushed.

        Raises:
            ActivationError: a service does not fit its intents, would have what is another's alone, a template
                failed, or a device cannot be read.
            UnknownResource: a device that is not in the inventory.
        """
        self._refuse_taken(wanted, transactions)
        repairs, failing = self._repairs.foreseen(before, transactions)
        first = [each if isinstance(each, Request) else repairs[each] for each in before]
        result = DryRun(
            reach=self.reach,
            work_of=self._intake.work,
            transactions=transactions,
            before=[each for each in first if each is not None],
            wanted=wanted,
        ).run()
        return replace(result, skipped=(*failing, *result.skipped))

    def foresee(self, request: RepairRequest, transactions: Transactions) -> tuple[Plan, tuple[str, ...]]:
        """Return what a repair would change now, and what follows from it that nobody else sees to.

        Raises:
            ActivationError: it cannot be done, or a device cannot be read.
            UnknownResource: no such device, service or transaction.
        """
        work = self._repairs.work(request, transactions)
        member = Member(monitor=_NOBODY, work=work, report=Report(), transactions=transactions, end=lambda _: None)
        with self.reach.participants(self.reach.named(work.by_device)) as participants:
            return plan([member], participants).plan, consequences(work)

    def load_drivers(self) -> None:
        """Import the drivers of all devices that there are, before anybody has to wait for it."""
        platforms = self.reach.platforms
        named = {
            each.driver or platforms[each.platform].driver
            for each in self.reach.devices.devices()
            if each.driver or each.platform in platforms
        }
        self.reach.sessions.drivers.load(named)

    def warm(self, names: Iterable[str] | None = None) -> threading.Thread:
        """Open sessions with these devices, or with all, in the background; return the thread that does it."""
        everybody = (device.name for device in self.reach.devices.devices())
        return self.reach.sessions.warm(list(everybody) if names is None else names)

    def close(self) -> None:
        """Close every session; a group that is still on its way is not waited for."""
        self.dismiss()
        with self._guard:
            is_idle = not self._busy and not self._is_taking_in
        self._threads.shutdown(wait=is_idle, cancel_futures=True)
        self.reach.sessions.close()

    def _look_for_arrivals(self) -> None:
        with self._guard:
            if self._is_taking_in:
                return
            self._is_taking_in = True
        self._threads.submit(self._take_in)

    def _take_in(self) -> None:
        while jobs := self._next_jobs():
            try:
                _begins(jobs)
                arrivals = self._intake.arrivals(jobs)
            except BaseException as error:  # noqa: BLE001 - each job is told what broke it
                for job in jobs:
                    job.end(error)
                continue
            for arrival in arrivals:
                self._admit(arrival)
            # What an interrupted one is still in for is done by a thread of its own.
            _survived([arrival.job for arrival in arrivals if not arrival.interrupted])
            self._dispatch()

    def _next_jobs(self) -> list[DeviceJob]:
        with self._guard:
            is_idle = not self._busy and not len(self._lines)
            jobs = self._suspects.next(self._tried, is_idle=is_idle)
            if not jobs and not self._suspects.want_quiet:
                jobs, self._arriving = self._arriving, []
            self._is_taking_in = bool(jobs)
            return jobs

    def _tried(self, job: DeviceJob, outcome: Retry | BaseException | None) -> None:
        """End a suspect's job, and let the next be tried."""
        # Its end may not be written yet when the next one takes the worker along.
        job.trial.cleared([job.job.job_id])
        job.end(outcome)
        with self._guard:
            self._suspects.let_go(job)
            is_over = self._is_stopping
        if not is_over:
            self._look_for_arrivals()

    def _admit(self, arrival: Arrival) -> None:
        if arrival.interrupted:
            with self._guard:
                self._busy += 1
            self._threads.submit(self._resume, arrival)
        else:
            self._queue(arrival)

    def _resume(self, arrival: Arrival) -> None:
        """Roll back what was interrupted of the request, then let it run again."""
        job = arrival.job
        try:
            may_run, retry = self._recovery.resume(arrival.interrupted, job.transactions)
        except BaseException as error:  # noqa: BLE001 - the job is told what broke it
            job.end(error)
        else:
            if may_run:
                self._queue(arrival)
            else:
                job.end(retry)
        finally:
            self._free()

    def _queue(self, arrival: Arrival) -> None:
        try:
            member = self._intake.member(arrival)
        except BaseException as error:  # noqa: BLE001 - the job is told what broke it
            arrival.job.end(error)
            return
        if member is None or self._is_stopping:
            arrival.job.end(None if member is None else _STOPPED)
        else:
            self._lines.join(frozenset(member.work.changing()), member, most=member.most)

    def _dispatch(self) -> None:
        with self._guard:
            while self._busy < self.groups and (devices := self._lines.begin()) is not None:
                self._busy += 1
                self._threads.submit(self._bring, devices)

    def _bring(self, devices: Names) -> None:
        """Bring the next group of a line to its devices: everybody who has come by the time they are free."""
        members: Sequence[Member] = ()
        try:
            with self.reach.locks.held(devices):
                members = self._lines.take(devices, self.sizes.limit(devices))
                if members:
                    _begins([member.job for member in members if member.job is not None])
                    self._change.bring(members)
        except BaseException as error:  # noqa: BLE001 - each job is told what broke it
            for member in members or self._lines.take(devices, self.sizes.limit(devices)):
                member.finish(error)
        finally:
            self._lines.finish(devices)
            self._free()

    def _free(self) -> None:
        with self._guard:
            self._busy -= 1
            is_awaited = self._suspects.want_quiet and not self._busy and not self._is_stopping
        self._dispatch()
        if is_awaited:
            self._look_for_arrivals()

    def _refuse_taken(self, wanted: Sequence[Request], transactions: Transactions) -> None:
        for request in wanted:
            with transactions.read() as connection:
                taken = holders(connection, claims(self.intents, request.service))
            if others := {claim: holder for claim, holder in taken.items() if holder != request.service_id}:
                raise NotUnique(others)

    def _index(self, transactions: Transactions) -> None:
        """Note the places of fragments that an older release stored."""
        with transactions.read() as connection:
            missing = unindexed(connection)
        if missing:
            with transactions.begin() as uow:
                index(uow, {root: with_places(held, self.reach.platform) for root, held in missing.items()})


def _begins(jobs: Sequence[DeviceJob]) -> None:
    for trial, ids in _by_trial(jobs).items():
        trial.begins(ids)


def _survived(jobs: Sequence[DeviceJob]) -> None:
    for trial, ids in _by_trial(jobs).items():
        trial.survived(ids)


def _by_trial(jobs: Iterable[DeviceJob]) -> Mapping[Trial, list[int]]:
    found: dict[Trial, list[int]] = {}
    for job in jobs:
        found.setdefault(job.trial, []).append(job.job.job_id)
    return found
