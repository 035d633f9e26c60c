"""When a device that keeps failing is left alone, and for how long. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from activation.errors import DeviceError, DeviceQuarantined, DeviceUnreachable, HostKeyRefused, OutcomeUnknown
from inventory.model import DeviceState

PATIENCE: Final = 3
"""Failures in a row before a device is left alone: a reboot or a cut line shows up as one or two."""
FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 300.0


def is_failure(error: DeviceError) -> bool:
    """Say whether ``error`` means that the device does not answer; a refusal is an answer, and so is a wrong key."""
    return isinstance(error, DeviceUnreachable | OutcomeUnknown) and not isinstance(
        error, DeviceQuarantined | HostKeyRefused
    )


def after_failure(state: DeviceState, error: DeviceError, now: datetime) -> DeviceState:
    """Return the state after one more failure in a row; each pause is twice the one before."""
    failures = state.failures + 1
    until = None
    if failures >= PATIENCE:
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(failures - PATIENCE, 16), LONGEST_PAUSE_S)
        until = now + timedelta(seconds=pause_s)
    return replace(state, failures=failures, quarantined_until=until, last_error=str(error), last_error_at=now)


def after_success(state: DeviceState) -> DeviceState:
    """Return the state after an answer, whatever came before; what went wrong last is still told."""
    return replace(state, failures=0, quarantined_until=None)


def refusal(state: DeviceState, now: datetime) -> DeviceQuarantined | None:
    """Return why the device must not be asked now; None where it may."""
    until = state.quarantined_until
    if until is None or now >= until:
        return None
    reason = (
        f"quarantined until {until:%H:%M:%S} UTC after {state.failures} failures in a row; last: {state.last_error}; "
        f"'lastmile device release {state.name}' lets it back at once"
    )
    return DeviceQuarantined(state.name, reason, pause_s=(until - now).total_seconds())
