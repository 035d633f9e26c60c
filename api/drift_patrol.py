"""Devices are compared with what their services want now and then, without anybody asking."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from activation.drift_watch import DriftWatch
from activation.errors import ActivationError
from api.errors import DatabaseAway
from inventory.errors import InventoryError

_log = logging.getLogger(__name__)

SHORTEST_S: Final = 0.05
"""Between two devices, however many there are: a check is never a load."""
LOOK_S: Final = 5.0
"""How soon devices are found that carry a service for the first time, at the latest."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class DriftPatrol:
    """A thread that checks one device after another, each once in ``every_s``, spread evenly.

    Of several processes each looks only at devices that none has checked lately.
    """

    watch: DriftWatch
    every_s: float
    now: Callable[[], datetime] = _now
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._thread = threading.Thread(target=self._walk, name="drift", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; a device that is being read is waited for."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _walk(self) -> None:
        while not self._stop.is_set():
            pause_s = LOOK_S
            try:
                pause_s = self.step()
            except (ActivationError, InventoryError, DatabaseAway) as error:
                _log.warning("drift: %s", error)
            self._stop.wait(pause_s)

    def step(self) -> float:
        """Check the device whose turn it is, if one is due; return how long to wait for the next turn."""
        known = {device.name for device in self.watch.checks.devices.devices()}
        carrying = [name for name in self.watch.carrying() if name in known]
        checked_at = self.watch.checked_at()
        if not carrying:
            return min(self.every_s, LOOK_S)
        never = datetime.min.replace(tzinfo=UTC)
        oldest = min(carrying, key=lambda name: checked_at.get(name, never))
        due_at = checked_at.get(oldest, never) + timedelta(seconds=self.every_s)
        if due_at > self.now():
            return min((due_at - self.now()).total_seconds(), LOOK_S)
        for checked in self.watch.check([oldest]):
            if checked.drift is not None and not checked.drift.in_sync:
                _log.warning("drift: %s: %d deviations", oldest, len(checked.drift.deviations))
        return max(SHORTEST_S, min(self.every_s / len(carrying) / 2, LOOK_S))
