"""One group's way to the devices: plan, push, complete; a group that is refused is split until the culprit is alone."""

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

from activation import rollback_notes, store
from activation.batch_size import OVERRUN_SHARE, BatchSizes
from activation.bisect import Search
from activation.check_run import DeviceLook, ServiceChecks, no_checks
from activation.checks import CheckResult
from activation.culprits import alike, named_by, overrun_by
from activation.draft import Planned, with_places
from activation.errors import ActivationError, Cancelled, DeviceError, DevicesFailed, Outdated
from activation.gate import Candidate, ReviewGate
from activation.journal import Journal
from activation.meanwhile import meanwhile
from activation.model import TRANSACTION_PREFIX, Fragment, Plan, TransactionId
from activation.past_store import remember
from activation.patience import Patience
from activation.places import Places
from activation.planning import plan
from activation.reach import Reach
from activation.recovery import later
from activation.repair_work import RepairWork, complete_repair
from activation.service_activation import Request
from activation.settle import complete, fail_all, foresee
from activation.states import Step
from activation.transact import BUSY_PHASES, SESSION_TROUBLE, Outcome, Participants, Push
from activation.withdrawal import refuse_withdrawn
from activation.work import Member
from inventory.errors import InventoryError
from inventory.ledger import Retry, Transactions
from inventory.model import Device

logger = logging.getLogger(__name__)

IN_FRONT_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one attempt to bring a group to its devices.

    Attributes:
        failures: why it failed; empty where everybody got through or is to come again.
        left: devices that may not be as they were before, and why.
        retry: when to come again, where the devices cannot take it now.
    """

    failures: Sequence[Exception] = ()
    left: Sequence[DeviceError] = ()
    retry: Retry | None = None

    @property
    def is_one_members_fault(self) -> bool:
        """Whether fewer members might get through: no device is out of reach, and all are as they were before."""
        return bool(self.failures) and not self.left and not any(isinstance(e, SESSION_TROUBLE) for e in self.failures)

    @property
    def is_too_much(self) -> bool:
        """Whether fewer at once might get through: a device fell silent over them, and all are as they were before."""
        return bool(overrun_by(self.failures)) and not self.left

    @property
    def words(self) -> str:
        """What the devices said."""
        return "; ".join(map(str, self.failures))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Brings groups to their devices, and learns how large groups may be. The caller holds the devices' locks."""

    reach: Reach
    sizes: BatchSizes
    gate: ReviewGate | None = None
    checks: ServiceChecks = field(default_factory=no_checks)
    patience: Patience = field(default_factory=Patience)

    def bring(self, members: Sequence[Member]) -> None:
        """Bring all members' changes to the devices and end each of their jobs.

        A refusal costs the member it is about; a device that cannot be reached costs them all, at once. One that falls
        silent over what they want together, and is as it was before, gets it in smaller pieces.
        """
        search = Search(members)
        while group := search.next():
            verdict = self._attempt(group)
            if verdict.retry is not None:
                _end([*group, *search.give_up()], verdict.retry)
            elif not verdict.failures:
                search.passed()
                _end(group, None)
            elif len(group) > 1 and verdict.is_too_much and search.overran(len(group) // OVERRUN_SHARE):
                logger.warning("%d activations together were too much, trying fewer: %s", len(group), verdict.words)
            elif not verdict.is_one_members_fault:
                _fail([*group, *search.give_up()], verdict)
            elif len(group) > 1:
                logger.warning(
                    "%d activations together were refused, looking for the culprit: %s", len(group), verdict.words
                )
                search.refused(alike(verdict.words), named_by(verdict.failures, group))
            else:
                _fail(search.refused(alike(verdict.words)), verdict)

    def _attempt(self, members: Sequence[Member]) -> Verdict:
        transactions = members[0].transactions
        try:
            with self.reach.participants(self._devices(members)) as participants:
                planned = plan(members, participants)
                if in_front := _in_front(planned.plan, transactions):
                    # What this plan found on the devices is about to go; planned after that, it is the right one.
                    return Verdict(retry=Retry(delay_s=IN_FRONT_POLL_S, reason=f"waits for the rollback of {in_front}"))
                if (admitted := self._admitted(members, planned)) is None:
                    # It waits for people: no job, no lock. Their approval brings the job back.
                    return Verdict()
                journal = self._journalled(members, admitted.plan)
                with meanwhile(lambda: _prepared(members, admitted, participants)) as prepared:
                    outcome = self._push(members, admitted.plan, participants, journal)
                for member in members:
                    member.report.own = prepared().own.get(member.monitor.id)
                if outcome.waiting and journal is not None:
                    rollback_notes.tell(transactions, journal.transaction_id, outcome.rollback_failures)
                    return Verdict(retry=later(outcome, 1))
                if outcome.completed:
                    _complete(members, admitted, prepared(), participants, journal)
        except (ActivationError, InventoryError) as error:
            return self._stopped_by(error, members)
        return Verdict(failures=outcome.failures, left=outcome.rollback_failures)

    def _devices(self, members: Iterable[Member]) -> Mapping[str, Device]:
        return self.reach.named({name for member in members for name in member.work.by_device})

    def _admitted(self, members: Sequence[Member], planned: Planned) -> Planned | None:
        """Return what may be pushed; None where it waits for people."""
        (member, *others) = members
        if self.gate is None or others or not member.alone or not member.work.is_pushed:
            return planned
        candidate = Candidate(monitor=member.monitor, work=member.work, plan=planned.plan, report=member.report)
        admitted = self.gate.admitted(candidate, member.transactions)
        if admitted is None:
            return None
        member.report.plan = admitted
        return replace(planned, plan=admitted)

    def _journalled(self, members: Sequence[Member], plan: Plan) -> Journal | None:
        """Write what is about to be pushed, and return the journal of it; None where nothing is."""
        if not members[0].work.is_pushed or not any(edit.changes for edit in plan.edits):
            return None
        transactions, monitor_ids = members[0].transactions, [member.monitor.id for member in members]
        journal = Journal(transactions, TransactionId(f"{TRANSACTION_PREFIX}{uuid.uuid4().hex}"))
        with transactions.begin() as uow:
            refuse_withdrawn(uow, [member.monitor for member in members])
            for member in members:
                member.work.begin(uow, member.monitor.id)
            store.store_plan(uow, plan, monitor_ids[0])
            store.begin_transaction(uow, journal.transaction_id, plan, monitor_ids)
            remember(uow, plan, {part: member.work.root_of(part) for member in members for part in member.work.parts()})
        return journal

    def _push(
        self, members: Sequence[Member], plan: Plan, participants: Participants, journal: Journal | None
    ) -> Outcome:
        if journal is None:
            return Outcome(devices={})
        started = perf_counter()
        outcome = Push(plan.edits, participants, journal, lambda: self._checked(members, participants)).run()
        for member in members:
            member.report.outcomes = outcome.devices
            member.report.checks = outcome.checks
            member.report.phases_s["push"] = perf_counter() - started
        for device, found in outcome.devices.items():
            if found.committed:
                self.sizes.learn(device, len(members), sum(found.timings_s.get(phase, 0.0) for phase in BUSY_PHASES))
        for device in overrun_by(outcome.failures):
            self.sizes.overran(device, len(members))
        return outcome

    def _stopped_by(self, error: Exception, members: Sequence[Member]) -> Verdict:
        """Return the verdict on a group that could not even be pushed."""
        if isinstance(error, Outdated | Cancelled):
            # Of those that were cancelled nothing comes again but that they are found out.
            return Verdict(retry=Retry(delay_s=0.0, reason=str(error)))
        if isinstance(error, DevicesFailed):
            waits = self.patience.retry([member.monitor.id for member in members], error.errors)
            return Verdict(failures=error.errors, retry=waits)
        return Verdict(failures=(error,))

    def _checked(self, members: Sequence[Member], participants: Participants) -> tuple[CheckResult, ...]:
        wanted = [service for member in members if (service := Request.of(member.monitor).service)]
        return self.checks.run(wanted, "beforeConfirm", DeviceLook(participants))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """What can be known of the end of a push before it.

    Attributes:
        own: what people read of each activation's share, by monitor.
        held: the fragments with their places that each service then has, by monitor and device.
    """

    own: Mapping[str, Mapping[str, str]]
    held: Mapping[str, Mapping[str, Mapping[Fragment, Places]]]


def _prepared(members: Sequence[Member], planned: Planned, participants: Participants) -> _Prepared:
    for device in planned.devices.values():
        _ = device.all_after  # Reading back asks for it: by then it is there.
    held = {
        member.monitor.id: {
            device: with_places(fragments, participants.platform, planned.readings)
            for device, fragments in member.work.held_after(planned.settled).items()
        }
        for member in members
        if not member.work.is_staged and not isinstance(member.work, RepairWork)
    }
    return _Prepared(own=planned.own(), held=held)


def _complete(
    members: Sequence[Member],
    planned: Planned,
    prepared: _Prepared,
    participants: Participants,
    journal: Journal | None,
) -> None:
    with members[0].transactions.begin() as uow:
        if journal is not None:
            store.enter_step(uow, journal.transaction_id, journal.step, Step.DONE, {})
        monitors = [member.monitor for member in members]
        services = [member.service for member in members if member.service is not None]
        foresee(uow, [monitor.id for monitor in monitors], monitors, services)
        for member in members:
            if isinstance(member.work, RepairWork):
                complete_repair(uow, member, planned.settled, participants.platform)
                continue
            held = prepared.held.get(member.monitor.id)
            complete(uow, member.monitor.id, member.report, held, member.work.claims)


def _fail(members: Sequence[Member], verdict: Verdict) -> None:
    ending = [(member.monitor.id, member.report) for member in members]
    fail_all(members[0].transactions, ending, verdict.failures, verdict.left)
    _end(members, None)


def _end(members: Iterable[Member], retry: Retry | None) -> None:
    for member in members:
        member.finish(retry)


def _in_front(plan: Plan, transactions: Transactions) -> str:
    """Return the names of transactions that are to be rolled back on devices this plan changes.

    Among them are those of a worker that died: its locks end before its jobs run again elsewhere.
    """
    changed = [edit.device for edit in plan.edits if edit.changes]
    if not changed:
        return ""
    with transactions.read() as connection:
        return ", ".join(store.interrupted_on(connection, changed))
