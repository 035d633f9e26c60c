"""How much of the deliverers' time one subscriber may take, so that none of them waits for another.

A subscriber gets a few deliveries at a time, only one when it is slow, and none for a while when it cannot be reached.
What this says holds for one process; nothing here is stored.
"""

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

AT_ONCE: Final = 4
SLOW_S: Final = 1.0
FIRST_REST_S: Final = 0.5
LONGEST_REST_S: Final = 60.0
_LEAST_TURN_S: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Not now.

    Attributes:
        unreachable: why the subscriber cannot be reached; empty where it is only busy.
        lasting_s: for how long it could not be reached by now.
    """

    delay_s: float
    unreachable: str = ""
    lasting_s: float = 0.0


@dataclass(slots=True)
class _Line:
    running: int = 0
    took_s: float = 0.0
    moved_at_s: float = 0.0
    turn_at_s: float = 0.0
    rest_s: float = 0.0
    closed_since_s: float = 0.0
    closed_until_s: float = 0.0
    reason: str = ""

    @property
    def width(self) -> int:
        return 1 if self.reason or self.took_s > SLOW_S else AT_ONCE

    def turn(self, earliest_s: float, apart_s: float) -> float:
        """Return when to come back: each one a time of its own, so that a long queue does not come back at once."""
        self.turn_at_s = max(self.turn_at_s, earliest_s) + apart_s
        return self.turn_at_s

    def open(self) -> None:
        self.reason, self.rest_s, self.closed_until_s = "", 0.0, 0.0

    def close(self, now_s: float, reason: str, pause_s: float) -> None:
        if now_s < self.closed_until_s:
            return  # one of several that were under way when the first of them failed
        if not self.reason:
            self.closed_since_s = now_s
        self.reason = reason
        self.rest_s = min(max(self.rest_s * 2.0, FIRST_REST_S), LONGEST_REST_S)
        self.closed_until_s = now_s + max(self.rest_s, min(pause_s, LONGEST_REST_S))


@dataclass(slots=True)
class Traffic:
    """What is under way to each subscriber. Safe to use from many threads; times are POSIX times."""

    _lines: dict[str, _Line] = field(default_factory=lambda: defaultdict(_Line))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, subscription_id: str, now_s: float) -> Wait | None:
        """Return None where a delivery may start, to be ended with :meth:`leave`; else how long to stay away."""
        with self._lock:
            line = self._lines[subscription_id]
            if now_s < line.closed_until_s:
                delay_s = line.turn(line.closed_until_s, _LEAST_TURN_S) - now_s
                return Wait(delay_s=delay_s, unreachable=line.reason, lasting_s=now_s - line.closed_since_s)
            if line.running >= line.width:
                # The longer nothing moved, the farther apart.
                turn_s = max(line.took_s, now_s - line.moved_at_s, _LEAST_TURN_S) / line.width
                return Wait(delay_s=line.turn(now_s, turn_s) - now_s)
            if line.running == 0:
                line.moved_at_s = now_s
            line.running += 1
            return None

    def leave(
        self, subscription_id: str, now_s: float, *, took_s: float, unreachable: str = "", pause_s: float = 0.0
    ) -> None:
        """End a delivery; ``unreachable`` says why the subscriber could not be reached, if it could not."""
        with self._lock:
            line = self._lines[subscription_id]
            line.running -= 1
            line.moved_at_s, line.took_s = now_s, took_s
            if unreachable:
                line.close(now_s, unreachable, pause_s)
            else:
                line.open()

    def withdraw(self, subscription_id: str) -> None:
        """End a delivery that sent nothing, and tells nothing about its subscriber."""
        with self._lock:
            self._lines[subscription_id].running -= 1
