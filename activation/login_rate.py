"""How often a device may be logged in to: many refuse everybody for a while after too many logins."""

from dataclasses import dataclass
from typing import Final

BURST: Final = 10
"""Logins at once that no device takes amiss."""


@dataclass(slots=True)
class LoginRate:
    """A bucket of logins that fills again with time. Pure but for its own count; ``now_s`` is monotonic.

    Attributes:
        per_minute: how many logins come back within a minute.
    """

    per_minute: int
    _left: float = float(BURST)
    _as_of_s: float | None = None

    def wait_s(self, now_s: float) -> float:
        """Return in how many seconds the next login may begin."""
        self._refill(now_s)
        return max(0.0, (1.0 - self._left) * 60.0 / self.per_minute)

    def take(self, now_s: float) -> None:
        """Note a login."""
        self._refill(now_s)
        self._left -= 1.0

    def _refill(self, now_s: float) -> None:
        if self._as_of_s is not None:
            self._left = min(float(BURST), self._left + (now_s - self._as_of_s) * self.per_minute / 60.0)
        self._as_of_s = now_s
