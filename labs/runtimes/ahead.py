"""The process of a lab, started ahead: it imports what it needs while the deployer reads the topology.

Importing takes most of the time that it takes to bring up a small lab. So this module imports next to nothing.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

FACTORIES = {"embedded": "labs.runtimes.embedded:EmbeddedHeld", "netns": "labs.netns.held:NetnsHeld"}
"""What makes the labs that live in a process of ours, by runtime."""
RUNTIME_OPTION = "--runtime"
_PROGRAM = "from labs.runtimes.waiting import wait; import sys; wait(int(sys.argv[1]), sys.argv[2])"


class WaitingProcess:
    """A process that imports, then waits to be told which lab to hold; it ends when nobody tells it."""

    def __init__(self, factory: str) -> None:
        """Start it.

        Args:
            factory: ``module:name`` of what makes the lab; the module is imported ahead.
        """
        self._line, other = socket.socketpair()
        with other:
            os.set_inheritable(other.fileno(), True)
            # Not in the folder of the user, who may have a package of the same name there.
            argv = [sys.executable, "-P", "-c", _PROGRAM, str(other.fileno()), factory]
            null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
            self._pid: int | None = os.posix_spawn(sys.executable, argv, os.environ, file_actions=null)

    def hold(self, start: Mapping[str, object], handles: Sequence[int]) -> None:
        """Have it hold a lab; it is nobody's child once this returns.

        Args:
            start: what lab; see :mod:`labs.runtimes.holder`.
            handles: files that it gets.
        """
        try:
            socket.send_fds(self._line, [json.dumps(start).encode()], handles)
            self._line.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it ended, and said why on standard error; whoever waits for its answer gets none
        self._reap()

    def end(self) -> None:
        """End it, unless it holds a lab."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _reap(self) -> None:
        if self._pid is not None:
            os.waitpid(self._pid, 0)
        self._pid = None
        self._line.close()


def started_for(words: Sequence[str]) -> WaitingProcess | None:
    """Return the process for the lab that a command line deploys, or None where it deploys none of ours."""
    if list(words[:2]) != ["lab", "deploy"] or "--help" in words:
        return None
    given = [word.partition("=") for word in words]
    named = [after for word, equals, after in given if word == RUNTIME_OPTION and equals]
    named += [after for word, after in pairwise(words) if word == RUNTIME_OPTION]
    factory = FACTORIES.get(named[-1] if named else "embedded")
    return WaitingProcess(factory) if factory is not None else None
