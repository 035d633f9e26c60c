"""One plan on many devices as one transaction: stage, commit, read back, confirm on all, or everything back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from activation.checks import CheckResult, failed
from activation.contracts import Driver
from activation.deadlines import phase_s
from activation.errors import (
    DeviceError,
    DeviceUnreachable,
    EditRefused,
    OutcomeUnknown,
    ReadBackMismatch,
    ServiceCheckFailed,
)
from activation.fanout import Answer, fan_out
from activation.journal import Journal
from activation.model import DeviceEdit
from activation.plan import DevicePlan
from activation.platforms import Platform
from activation.sessions import Leases
from activation.states import Step
from activation.verify import missing_change, missing_undo
from inventory.model import Device

T = TypeVar("T")

CONFIRM_TIMEOUT_S: Final = 120
"""How long a device waits for the confirm before it undoes the commit by itself."""
ROLLBACK_ATTEMPTS: Final = 2
"""Once on the session at hand, and once more, on a new one where that session broke."""
SESSION_TROUBLE: Final = (DeviceUnreachable, OutcomeUnknown)
BUSY_PHASES: Final = ("stage", "commit", "confirm")
"""What of a push takes the longer the more activations share it, and keeps the device from others."""


@dataclass(slots=True)
class DeviceOutcome:
    """What happened on one device.

    Attributes:
        committed: whether the commit was sent at all.
        read_back: ``"notRead"``, ``"ok"``, ``"mismatch"``; after a rollback ``"restored"`` or ``"notRestored"``.
        timings_s: how long each phase took.
    """

    device: str
    committed: bool = False
    read_back: str = "notRead"
    timings_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a transaction ended.

    Attributes:
        failures: why it failed; empty when every device confirmed.
        rollback_failures: devices that may not be as they were before, and why.
        checks: what came of the service checks before the confirm.
        waiting: those devices could not be reached; the journal still says rolling back, to be tried again.
    """

    devices: Mapping[str, DeviceOutcome]
    failures: tuple[DeviceError, ...] = ()
    rollback_failures: tuple[DeviceError, ...] = ()
    waiting: bool = False
    checks: tuple[CheckResult, ...] = ()

    @property
    def completed(self) -> bool:
        """Whether every device carries the plan, for good."""
        return not self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Participants:
    """The devices of a transaction, their platforms, and the sessions it holds.

    Attributes:
        expected: plans of devices that were made just now, so that reading back need not read their texts again.
    """

    devices: Mapping[str, Device]
    platforms: Mapping[str, Platform]
    leases: Leases
    expected: dict[str, DevicePlan] = field(default_factory=dict)

    def platform(self, name: str) -> Platform:
        """Return the platform of the device called ``name``."""
        return self.platforms[self.devices[name].platform]

    def ask(
        self,
        phase: str,
        names: Iterable[str],
        work: Callable[[str, Driver], T],
        edits: Mapping[str, DeviceEdit] | None = None,
    ) -> Mapping[str, Answer[T]]:
        """Return each device's answer to ``work``, all asked at once; part with every session that failed.

        The larger the device's part of ``edits``, the longer it may take.
        """
        asked = [self.devices[name] for name in names]
        if not asked:
            return {}
        about = edits or {}
        deadline_s = max(phase_s(device.timeout_s, about.get(device.name)) for device in asked)
        answers = fan_out(
            phase,
            asked,
            lambda name: work(name, self.leases.driver(name, urgent=phase == "rollback")),
            deadline_s=deadline_s,
            loop_of=self.leases.loop_of,
        )
        for name, answer in answers.items():
            self.leases.heard(name, answer.error)
        return answers


class Push:
    """One transaction under way."""

    def __init__(
        self,
        edits: Iterable[DeviceEdit],
        participants: Participants,
        journal: Journal,
        checks: Callable[[], tuple[CheckResult, ...]] = tuple,
    ) -> None:
        self._edits = {edit.device: edit for edit in edits if edit.changes}
        self._participants, self._journal, self._checks = participants, journal, checks
        self._checked: tuple[CheckResult, ...] = ()
        self._outcomes = {name: DeviceOutcome(name) for name in self._edits}
        self._lost: list[DeviceError] = []

    def run(self) -> Outcome:
        """Push the edits and return how it ended: all devices confirmed, or all as they were before.

        The journal says staging already; it is left at confirming when the push succeeded, so that the caller
        writes the end together with what follows from it.
        """
        try:
            for step in (self._stage, self._commit, self._read_back, self._check_services, self._confirm):
                failures = step()
                if failures:
                    return self._undo(failures, patient=True)
        except Exception:
            # No device's doing: the journal could not be written. Whoever comes next must not find the devices busy.
            self._let_go()
            raise
        return Outcome(devices=self._outcomes, checks=self._checked)

    def recover(self, *, may_be_committed: bool, patient: bool) -> Outcome:
        """Roll back a transaction that was interrupted, by a crash or by a device that could not be reached.

        Where no commit can have been sent there is nothing of it on the devices, and what they carry is somebody
        else's: changes after a crash do not wait for a transaction that only staged. While ``patient``, devices that
        cannot be reached leave the transaction waiting; after that they end it as not rolled back.
        """
        for outcome in self._outcomes.values():
            outcome.committed = may_be_committed
        return self._undo((), patient=patient and may_be_committed)

    def _stage(self) -> list[DeviceError]:
        token = self._journal.transaction_id
        return self._failures(
            self._ask("stage", self._edits, lambda name, driver: driver.stage(self._edits[name], token=token))
        )

    def _commit(self) -> list[DeviceError]:
        self._journal.enter(Step.COMMITTING, {"devices": sorted(self._edits)})
        for outcome in self._outcomes.values():
            outcome.committed = True
        answers = self._ask("commit", self._edits, self._commit_one)
        failures = self._failures(answers)
        # A lost answer is no failure yet: reading back decides.
        self._lost = [error for error in failures if isinstance(error, OutcomeUnknown)]
        return [error for error in failures if not isinstance(error, OutcomeUnknown)]

    def _commit_one(self, name: str, driver: Driver) -> None:
        token = self._journal.transaction_id
        driver.commit(self._edits[name], token=token, confirm_timeout_s=CONFIRM_TIMEOUT_S)

    def _read_back(self) -> list[DeviceError]:
        self._journal.enter(Step.READING_BACK)
        failures = self._failures(self._ask("readBack", self._edits, self._check))
        failed = {error.device for error in failures}
        return [error for error in self._lost if error.device in failed] + failures

    def _check(self, name: str, driver: Driver) -> None:
        edit = self._edits[name]
        running, expected = driver.read(edit.touched), self._participants.expected.get(name)
        missing = missing_change(edit, running, self._participants.platform(name), expected)
        self._outcomes[name].read_back = "mismatch" if missing else "ok"
        if missing:
            raise ReadBackMismatch(name, "readBack", f"the device took the change but does not show it: {missing}")

    def _check_services(self) -> list[DeviceError]:
        """Run the service checks: the change is live, and can still be taken back."""
        self._checked = self._checks()
        devices = ", ".join(self._edits)
        return [
            ServiceCheckFailed(devices, "serviceCheck", f"{each.name}: {each.detail}") for each in failed(self._checked)
        ]

    def _confirm(self) -> list[DeviceError]:
        self._journal.enter(Step.CONFIRMING)
        token = self._journal.transaction_id
        failures = self._failures(
            self._ask("confirm", self._edits, lambda name, driver: driver.confirm(self._edits[name], token=token))
        )
        lost = [error.device for error in failures if isinstance(error, OutcomeUnknown)]
        if not lost:
            return failures
        again = self._failures(self._ask("confirm", lost, self._confirm_again))
        return [error for error in failures if error.device not in lost] + again

    def _confirm_again(self, name: str, driver: Driver) -> None:
        """Confirm after a lost answer: a device that has nothing to confirm any more must carry the plan."""
        edit = self._edits[name]
        try:
            driver.confirm(edit, token=self._journal.transaction_id)
        except EditRefused:
            driver.discard()  # It locked the candidate to confirm, and keeps the lock no longer.
            if missing_change(edit, driver.read(edit.touched), self._participants.platform(name)):
                raise

    def _undo(self, failures: Iterable[DeviceError], *, patient: bool) -> Outcome:
        because = tuple(failures)
        self._journal.enter(Step.ROLLING_BACK, {"because": [str(error) for error in because]})
        left: tuple[DeviceError, ...] = ()
        names = tuple(self._edits)
        for _ in range(ROLLBACK_ATTEMPTS):
            left = tuple(self._failures(self._ask("rollback", names, self._undo_one)))
            names = tuple(error.device for error in left)
            if not names:
                break
        # Where no commit was sent nothing can be left, whether the device can be reached or not.
        left = tuple(error for error in left if self._outcomes[error.device].committed)
        if left and patient and all(isinstance(error, SESSION_TROUBLE) for error in left):
            return Outcome(
                devices=self._outcomes,
                failures=because,
                rollback_failures=left,
                waiting=True,
                checks=self._checked,
            )
        end = Step.ROLLBACK_FAILED if left else Step.ROLLED_BACK
        self._journal.enter(end, {"rollbackFailed": [str(error) for error in left]})
        return Outcome(devices=self._outcomes, failures=because, rollback_failures=left, checks=self._checked)

    def _let_go(self) -> None:
        """Cancel, as well as it goes, what waits on the devices under this transaction's own name.

        Nothing else is touched: by now another worker may have taken the transaction over. What is confirmed already
        is rolled back when the job runs again.
        """
        token = self._journal.transaction_id

        def cancel(name: str, driver: Driver) -> None:
            driver.discard()
            if self._outcomes[name].committed:
                driver.rollback(self._edits[name], token=token, undone=lambda _: True)

        self._ask("rollback", self._edits, cancel)

    def _undo_one(self, name: str, driver: Driver) -> None:
        edit, platform = self._edits[name], self._participants.platform(name)
        driver.discard()
        if self._outcomes[name].committed:
            token = self._journal.transaction_id
            driver.rollback(edit, token=token, undone=lambda running: not missing_undo(edit, running, platform))
        missing = missing_undo(edit, driver.read(edit.touched), platform)
        self._outcomes[name].read_back = "notRestored" if missing else "restored"
        if missing:
            raise ReadBackMismatch(name, "rollback", f"the device is not as it was before: {missing}")

    def _ask(self, phase: str, names: Iterable[str], work: Callable[[str, Driver], T]) -> Mapping[str, Answer[T]]:
        answers = self._participants.ask(phase, names, work, self._edits)
        for name, answer in answers.items():
            taken = self._outcomes[name].timings_s
            taken[phase] = round(taken.get(phase, 0.0) + answer.took_s, 4)
        return answers

    @staticmethod
    def _failures(answers: Mapping[str, Answer[T]]) -> list[DeviceError]:
        return [answer.error for answer in answers.values() if answer.error is not None]
