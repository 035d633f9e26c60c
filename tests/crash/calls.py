"""Every call of a driver as a moment to die at: before it is made, and once the device has answered."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from activation.contracts import Driver, PlatformRules
from activation.drivers.registry import DriverRegistry
from inventory.model import Device

FORWARD: Final = (("read", 1), ("stage", 1), ("commit", 1), ("read", 2), ("confirm", 1))
"""The calls of a push that goes well, each by which time it is made; the second reading is the read-back."""
BACK: Final = ("discard", "rollback")
"""The calls of a recovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDoom:
    """A process kills itself around the ``nth`` call of ``method`` of the driver of ``device``.

    Attributes:
        is_made: whether the device has done it by then; nobody has heard of it yet.
    """

    device: str
    method: str
    nth: int = 1
    is_made: bool = True

    def __str__(self) -> str:
        return f"{'after' if self.is_made else 'before'} {self.method} #{self.nth} of {self.device}"

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Let the process die there while the block runs."""
        open_driver, doomed = DriverRegistry.open, set[type]()

        def opened(registry: DriverRegistry, device: Device, rules: PlatformRules) -> Driver:
            driver = open_driver(registry, device, rules)
            kind = type(driver)
            if device.name == self.device and kind not in doomed:
                doomed.add(kind)
                setattr(kind, self.method, self._dying(getattr(kind, self.method)))
            return driver

        with mock.patch.object(DriverRegistry, "open", opened):
            yield

    def _dying(self, call: Callable[..., Any]) -> Callable[..., Any]:
        seen = 0

        def dying(*given: object, **named: object) -> object:
            nonlocal seen
            seen += 1
            is_due = seen == self.nth
            if is_due and not self.is_made:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*given, **named)
            finally:
                if is_due:
                    os.kill(os.getpid(), signal.SIGKILL)

        return dying


def forward(device: str) -> list[CallDoom]:
    """Return the calls of a push that goes well."""
    return [
        CallDoom(device=device, method=method, nth=nth, is_made=made)
        for method, nth in FORWARD
        for made in (False, True)
    ]


def back(device: str) -> list[CallDoom]:
    """Return the calls of the recovery after the process died with the device's commit made."""
    return [CallDoom(device=device, method=method, is_made=made) for method in BACK for made in (False, True)]


def committed(device: str) -> CallDoom:
    """Return the moment at which the device has the change for now, and nobody has heard of it."""
    return CallDoom(device=device, method="commit")
