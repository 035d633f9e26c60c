"""Processes of the platform that may be killed, or that kill themselves as a certain row is written.

They are forked from a server that has imported everything: a life begins in a fraction of a second, so that many of
them fit into a run. What runs in them is the command line itself.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final, Protocol
from unittest import mock

from api.cli import main
from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit

PATIENCE_S: Final = 60.0
LOOK_EVERY_S: Final = 0.02
_PRELOADED: Final = (
    "tests.crash.life",
    "tests.crash.calls",
    "activation.drivers.cli_netmiko",
    "activation.drivers.eos_napalm",
    "activation.drivers.netconf_ncclient",
)
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(_PRELOADED))


class Fate(Protocol):
    """When a process kills itself."""

    def armed(self) -> AbstractContextManager[object]:
        """Let the process die there while the block runs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Doom:
    """When a process kills itself: as it writes that a resource of ``kind`` comes to ``state``, the ``nth`` time.

    Attributes:
        is_committed: whether the row is on disk by then; otherwise the transaction that holds it is lost.
    """

    kind: str
    state: str
    nth: int = 1
    is_committed: bool = True

    def __str__(self) -> str:
        return f"{self.kind} {self.state} #{self.nth} {'after' if self.is_committed else 'before'} the commit"

    def armed(self) -> AbstractContextManager[object]:
        """Let the process die there while the block runs."""
        # Every write transaction of the process begins here.
        return mock.patch.object(Database, "begin", _dooming(Database.begin, self))


@dataclass(slots=True, kw_only=True)
class Life:
    """One process of the platform, from its start to its end."""

    process: ForkServerProcess
    log: Path

    @property
    def is_over(self) -> bool:
        """Whether the process has ended, in whatever way."""
        return not self.process.is_alive()

    @property
    def is_up(self) -> bool:
        """Whether the process has said that it runs."""
        return "lastmile" in self.log.read_text()

    def kill(self) -> None:
        """End the process as a power cut would; it must have been alive."""
        assert not self.is_over, f"it ended by itself: {self.log.read_text()}"
        self.process.kill()
        self.process.join()

    def end(self) -> None:
        """End the process if it is there."""
        self.process.kill()
        self.process.join()

    def await_up(self) -> None:
        """Return when the process has said that it runs."""
        until(lambda: self.is_up or self.is_over, "the process came up")
        assert self.is_up, f"it ended by itself: {self.log.read_text()}"

    def await_doom(self) -> None:
        """Return when the process has killed itself."""
        until(lambda: self.is_over, "the process met its end", PATIENCE_S)
        assert self.process.exitcode == -signal.SIGKILL, self.log.read_text()


def begin(arguments: list[str], log: Path, doom: Fate | None = None) -> Life:
    """Start ``lastmile`` with these arguments; its output goes to ``log``."""
    log.touch()
    process = _FORKS.Process(target=_live, args=(arguments, str(log), doom), daemon=True)
    process.start()
    return Life(process=process, log=log)


def until(done: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return when ``done``; fail when it takes too long."""
    deadline_s = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < deadline_s, f"not within {patience_s:g} s: {what}"
        time.sleep(LOOK_EVERY_S)


def _live(arguments: list[str], log: str, doom: Fate | None) -> None:
    out = Path(log).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - the process's own, until its end
    for stream in (1, 2):
        os.dup2(out.fileno(), stream)
    sys.stdout = sys.stderr = out
    sys.argv = ["lastmile", *arguments]
    for name in [name for name in os.environ if name.startswith("LASTMILE_")]:
        del os.environ[name]
    with doom.armed() if doom else nullcontext():
        main()


def _dooming(
    begin_unit: Callable[..., AbstractContextManager[LedgerUnit]], doom: Doom
) -> Callable[..., AbstractContextManager[LedgerUnit]]:
    seen = 0

    @contextmanager
    def doomed(database: Database, **named: str) -> Iterator[LedgerUnit]:
        nonlocal seen
        with begin_unit(database, **named) as unit:
            yield unit
            seen += sum(
                1 for move in _moves(unit) if (move["resource_kind"], move["to_state"]) == (doom.kind, doom.state)
            )
            is_due = seen >= doom.nth
            if is_due and not doom.is_committed:
                unit.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        if is_due:
            os.kill(os.getpid(), signal.SIGKILL)

    return doomed


def _moves(unit: LedgerUnit) -> list[dict[str, Any]]:
    return [move for move in unit._moves.entries if not move["item"]]
