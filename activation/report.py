"""What a monitor tells about its plan, its devices and its errors, in the wire's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from activation.checks import CheckResult
from activation.contracts import ROLLBACK_FAILED
from activation.errors import DeviceError
from activation.model import DeviceEdit, Plan
from activation.transact import DeviceOutcome


@dataclass(slots=True)
class Report:
    """What is known of one activation so far; filled as it goes on.

    Attributes:
        own: this activation's share of the plan's diffs, by device, where others share the plan.
        read_s: how long reading took, by device.
        checks: what came of the service checks.
        phases_s: how long each part of the whole took.
    """

    plan: Plan | None = None
    own: Mapping[str, str] | None = None
    outcomes: Mapping[str, DeviceOutcome] = field(default_factory=dict)
    read_s: Mapping[str, float] = field(default_factory=dict)
    phases_s: dict[str, float] = field(default_factory=dict)
    checks: Sequence[CheckResult] = ()

    def document(self) -> dict[str, Any]:
        """Return the monitor's ``plan``; empty when there is none."""
        if self.plan is None:
            return {}
        plan: dict[str, Any] = {
            "planId": self.plan.plan_id,
            "planHash": self.plan.plan_hash,
            "devices": [self._device(edit) for edit in self.plan.edits if self.own is None or edit.device in self.own],
            "timingsS": {phase: round(taken_s, 4) for phase, taken_s in self.phases_s.items()},
        }
        if self.checks:
            plan["serviceChecks"] = [each.document() for each in self.checks]
        return {"plan": plan}

    def _device(self, edit: DeviceEdit) -> dict[str, Any]:
        outcome = self.outcomes.get(edit.device, DeviceOutcome(edit.device))
        read = {"read": round(self.read_s[edit.device], 4)} if edit.device in self.read_s else {}
        # What goes to the device for many is kept once, under the plan's id.
        native = {"edit": edit.edit, "inverse": edit.inverse} if self.own is None else {}
        return {
            "device": edit.device,
            "platform": edit.platform,
            "diff": edit.diff if self.own is None else self.own[edit.device],
            **native,
            "sharedWith": list(edit.shared_with),
            "readBack": outcome.read_back if edit.changes else "unchanged",
            "timingsS": {**read, **outcome.timings_s},
        }


STATUS: Final[Mapping[str, int]] = {
    ROLLBACK_FAILED: 500,
    "badIntent": 400,
    "unknownResource": 422,
    "notUnique": 409,
    "illegalTransition": 409,
    "planError": 409,
    "renderError": 500,
    "editRefused": 422,
    "deviceUnreachable": 502,
    "readBackMismatch": 502,
    "outcomeUnknown": 504,
}
"""What HTTP calls each kind of failure; of several, the first in this order counts. Any other is a 409."""


def status_of(errors: Iterable[Mapping[str, str]]) -> str:
    """Return the HTTP status of a request that ended with these ``error_documents``."""
    codes = {error["code"] for error in errors}
    return str(next((status for code, status in STATUS.items() if code in codes), 409))


def error_documents(failures: Iterable[Exception], rollback_failures: Iterable[DeviceError]) -> list[dict[str, str]]:
    """Return the monitor's ``errorMessage``: why it failed, and loudly which devices could not be restored."""
    return [*map(_failure, failures), *map(_rollback_failure, rollback_failures)]


def _failure(error: Exception) -> dict[str, str]:
    name = type(error).__name__
    code = name[0].lower() + name[1:]
    if isinstance(error, DeviceError):
        return {"code": code, "reason": error.reason, "message": str(error), "device": error.device}
    return {"code": code, "reason": str(error), "message": str(error)}


def _rollback_failure(error: DeviceError) -> dict[str, str]:
    message = f"{error.device}: rollback failed, the device may not be as it was before: {error.reason}"
    return {"code": ROLLBACK_FAILED, "reason": error.reason, "message": message, "device": error.device}
