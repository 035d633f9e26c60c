"""Asks devices who changed them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from activation.contracts import Askable, Driver, Telling
from activation.errors import DeviceError, DoesNotTell
from activation.history import NO_RULES, HistoryRules
from activation.model import ChangeNote
from activation.platforms import Platform
from inventory.model import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a device tells of its changes.

    Attributes:
        changes: newest first.
        silence: why it does not tell; empty where it does.
    """

    changes: tuple[ChangeNote, ...] = ()
    silence: str = ""


def silence_of(platforms: Mapping[str, Platform], device: Device) -> str:
    """Return why devices of this platform never tell; empty where they may."""
    platform = platforms.get(device.platform)
    if platform is None or platform.history is None:
        return NO_RULES
    return platform.history.silent


def ask_who(driver: Driver, rules: HistoryRules) -> Told:
    """Return what the device tells.

    Raises:
        DeviceError: it does not answer.
    """
    session: object = driver
    if rules.stream and isinstance(session, Telling):
        since = datetime.now(UTC) - timedelta(days=rules.days)
        try:
            return Told(changes=tuple(session.changes(rules.stream, since)))
        except DoesNotTell as error:
            return Told(silence=error.reason)
    if rules.command and isinstance(session, Askable):
        return Told(changes=rules.notes(session.ask(rules.command)))
    return Told(silence="its driver has no way to ask for it")


def unheard(error: DeviceError | None) -> Told:
    """Return what is known of a device that was asked and did not answer."""
    return Told(silence=f"it could not be asked: {error}" if error is not None else "it was not asked")
