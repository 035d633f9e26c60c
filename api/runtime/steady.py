"""A clock for delays: the machine's clock may jump, what is due must not."""

import time
from collections.abc import Callable


class SteadyClock:
    """POSIX time as the machine told it at first, and from then on as much later as time has passed.

    When somebody sets the machine's clock, jobs become due neither an hour early nor an hour late, and no worker
    looks silent that is not.
    """

    def __init__(self, told_s: Callable[[], float] = time.time, passed_s: Callable[[], float] = time.monotonic) -> None:
        """Ask the machine once.

        Args:
            told_s: the machine's clock.
            passed_s: a clock that never jumps, of whatever beginning.
        """
        self._passed_s = passed_s
        self._offset_s = told_s() - passed_s()

    def __call__(self) -> float:
        """Return the POSIX time."""
        return self._offset_s + self._passed_s()
