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
from activation.contracts import DeviceLocking, Devices
from activation.desired import Renderings, changes
from activation.draft import Draft, Planned, with_places
from activation.errors import ActivationError, DeviceError, DevicesFailed, DeviceUnreachable, PlanError
from activation.fanout import Answer
from activation.gather import Gathering
from activation.intent import IntentSpec
from activation.journal import Journal
from activation.model import TRANSACTION_PREFIX, DeviceEdit, Fragment, Path, Plan, TransactionId
from activation.platforms import Platform
from activation.render import Renderer
from activation.report import Report
from activation.service_activation import Request, ServiceActivations
from activation.sessions import DeviceLocks, Leases, SessionPool
from activation.settle import complete, fail
from activation.states import MONITOR, TRANSACTION, MonitorState, Step
from activation.store import MONITORS
from activation.transact import Outcome, Participants, Push
from activation.work import Arrival, Member, Work
from inventory.documents import Document
from inventory.errors import InventoryError, UnknownResource
from inventory.ledger import Job, Retry, Transactions
from inventory.model import Device
from inventory.store import Row

logger = logging.getLogger(__name__)

TOGETHER: Final = 64
ROLLBACK_TRIES: Final = 12
"""With the pauses between them some four minutes: longer than a device waits for a confirm."""
LONGEST_PAUSE_S: Final = 30.0
IN_FRONT_POLL_S: Final = 1.0
_NOBODY: Final = Row(id="", state="", correlation_id="", document={})
"""The monitor of a plan that is made for nobody's request."""


@dataclass(slots=True, kw_only=True)
class ActivationCore(ServiceActivations):
    """TMF640: takes requests (:class:`activation.contracts.ServiceActivation`) and does their device work.

    :meth:`run` is the :class:`inventory.ledger.DeviceHandler` of the job kind ``activation.run``. Activations that come
    while the devices they change are busy share the next transaction: one edit and one commit per device. A group that
    fails is undone, and each of its members goes alone.

    Attributes:
        together: how many activations may share a transaction.
    """

    devices: Devices
    platforms: Mapping[str, Platform]
    intents: Mapping[str, IntentSpec]
    renderer: Renderer
    sessions: SessionPool
    locks: DeviceLocking = field(default_factory=DeviceLocks)
    together: int = TOGETHER
    _arrivals: Gathering[Arrival] = field(init=False)
    _groups: Gathering[Member] = field(init=False)

    def __post_init__(self) -> None:
        self._arrivals = Gathering(self._look_up, limit=self.together)
        self._groups = Gathering(self._change_together, limit=self.together)

    def run(self, job: Job, transactions: Transactions) -> Retry | None:
        """Do what the job's monitor asks; end the monitor. A monitor that has ended is left alone."""
        arrival = Arrival(monitor_id=str(job.payload["monitorId"]), transactions=transactions)
        self._arrivals.join("", arrival)
        if arrival.monitor is None:
            raise UnknownResource(MONITORS.kind, arrival.monitor_id)
        if not _runs(arrival.monitor):
            return None
        for transaction in arrival.interrupted:
            outcome = self._roll_back(transaction, transactions)
            if outcome.waiting:
                return _later(outcome, transaction.rollbacks + 1)
            if outcome.rollback_failures:
                return None
        return self._activate(arrival.monitor, arrival)

    def recover(self, transactions: Transactions) -> int:
        """Roll back what a crash interrupted, on every device, and return how many transactions that were.

        Call it at start, before the worker: the interrupted jobs then run again from the beginning. What cannot be
        rolled back yet, because a device cannot be reached, its job goes on with.
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
        request = Request(action="modify", service_id=str(service.get("id", "")), service=service)
        with transactions.read() as connection:
            old = store.fragments_of(connection, [request.service_id])[request.service_id]
        work = self._work(request, old)
        member = Member(monitor=_NOBODY, work=work, report=Report(), transactions=transactions)
        with self._participants(self._devices([member])) as participants:
            return self._plan([member], participants).plan

    def warm(self, names: Iterable[str] | None = None) -> threading.Thread:
        """Open sessions with these devices, or with all, in the background; return the thread that does it."""
        return self.sessions.warm([device.name for device in self.devices.devices()] if names is None else names)

    def close(self) -> None:
        """Close every session."""
        self.sessions.close()

    def _look_up(self, arrivals: Sequence[Arrival]) -> None:
        """Read what the database says of each of ``arrivals``, with a statement per table."""
        with arrivals[0].transactions.read() as connection:
            monitors = MONITORS.many(connection, [arrival.monitor_id for arrival in arrivals])
            interrupted = store.unfinished(connection, list(monitors))
            services = {key: Request.of(monitor).service_id for key, monitor in monitors.items()}
            fragments = store.fragments_of(connection, list(services.values()))
        for arrival in arrivals:
            key = arrival.monitor_id
            arrival.monitor = monitors.get(key)
            arrival.interrupted = tuple(each for each in interrupted if key in each.monitor_ids)
            arrival.old = fragments[services[key]] if key in services else ()

    def _activate(self, monitor: Row, arrival: Arrival) -> Retry | None:
        report = Report()
        try:
            with _timed(report, "render"):
                work = self._work(Request.of(monitor), arrival.old)
        except (ActivationError, InventoryError) as error:
            _fail(arrival.transactions, [(monitor, report)], (error,))
            return None
        member = Member(monitor=monitor, work=work, report=report, transactions=arrival.transactions)
        self._groups.join(tuple(work.changing()), member)
        return member.retry

    def _change_together(self, members: Sequence[Member]) -> None:
        with self.locks.held(members[0].work.changing()):
            self._change(members)

    def _change(self, members: Sequence[Member]) -> None:
        """Bring all members' changes to the devices; where that fails, each member's alone."""
        transactions, ending = members[0].transactions, [(member.monitor, member.report) for member in members]
        failures: Sequence[Exception]
        left: Sequence[DeviceError] = ()
        try:
            with self._participants(self._devices(members)) as participants:
                planned = self._plan(members, participants)
                if in_front := _in_front(planned.plan, transactions):
                    # What this plan found on the devices is about to go; planned after that, it is the right one.
                    _postpone(members, Retry(delay_s=IN_FRONT_POLL_S, reason=f"waits for the rollback of {in_front}"))
                    return
                outcome, journal = self._push(members, planned.plan, participants)
                if outcome.completed:
                    self._complete(members, planned, participants, journal)
                    return
                if outcome.waiting:
                    _postpone(members, _later(outcome, 1))
                    return
            failures, left = outcome.failures, outcome.rollback_failures
        except DevicesFailed as error:
            failures = error.errors
        except (ActivationError, InventoryError) as error:
            failures = (error,)
        if len(members) == 1 or left:
            _fail(transactions, ending, failures, left)
            return
        logger.warning("%d activations together failed, each goes alone: %s", len(members), failures)
        for member in members:
            self._change([member])

    def _push(
        self, members: Sequence[Member], plan: Plan, participants: Participants
    ) -> tuple[Outcome, Journal | None]:
        if not any(edit.changes for edit in plan.edits):
            return Outcome(devices={}), None
        transactions, monitor_ids = members[0].transactions, [member.monitor.id for member in members]
        journal = Journal(transactions, TransactionId(f"{TRANSACTION_PREFIX}{uuid.uuid4().hex}"))
        with transactions.begin() as uow:
            store.store_plan(uow, plan, monitor_ids[0])
            store.begin_transaction(uow, journal.transaction_id, plan, monitor_ids)
        started = perf_counter()
        outcome = Push(plan.edits, participants, journal).run()
        for member in members:
            member.report.outcomes = outcome.devices
            member.report.phases_s["push"] = perf_counter() - started
        return outcome, journal

    def _complete(
        self, members: Sequence[Member], planned: Planned, participants: Participants, journal: Journal | None
    ) -> None:
        with members[0].transactions.begin() as uow:
            if journal is not None:
                store.enter_step(uow, journal.transaction_id, journal.step, Step.DONE, {})
            for member in members:
                fragments = member.work.fragments_after(planned.settled)
                complete(uow, member.monitor.id, member.report, with_places(fragments, participants.platform))

    def _work(self, request: Request, old: tuple[Fragment, ...]) -> Work:
        renderings = Renderings(
            intents=self.intents,
            renderer=self.renderer,
            platform_of=lambda name: self.devices.device(name).platform,
        )
        new = renderings.fragments(request.service) if request.service is not None else ()
        return Work(root_id=request.service_id, old=old, by_device=changes(old, new))

    def _plan(self, members: Sequence[Member], participants: Participants) -> Planned:
        """Return one plan for all members; note in their reports what it is for each of them.

        Raises:
            DevicesFailed: a device cannot be read.
            PlanError: what stands on a device and what is wanted there do not fit together, or a supporting service
                belongs to another service.
        """
        draft = Draft.of(members, participants.platform)
        with members[0].transactions.read() as connection:
            _refuse_strangers(members, store.owners(connection, {p for each in members for p in each.work.parts()}))
            draft.others = store.fragments_sharing(connection, draft.roots, draft.places)
        touched = draft.touched()
        started = perf_counter()
        answers = _read(participants, touched)
        read_s = perf_counter() - started
        if errors := [answer.error for answer in answers.values() if answer.error is not None]:
            raise DevicesFailed(errors)
        planned = draft.plan({name: answer.value or "" for name, answer in answers.items()})
        for member in members:
            member.report.read_s = {name: answer.took_s for name, answer in answers.items()}
            member.report.phases_s |= {"read": read_s, "plan": perf_counter() - started - read_s}
            member.report.plan, member.report.own = planned.plan, planned.own.get(member.monitor.id)
        return planned

    def _index(self, transactions: Transactions) -> None:
        """Note the places of fragments that an older release stored."""
        with transactions.read() as connection:
            missing = store.unindexed(connection)
        if missing:
            with transactions.begin() as uow:
                store.index(uow, {root: with_places(held, self._platform) for root, held in missing.items()})

    def _platform(self, device: str) -> Platform:
        return self.platforms[self.devices.device(device).platform]

    def _devices(self, members: Iterable[Member]) -> Mapping[str, Device]:
        names = {name for member in members for name in member.work.by_device}
        return {name: self.devices.device(name) for name in names}

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
        except (ActivationError, InventoryError):
            leases.release()
            raise
        except BaseException:
            # Not a device's doing: the journal could not be written, say. Nobody cleaned up on the devices.
            leases.abandon()
            raise
        leases.release()

    def _roll_back(self, transaction: store.Transaction, transactions: Transactions) -> Outcome:
        """Undo an interrupted transaction; end its monitors when a device will not be as it was before.

        Several activations share a transaction: whoever comes second finds it rolled back, and touches nothing.
        """
        devices = {edit.device: self._device_of(edit) for edit in transaction.edits}
        journal = Journal(transactions, transaction.transaction_id, transaction.step)
        logger.warning("rolling back %s, interrupted while %s", transaction.transaction_id, transaction.step)
        patient = transaction.rollbacks + 1 < ROLLBACK_TRIES
        with self._participants(devices) as participants, self.locks.held(devices):
            with transactions.read() as connection:
                is_over = TRANSACTION.is_final(store.step_of(connection, transaction.transaction_id))
            if is_over:
                return Outcome(devices={})
            push = Push(transaction.edits, participants, journal)
            outcome = push.recover(may_be_committed=transaction.may_be_committed, patient=patient)
        if outcome.rollback_failures and not outcome.waiting:
            self._end_unrestored(transaction, outcome, transactions)
        return outcome

    def _end_unrestored(self, transaction: store.Transaction, outcome: Outcome, transactions: Transactions) -> None:
        logger.error("%s: not rolled back: %s", transaction.transaction_id, outcome.rollback_failures)
        with transactions.read() as connection:
            monitors = [MONITORS.get(connection, monitor_id) for monitor_id in transaction.monitor_ids]
        ending = [(monitor, Report(outcomes=outcome.devices)) for monitor in monitors if _runs(monitor)]
        _fail(transactions, ending, (), outcome.rollback_failures)


def _runs(monitor: Row) -> bool:
    return not MONITOR.is_final(MonitorState(monitor.state))


def _later(outcome: Outcome, rollbacks: int) -> Retry:
    reasons = "; ".join(map(str, outcome.rollback_failures))
    return Retry(delay_s=min(2.0 ** (rollbacks - 1), LONGEST_PAUSE_S), reason=f"rolling back: {reasons}")


def _postpone(members: Iterable[Member], retry: Retry) -> None:
    for member in members:
        member.retry = retry


def _in_front(plan: Plan, transactions: Transactions) -> str:
    """Return the names of transactions that are to be rolled back on devices this plan changes.

    Among them are those of a worker that died: its locks end before its jobs run again elsewhere.
    """
    changed = [edit.device for edit in plan.edits if edit.changes]
    if not changed:
        return ""
    with transactions.read() as connection:
        return ", ".join(store.interrupted_on(connection, changed))


def _fail(
    transactions: Transactions,
    ending: Iterable[tuple[Row, Report]],
    failures: Sequence[Exception],
    rollback_failures: Sequence[DeviceError] = (),
) -> None:
    with transactions.begin() as uow:
        for monitor, report in ending:
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


def _refuse_strangers(members: Iterable[Member], owners: Mapping[str, str]) -> None:
    for member in members:
        for part in member.work.parts() & owners.keys():
            if owners[part] != member.work.root_id:
                raise PlanError(f"supporting service {part} belongs to service {owners[part]}; legal: an id of its own")


@contextmanager
def _timed(report: Report, phase: str) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        report.phases_s[phase] = perf_counter() - started
