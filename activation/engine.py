"""The activation core: from a stored request to verified configuration, and back from any failure."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from activation import store
from activation.contracts import DeviceLocking, Devices
from activation.desired import Renderings, changes, is_change
from activation.errors import ActivationError, DeviceError, DevicesFailed
from activation.intent import IntentSpec
from activation.journal import Journal
from activation.model import DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId, TransactionId
from activation.plan import make_plan, owned_paths, plan_device, touched_paths
from activation.platforms import Platform
from activation.render import Renderer
from activation.report import Report
from activation.service_activation import Request, ServiceActivations
from activation.sessions import DeviceLocks, Leases, SessionPool
from activation.settle import Verified, complete, fail
from activation.states import MONITOR, MonitorState
from activation.store import MONITORS
from activation.transact import Outcome, Participants, Push
from inventory.documents import Document
from inventory.errors import InventoryError
from inventory.ledger import Job, Retry, Transactions
from inventory.store import Row

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one service's activation changes: its fragments before, and what becomes of them on each device."""

    root_id: str
    old: tuple[Fragment, ...]
    by_device: Mapping[str, tuple[FragmentChange, ...]]

    def changing(self) -> Mapping[str, tuple[FragmentChange, ...]]:
        """Return the changes that change something, by device."""
        found = {device: tuple(filter(is_change, made)) for device, made in self.by_device.items()}
        return {device: made for device, made in found.items() if made}

    def fragments_after(self, plan: Plan) -> tuple[Fragment, ...]:
        """Return the service's fragments once ``plan`` is live: its own, and those it does not change."""
        kept = (change.old for made in self.by_device.values() for change in made if not is_change(change))
        return tuple(f for f in (*kept, *(change.new for change in plan.fragments)) if f is not None)


@dataclass(slots=True, kw_only=True)
class ActivationCore(ServiceActivations):
    """TMF640: takes requests (:class:`activation.contracts.ServiceActivation`) and does their device work.

    :meth:`run` is the :class:`inventory.ledger.DeviceHandler` of the job kind ``activation.run``.
    """

    devices: Devices
    platforms: Mapping[str, Platform]
    intents: Mapping[str, IntentSpec]
    renderer: Renderer
    sessions: SessionPool
    locks: DeviceLocking = field(default_factory=DeviceLocks)

    def run(self, job: Job, transactions: Transactions) -> Retry | None:
        """Do what the job's monitor asks; end the monitor. A monitor that has ended is left alone."""
        monitor_id = str(job.payload["monitorId"])
        with transactions.read() as connection:
            monitor = MONITORS.get(connection, monitor_id)
            interrupted = store.unfinished(connection, monitor_id)
        if MONITOR.is_final(MonitorState(monitor.state)):
            return None
        restored = [self._roll_back(transaction, transactions) for transaction in interrupted]
        if all(restored):
            self._activate(monitor, transactions)
        return None

    def recover(self, transactions: Transactions) -> int:
        """Roll back what a crash interrupted, on every device, and return how many transactions that were.

        Call it at start, before the worker: the interrupted jobs then run again from the beginning.
        """
        self._index(transactions)
        with transactions.read() as connection:
            interrupted = store.unfinished(connection)
        for transaction in interrupted:
            self._roll_back(transaction, transactions)
        return len(interrupted)

    def dry_run(self, service: Document, transactions: Transactions) -> Plan:
        """Return what creating or modifying ``service`` would change now; nothing is stored, nothing is pushed.

        Raises:
            ActivationError: the service does not fit its intents, a template failed, or a device cannot be read.
            UnknownResource: a device that is not in the inventory.
        """
        work = self._work(
            Request(action="modify", service_id=str(service.get("id", "")), service=service), transactions
        )
        with self._participants(work.by_device) as participants:
            return self._plan(work, participants, transactions, Report())

    def warm(self, names: Iterable[str] | None = None) -> threading.Thread:
        """Open sessions with these devices, or with all, in the background; return the thread that does it."""
        return self.sessions.warm([device.name for device in self.devices.devices()] if names is None else names)

    def close(self) -> None:
        """Close every session."""
        self.sessions.close()

    def _activate(self, monitor: Row, transactions: Transactions) -> None:
        report = Report()
        try:
            with _timed(report, "render"):
                work = self._work(Request.of(monitor), transactions)
            with self._participants(work.by_device) as participants, self.locks.held(work.changing()):
                self._change(monitor, work, participants, transactions, report)
        except DevicesFailed as error:
            _fail(monitor, transactions, report, error.errors)
        except (ActivationError, InventoryError) as error:
            _fail(monitor, transactions, report, (error,))

    def _change(
        self, monitor: Row, work: Work, participants: Participants, transactions: Transactions, report: Report
    ) -> None:
        plan = report.plan = self._plan(work, participants, transactions, report)
        journal: Journal | None = None
        if any(edit.changes for edit in plan.edits):
            journal = Journal(transactions, TransactionId(f"lm-{uuid.uuid4().hex}"))
            with transactions.begin() as uow:
                store.store_plan(uow, plan, monitor.id)
                store.begin_transaction(uow, journal.transaction_id, plan, monitor.id)
            with _timed(report, "push"):
                outcome = Push(plan.edits, participants, journal).run()
            report.outcomes = outcome.devices
            if not outcome.completed:
                _fail(monitor, transactions, report, outcome.failures, outcome.rollback_failures)
                return
        fragments = _with_places(work.fragments_after(plan), participants.platform)
        with transactions.begin() as uow:
            complete(uow, monitor.id, report, Verified(fragments=fragments, journal=journal))

    def _work(self, request: Request, transactions: Transactions) -> Work:
        with transactions.read() as connection:
            old = store.fragments_of(connection, request.service_id)
        renderings = Renderings(
            intents=self.intents,
            renderer=self.renderer,
            platform_of=lambda name: self.devices.device(name).platform,
        )
        new = renderings.fragments(request.service) if request.service is not None else ()
        return Work(root_id=request.service_id, old=old, by_device=changes(old, new))

    def _plan(self, work: Work, participants: Participants, transactions: Transactions, report: Report) -> Plan:
        changing = work.changing()
        with transactions.read() as connection:
            others = store.fragments_sharing(connection, work.root_id, _places(changing, participants.platform))
        touched = {
            name: touched_paths(participants.platform(name), made, others[name]) for name, made in changing.items()
        }
        with _timed(report, "read"):
            answers = participants.ask("read", changing, lambda name, driver: driver.read(touched[name]))
        report.read_s = {name: answer.took_s for name, answer in answers.items()}
        if errors := [answer.error for answer in answers.values() if answer.error is not None]:
            raise DevicesFailed(errors)
        with _timed(report, "plan"):
            planned = [
                plan_device(name, participants.platform(name), answers[name].value or "", made, others[name])
                for name, made in changing.items()
            ]
        untouched = [_untouched(name, participants) for name in work.by_device if name not in changing]
        settled = [change for _, made in planned for change in made]
        return make_plan([*(edit for edit, _ in planned), *untouched], settled, PlanId(str(uuid.uuid4())))

    def _index(self, transactions: Transactions) -> None:
        """Note the places of fragments that an older release stored."""
        with transactions.read() as connection:
            missing = store.unindexed(connection)
        if missing:
            with transactions.begin() as uow:
                for root_id, fragments in missing.items():
                    store.index(uow, root_id, _with_places(fragments, self._platform))

    def _platform(self, device: str) -> Platform:
        return self.platforms[self.devices.device(device).platform]

    @contextmanager
    def _participants(self, names: Iterable[str]) -> Iterator[Participants]:
        found = {name: self.devices.device(name) for name in names}
        leases = Leases(self.sessions)
        try:
            yield Participants(devices=found, platforms=self.platforms, leases=leases)
        finally:
            leases.release()

    def _roll_back(self, transaction: store.Transaction, transactions: Transactions) -> bool:
        """Undo an interrupted transaction on new sessions; say whether every device is as it was before."""
        names = [edit.device for edit in transaction.edits]
        journal = Journal(transactions, transaction.transaction_id, transaction.step)
        logger.warning("rolling back %s, interrupted while %s", transaction.transaction_id, transaction.step)
        with self._participants(names) as participants, self.locks.held(names):
            outcome = Push(transaction.edits, participants, journal).recover()
        if outcome.rollback_failures:
            self._end_unrestored(transaction, outcome, transactions)
        return not outcome.rollback_failures

    def _end_unrestored(self, transaction: store.Transaction, outcome: Outcome, transactions: Transactions) -> None:
        logger.error("%s: not rolled back: %s", transaction.transaction_id, outcome.rollback_failures)
        with transactions.begin() as uow:
            fail(uow, transaction.monitor_id, Report(outcomes=outcome.devices), (), outcome.rollback_failures)


def _fail(
    monitor: Row,
    transactions: Transactions,
    report: Report,
    failures: Sequence[Exception],
    rollback_failures: Sequence[DeviceError] = (),
) -> None:
    with transactions.begin() as uow:
        fail(uow, monitor.id, report, failures, rollback_failures)


def _places(
    changing: Mapping[str, tuple[FragmentChange, ...]], platform_of: Callable[[str], Platform]
) -> Mapping[str, frozenset[Path]]:
    """Return the places on each device that the changes are about."""
    found: dict[str, frozenset[Path]] = {}
    for device, made in changing.items():
        fragments = [fragment for change in made for fragment in (change.old, change.new) if fragment is not None]
        found[device] = frozenset().union(*_with_places(fragments, platform_of).values())
    return found


def _with_places(
    fragments: Iterable[Fragment], platform_of: Callable[[str], Platform]
) -> dict[Fragment, frozenset[Path]]:
    """Return each fragment with the places it holds."""
    return {fragment: owned_paths(platform_of(fragment.device), fragment) for fragment in fragments}


def _untouched(name: str, participants: Participants) -> DeviceEdit:
    platform = participants.platform(name)
    return DeviceEdit(
        device=name,
        platform=platform.name,
        dialect=platform.dialect,
        edit="",
        inverse="",
        diff="",
        touched=(),
        before="",
        after="",
        base_fingerprint="",
    )


@contextmanager
def _timed(report: Report, phase: str) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        report.phases_s[phase] = perf_counter() - started
