"""Makes a data plane follow a configuration: one thread per device, always towards the newest state."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from labs.netns.errors import NetnsError, NotSettled

FIRST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 5.0
_log = logging.getLogger(__name__)


class Follower:
    """Calls ``follow`` after each change; what changes meanwhile is taken together.

    A device answers a commit before its data plane has followed, as real ones do; ``settle`` waits for that.
    """

    def __init__(self, name: str, follow: Callable[[], object], *, every_s: float | None = None) -> None:
        """Prepare the thread.

        Args:
            name: of the device.
            follow: brings the data plane to the present configuration; called in the follower's own thread only.
            every_s: look also without being told, for devices that do not tell.
        """
        self._name = name
        self._follow = follow
        self._every_s = every_s
        self._changed = threading.Condition()
        self._wanted = 0
        self._done = 0
        self._ended = False
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=f"plane-{name}", daemon=True)

    def start(self) -> None:
        """Start to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to follow; returns when a change under way is through."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def changed(self) -> None:
        """Say that the configuration changed. Callable from any thread; never waits."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()

    def settle(self, timeout_s: float) -> None:
        """Return when the data plane does what the configuration said at the time of the call.

        Raises:
            NotSettled: it does not follow in time; says why.
        """
        with self._changed:
            self._wanted += 1
            wanted = self._wanted
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._done >= wanted or self._ended, timeout_s):
                raise NotSettled(self._name, timeout_s, self._trouble or "it is still at it")

    def _run(self) -> None:
        pause_s = 0.0
        while (wanted := self._next(pause_s)) is not None:
            try:
                self._follow()
            except (NetnsError, OSError) as trouble:
                pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
                self._note(str(trouble), pause_s)
                continue
            pause_s = 0.0
            with self._changed:
                self._trouble, self._done = "", wanted
                self._changed.notify_all()

    def _next(self, pause_s: float) -> int | None:
        """Wait for the next change, or for a while after trouble; None at the end."""
        with self._changed:
            if pause_s:
                self._changed.wait_for(lambda: self._ended, pause_s)
            else:
                self._changed.wait_for(lambda: self._ended or self._wanted > self._done, self._every_s)
            return None if self._ended else self._wanted

    def _note(self, trouble: str, pause_s: float) -> None:
        if trouble != self._trouble:
            _log.warning("%s: the data plane does not follow, next try in %g s: %s", self._name, pause_s, trouble)
        self._trouble = trouble
