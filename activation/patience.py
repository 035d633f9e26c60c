"""How long activations wait for a device in quarantine before they fail."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from activation.errors import DeviceQuarantined
from inventory.ledger import Retry

WAIT_S: Final = 60.0
"""A reboot is over by then; after that the order shall say which device it is."""
SHORTEST_S: Final = 0.5


@dataclass(slots=True)
class Patience:
    """Counts, per activation, since when it waits.

    Attributes:
        clock: monotonic seconds.
    """

    wait_s: float = WAIT_S
    clock: Callable[[], float] = time.monotonic
    _since_s: dict[str, float] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def retry(self, monitor_ids: Iterable[str], errors: Sequence[Exception]) -> Retry | None:
        """Return when to come again; None where a device fails otherwise, or somebody has waited for long enough."""
        quarantined = [error for error in errors if isinstance(error, DeviceQuarantined)]
        if not quarantined or len(quarantined) < len(errors):
            return None
        now_s = self.clock()
        with self._guard:
            self._since_s = {key: at for key, at in self._since_s.items() if now_s - at <= 2 * self.wait_s}
            first_s = min(self._since_s.setdefault(key, now_s) for key in monitor_ids)
        left_s = self.wait_s - (now_s - first_s)
        if left_s <= 0:
            return None
        pause_s = max(error.pause_s for error in quarantined)
        return Retry(delay_s=min(max(pause_s, SHORTEST_S), left_s), reason="; ".join(map(str, quarantined)))
