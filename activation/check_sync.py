"""Check-sync: devices are read and compared with what their services want, in the middle of whatever goes on.

No lock is taken: a check holds up no order. Where a transaction changed a device while it was read, it is read again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from activation.contracts import Devices, Driver
from activation.deadlines import phase_s
from activation.drift import DeviceDrift, check, places_to_read
from activation.drift_store import Owned, owned_on
from activation.errors import ActivationError, PlanError
from activation.fanout import Answer, fan_out
from activation.history import concerning
from activation.model import Path, ServiceId, TransactionId
from activation.platforms import Platform
from activation.sessions import Leases, SessionPool
from activation.who_changed import Told, ask_who, silence_of, unheard
from inventory.ledger import Transactions
from inventory.model import Device

T = TypeVar("T")

AT_ONCE: Final = 32
"""Devices that are asked at the same time."""
TRIES: Final = 4
PAUSE_S: Final = 0.5
"""Between two looks at a device that is being changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of checking one device: its drift, or why there is none.

    Attributes:
        error: why the device could not be checked.
        busy: transactions that changed the device each time it was read.
        roots: the activated service by each part that owns something there.
        told: who changed the device lately, or why it does not tell; of one in sync only whether it may tell.
    """

    device: str
    drift: DeviceDrift | None = None
    error: ActivationError | None = None
    busy: tuple[TransactionId, ...] = ()
    roots: Mapping[ServiceId, str]
    told: Told = field(default_factory=Told)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCheck:
    """Checks devices."""

    devices: Devices
    platforms: Mapping[str, Platform]
    sessions: SessionPool

    def run(self, names: Sequence[str], transactions: Transactions, *, whole: bool = False) -> Iterator[Checked]:
        """Yield what came of each device in the order of ``names``, some at a time; all of them where none is named.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        asked = [self.devices.device(name) for name in names] if names else list(self.devices.devices())
        for at in range(0, len(asked), AT_ONCE):
            yield from self._together(asked[at : at + AT_ONCE], transactions, whole=whole)

    def _together(self, asked: Sequence[Device], transactions: Transactions, *, whole: bool) -> Iterable[Checked]:
        found: dict[str, Checked] = {}
        waiting = {device.name: device for device in asked}
        for attempt in range(TRIES):
            if attempt:
                threading.Event().wait(PAUSE_S)
            for checked in self._once(list(waiting.values()), transactions, whole=whole):
                found[checked.device] = checked
                if not checked.busy:
                    del waiting[checked.device]
            if not waiting:
                break
        return [found[device.name] for device in asked]

    def _once(self, asked: Sequence[Device], transactions: Transactions, *, whole: bool) -> Iterator[Checked]:
        names = [device.name for device in asked]
        owned = _owned(transactions, names)
        leases = Leases(self.sessions)
        try:
            answers = self._read(leases, asked, owned, whole=whole)
            again = _owned(transactions, names)
            judged = [self._judged(device, owned[device.name], again, answers, whole=whole) for device in asked]
            told = self._told(leases, [each for each in judged if not _in_sync(each)])
        finally:
            leases.release()
        for each in judged:
            yield replace(each, told=told.get(each.device) or self._silence(each.device))

    def _read(
        self, leases: Leases, asked: Sequence[Device], owned: Mapping[str, Owned], *, whole: bool
    ) -> Mapping[str, Answer[str]]:
        places: dict[str, Sequence[Path]] = {}
        for device in asked:
            fragments = owned[device.name].fragments
            if whole:
                places[device.name] = ()
            elif fragments and (platform := self.platforms.get(device.platform)) is not None:
                places[device.name] = places_to_read(platform, fragments)
        concerned = [device for device in asked if device.name in places or device.platform not in self.platforms]
        return _asked(leases, "checkSync", concerned, lambda name, driver: driver.read(places[name]))

    def _judged(
        self,
        device: Device,
        owned: Owned,
        again: Mapping[str, Owned],
        answers: Mapping[str, Answer[str]],
        *,
        whole: bool,
    ) -> Checked:
        answer = answers.get(device.name)
        if answer is not None and answer.error is not None:
            return Checked(device=device.name, error=answer.error, roots=owned.roots)
        after = again[device.name]
        if busy := tuple(dict.fromkeys((*owned.busy, *after.busy))):
            return Checked(device=device.name, busy=busy, roots=owned.roots)
        if owned.fragments != after.fragments:
            return Checked(device=device.name, busy=(TransactionId("finished meanwhile"),), roots=owned.roots)
        text = answer.value or "" if answer is not None else ""
        try:
            drift = check(device.name, self.platforms[device.platform], text, owned.fragments, whole=whole)
        except PlanError as error:
            return Checked(device=device.name, error=error, roots=owned.roots)
        return Checked(device=device.name, drift=drift, roots=owned.roots)

    def _silence(self, name: str) -> Told:
        return Told(silence=silence_of(self.platforms, self.devices.device(name)))

    def _told(self, leases: Leases, drifted: Iterable[Checked]) -> Mapping[str, Told]:
        """Return who changed each device, of those whose platform says how to ask."""
        slots = {each.device: [one.slot for one in each.drift.deviations] for each in drifted if each.drift is not None}
        asked = [device for name in slots if not silence_of(self.platforms, device := self.devices.device(name))]

        if not asked:
            return {}

        def tell(name: str, driver: Driver) -> Told:
            rules = self.platforms[self.devices.device(name).platform].history
            told = ask_who(driver, rules) if rules is not None else Told()
            return replace(told, changes=concerning(told.changes, slots[name]))

        answers = _asked(leases, "history", asked, tell)
        return {name: answer.value or unheard(answer.error) for name, answer in answers.items()}


def _owned(transactions: Transactions, names: Iterable[str]) -> Mapping[str, Owned]:
    with transactions.read() as connection:
        return {name: owned_on(connection, name) for name in names}


def _in_sync(checked: Checked) -> bool:
    return checked.drift is None or checked.drift.in_sync


def _asked(
    leases: Leases, phase: str, asked: Sequence[Device], work: Callable[[str, Driver], T]
) -> Mapping[str, Answer[T]]:
    deadline_s = max((phase_s(device.timeout_s) for device in asked), default=0.0)
    answers = fan_out(
        phase, asked, lambda name: work(name, leases.driver(name)), deadline_s=deadline_s, loop_of=leases.loop_of
    )
    for name, answer in answers.items():
        leases.heard(name, answer.error)
    return answers
