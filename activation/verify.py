"""What reading back proves: the device carries the planned configuration, or the one it had before."""

from collections.abc import Callable
from functools import partial
from typing import Final

from activation.errors import PlanError
from activation.model import DeviceEdit
from activation.plan import DevicePlan, matches_before, readback_matches
from activation.platforms import Platform

SHOWN: Final = 3
"""Differences that fit into one message; the rest is counted."""


def missing_change(edit: DeviceEdit, running: str, platform: Platform, known: DevicePlan | None = None) -> str:
    """Return in words how ``running`` differs from what ``edit`` was to give; empty when it does not.

    ``known`` is the plan that the edit comes from, where it is at hand.
    """
    return _words(partial(readback_matches, known=known), edit, running, platform)


def missing_undo(edit: DeviceEdit, running: str, platform: Platform) -> str:
    """Return in words how ``running`` differs from what stood before ``edit``; empty when it does not."""
    return _words(matches_before, edit, running, platform)


def _words(
    compare: Callable[[DeviceEdit, str, Platform], list[str]], edit: DeviceEdit, running: str, platform: Platform
) -> str:
    try:
        found = compare(edit, running, platform)
    except PlanError as error:
        return f"what the device shows cannot be understood: {error}"
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more
