"""Wake-ups: workers sleep until a commit concerns them."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class LocalSignals:
    """:class:`api.runtime.contracts.Signals` within one process."""

    _wakes: list[Callable[[], None]] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def subscribe(self, kinds: Collection[str], wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - see below
        """Call ``wake`` after each commit that left a job; one process cannot tell for which kinds, nor need it."""
        with self._guard:
            self._wakes.append(wake)
        return lambda: self._forget(wake)

    def committed(self) -> None:
        """Wake every worker of this process."""
        with self._guard:
            wakes = tuple(self._wakes)
        for wake in wakes:
            wake()

    def close(self) -> None:
        """Forget the workers."""
        with self._guard:
            self._wakes.clear()

    def _forget(self, wake: Callable[[], None]) -> None:
        with self._guard:
            if wake in self._wakes:
                self._wakes.remove(wake)
