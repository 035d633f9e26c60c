"""One thread that does something every few seconds, from the first time it is needed."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

logger = logging.getLogger(__name__)

EVERY_S: Final = 10.0


@dataclass(slots=True)
class Keeper:
    """Calls ``work`` again and again once it is woken; what goes wrong is logged, and tried again.

    Attributes:
        every_s: the pause between two calls.
    """

    work: Callable[[], None]
    every_s: float = EVERY_S
    _ended: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def wake(self) -> None:
        """Begin, unless it runs already or has been closed."""
        with self._guard:
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(target=self._run, name="session-keeper", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End, after what is under way."""
        with self._guard:
            self._ended.set()
            thread = self._thread
        if thread is not None:
            thread.join(self.every_s)

    def _run(self) -> None:
        while not self._ended.wait(self.every_s):
            try:
                self.work()
            except Exception:
                # The seam: sessions are looked after as long as the platform runs.
                logger.exception("looking after the sessions failed; again in %g s", self.every_s)
