"""Every call of a driver as a moment to die at: before it is made, and once the device has answered."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from activation.contracts import Driver, PlatformRules
from activation.drivers.registry import DriverRegistry
from inventory.model import Device


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


def deaths(device: str) -> Iterator[Sequence[CallDoom]]:
    """Yield what kills one process after the other, before one may live: every call, before and after it is made.

    A process first takes back what its predecessor left, which reads too: the reading that is meant, that of the plan
    or the read-back, is the first death of its row. The last rows are about that taking back.
    """
    yield [*_around(device, "read"), *_around(device, "stage")]
    before, after = _around(device, "read", nth=2)
    yield [before, *_around(device, "commit")]
    yield [after, *_around(device, "confirm")]
    for method in ("discard", "rollback"):
        yield [committed(device), *_around(device, method)]


def committed(device: str) -> CallDoom:
    """Return the moment at which the device has the change for now, and nobody has heard of it."""
    return CallDoom(device=device, method="commit")


def _around(device: str, method: str, nth: int = 1) -> tuple[CallDoom, CallDoom]:
    before, after = (CallDoom(device=device, method=method, nth=nth, is_made=made) for made in (False, True))
    return before, after
