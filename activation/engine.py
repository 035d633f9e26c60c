"""The activation core: from a stored request to verified configuration, and back from any failure."""

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from activation import store
from activation.contracts import Devices
from activation.desired import Renderings, changes, is_change
from activation.errors import ActivationError, DeviceError, DevicesFailed, DeviceUnreachable, PlanError
from activation.fanout import Answer
from activation.intent import IntentSpec
from activation.journal import Journal
from activation.model import TRANSACTION_PREFIX, DeviceEdit, Fragment, FragmentChange, Path, Plan, PlanId, TransactionId
from activation.plan import make_plan, plan_device, touched_paths
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
from inventory.errors import InventoryError, UnknownResource
from inventory.ledger import Job, Retry, Transactions
from inventory.model import Device
from inventory.store import Row

logger = logging.getLogger(__name__)

ROLLBACK_TRIES: Final = 12
"""With the pauses between them some four minutes: longer than a device waits for a confirm."""
LONGEST_PAUSE_S: Final = 30.0
IN_FRONT_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one service's activation changes: its fragments before, and what becomes of them on each device."""

    service_id: str
    old: tuple[Fragment, ...]
    by_device: Mapping[str, tuple[FragmentChange, ...]]

    def changing(self) -> Mapping[str, tuple[FragmentChange, ...]]:
        """Return the changes that change something, by device."""
        found = {device: tuple(filter(is_change, made)) for device, made in self.by_device.items()}
        return {device: made for device, made in found.items() if made}

    def parts(self) -> frozenset[str]:
        """Return the ids of the services that hold the fragments, before or after."""
        made = [change for found in self.by_device.values() for change in found]
        return frozenset(f.service_id for change in made for f in (change.old, change.new) if f is not None)

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
    _locks: DeviceLocks = field(default_factory=DeviceLocks)

    def run(self, job: Job, transactions: Transactions) -> Retry | None:
        """Do what the job's monitor asks; end the monitor. A monitor that has ended is left alone."""
        monitor_id = str(job.payload["monitorId"])
        with transactions.read() as connection:
            monitor = MONITORS.get(connection, monitor_id)
            interrupted = store.unfinished(connection, monitor_id)
        if MONITOR.is_final(MonitorState(monitor.state)):
            return None
        for transaction in interrupted:
            outcome = self._roll_back(transaction, transactions)
            if outcome.waiting:
                return _later(outcome, transaction.rollbacks + 1)
            if outcome.rollback_failures:
                return None
        return self._activate(monitor, transactions)

    def recover(self, transactions: Transactions) -> int:
        """Roll back what a crash interrupted, on every device, and return how many transactions that were.

        Call it at start, before the worker: the interrupted jobs then run again from the beginning. What cannot be
        rolled back yet, because a device cannot be reached, its job goes on with.
        """
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
        with self._participants(self._devices(work)) as participants:
            return self._plan(work, participants, transactions, Report())

    def warm(self, names: Iterable[str] | None = None) -> threading.Thread:
        """Open sessions with these devices, or with all, in the background; return the thread that does it."""
        return self.sessions.warm([device.name for device in self.devices.devices()] if names is None else names)

    def close(self) -> None:
        """Close every session."""
        self.sessions.close()

    def _activate(self, monitor: Row, transactions: Transactions) -> Retry | None:
        report = Report()
        try:
            with _timed(report, "render"):
                work = self._work(Request.of(monitor), transactions)
            with self._participants(self._devices(work)) as participants, self._locks.held(work.changing()):
                return self._change(monitor, work, participants, transactions, report)
        except DevicesFailed as error:
            _fail(monitor, transactions, report, error.errors)
        except (ActivationError, InventoryError) as error:
            _fail(monitor, transactions, report, (error,))
        return None

    def _change(
        self, monitor: Row, work: Work, participants: Participants, transactions: Transactions, report: Report
    ) -> Retry | None:
        plan = report.plan = self._plan(work, participants, transactions, report)
        journal: Journal | None = None
        if changed := [edit.device for edit in plan.edits if edit.changes]:
            with transactions.read() as connection:
                in_front = store.awaiting_rollback(connection, changed)
            if in_front:
                # What this plan found on the devices is about to go; planned after that, it is the right one.
                return Retry(delay_s=IN_FRONT_POLL_S, reason=f"waits for the rollback of {', '.join(in_front)}")
            journal = Journal(transactions, TransactionId(f"{TRANSACTION_PREFIX}{uuid.uuid4().hex}"))
            with transactions.begin() as uow:
                store.store_plan(uow, plan, monitor.id)
                store.begin_transaction(uow, journal.transaction_id, plan, monitor.id)
            with _timed(report, "push"):
                outcome = Push(plan.edits, participants, journal).run()
            report.outcomes = outcome.devices
            if outcome.waiting:
                return _later(outcome, 1)
            if not outcome.completed:
                _fail(monitor, transactions, report, outcome.failures, outcome.rollback_failures)
                return None
        with transactions.begin() as uow:
            complete(uow, monitor.id, report, Verified(fragments=work.fragments_after(plan), journal=journal))
        return None

    def _work(self, request: Request, transactions: Transactions) -> Work:
        with transactions.read() as connection:
            old = store.fragments_of(connection, request.service_id)
        renderings = Renderings(
            intents=self.intents,
            renderer=self.renderer,
            platform_of=lambda name: self.devices.device(name).platform,
        )
        new = renderings.fragments(request.service) if request.service is not None else ()
        return Work(service_id=request.service_id, old=old, by_device=changes(old, new))

    def _plan(self, work: Work, participants: Participants, transactions: Transactions, report: Report) -> Plan:
        changing = work.changing()
        with transactions.read() as connection:
            _refuse_strangers(work, store.owners(connection, work.parts()))
            others = store.fragments_on(connection, changing)
        touched = {
            name: touched_paths(participants.platform(name), made, others[name]) for name, made in changing.items()
        }
        with _timed(report, "read"):
            answers = _read(participants, touched)
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

    def _devices(self, work: Work) -> Mapping[str, Device]:
        return {name: self.devices.device(name) for name in work.by_device}

    def _device_of(self, edit: DeviceEdit) -> Device:
        try:
            return self.devices.device(edit.device)
        except UnknownResource:
            # It left the inventory meanwhile: to be asked all the same, and to fail as one that cannot be reached.
            return Device(
                name=edit.device, platform=edit.platform, role="", address="", port=0, username="", password=""
            )

    @contextmanager
    def _participants(self, devices: Mapping[str, Device]) -> Iterator[Participants]:
        leases = Leases(self.sessions)
        try:
            yield Participants(devices=devices, platforms=self.platforms, leases=leases)
        finally:
            leases.release()

    def _roll_back(self, transaction: store.Transaction, transactions: Transactions) -> Outcome:
        """Undo an interrupted transaction; end its monitor when a device will not be as it was before."""
        devices = {edit.device: self._device_of(edit) for edit in transaction.edits}
        journal = Journal(transactions, transaction.transaction_id, transaction.step)
        logger.warning("rolling back %s, interrupted while %s", transaction.transaction_id, transaction.step)
        patient = transaction.rollbacks + 1 < ROLLBACK_TRIES
        with self._participants(devices) as participants, self._locks.held(devices):
            outcome = Push(transaction.edits, participants, journal).recover(patient=patient)
        if outcome.rollback_failures and not outcome.waiting:
            self._end_unrestored(transaction, outcome, transactions)
        return outcome

    def _end_unrestored(self, transaction: store.Transaction, outcome: Outcome, transactions: Transactions) -> None:
        logger.error("%s: not rolled back: %s", transaction.transaction_id, outcome.rollback_failures)
        with transactions.begin() as uow:
            fail(uow, transaction.monitor_id, Report(outcomes=outcome.devices), (), outcome.rollback_failures)


def _later(outcome: Outcome, rollbacks: int) -> Retry:
    reasons = "; ".join(map(str, outcome.rollback_failures))
    return Retry(delay_s=min(2.0 ** (rollbacks - 1), LONGEST_PAUSE_S), reason=f"rolling back: {reasons}")


def _fail(
    monitor: Row,
    transactions: Transactions,
    report: Report,
    failures: Sequence[Exception],
    rollback_failures: Sequence[DeviceError] = (),
) -> None:
    with transactions.begin() as uow:
        fail(uow, monitor.id, report, failures, rollback_failures)


def _read(participants: Participants, touched: Mapping[str, Sequence[Path]]) -> Mapping[str, Answer[str]]:
    """Return each device's answer; one whose session broke is asked again on a new one.

    A device that restarted without a word leaves a warm session that looks alive. Nothing has happened so far.
    """

    def ask(names: Iterable[str]) -> Mapping[str, Answer[str]]:
        return participants.ask("read", names, lambda name, driver: driver.read(touched[name]))

    answers = ask(touched)
    broken = [
        name
        for name, answer in answers.items()
        if isinstance(answer.error, DeviceUnreachable) and answer.error.phase != "connect" and not answer.abandoned
    ]
    return {**answers, **ask(broken)} if broken else answers


def _refuse_strangers(work: Work, owners: Mapping[str, str]) -> None:
    for part, owner in owners.items():
        if owner != work.service_id:
            raise PlanError(f"supporting service {part} belongs to service {owner}; legal: an id of its own")


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
