"""Processes told apart by number and start time, so that a number used again is never taken for the old process."""

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_STATE_FIELD: Final = 0
_START_FIELD: Final = 19
_DEAD: Final = frozenset({"Z", "X"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMark:
    """One process, this very one.

    Attributes:
        start_ticks: clock ticks between the machine's boot and the start of the process.
    """

    pid: int
    start_ticks: int

    @classmethod
    def own(cls) -> Self:
        """Return the mark of the calling process."""
        pid = os.getpid()
        return cls(pid=pid, start_ticks=int(_stat(pid)[_START_FIELD]))

    def alive(self) -> bool:
        """Say whether the process still runs."""
        try:
            fields = _stat(self.pid)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return fields[_STATE_FIELD] not in _DEAD and int(fields[_START_FIELD]) == self.start_ticks

    def end(self, number: signal.Signals, *, timeout_s: float) -> bool:
        """Send a signal, wait for the process to end, and say whether it did."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return True
        return self.wait(timeout_s=timeout_s)

    def wait(self, *, timeout_s: float) -> bool:
        """Wait for the process to end and say whether it did."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.alive():
                return True
            return bool(select.select([handle], [], [], timeout_s)[0])
        finally:
            os.close(handle)


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the command's name, which may hold blanks and brackets."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
