"""The emulated EOS switch behind its command line: running configuration, files, sessions, commit timer."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Literal

from labs.embedded.cli_config import TOP, Language
from labs.embedded.cli_eos_language import INDENT, eos_language, missing_references, physical_ports
from labs.embedded.cli_grammar import Refusal
from labs.embedded.cli_heads import Heads
from labs.embedded.cli_server import LinkDropped, hang
from labs.embedded.cli_tree import Tree, difference, emptied, find, printed, without_last_change
from labs.embedded.contracts import unwatched
from labs.embedded.faults import FaultBoard
from labs.errors import StartupConfigError

VERSION: Final = "4.32.2F"
MODEL: Final = "cEOSLab"
MOST_PENDING_SESSIONS: Final = 5
SAVED_SESSIONS: Final = 1
LOGGED: Final = 1000
SOMEBODY: Final = "maintenance"
"""The session of somebody else who is at work on the switch."""
END: Final = "end"
"""The last line of every configuration."""
UNCOMMITTED: Final = "vlan 4001"
"""What they have typed and not committed."""
STARTUP: Final = "startup-config"
RUNNING: Final = "running-config"

SessionState = Literal["pending", "pendingCommitTimer", "completed", "aborted"]


class CommandFailed(Exception):
    """The switch understood the command and could not do it; the text is what it prints after ``%``."""


@dataclass(slots=True, kw_only=True)
class ConfigSession:
    """One configuration session: a candidate of its own, copied from the running configuration when it was opened.

    Attributes:
        before: running configuration before a timed commit, until that is confirmed.
        commit_by_s: uptime at which a timed commit reverts.
        broke_at_s: when the line broke of who edited it, on the monotonic clock.
    """

    name: str
    user: str
    candidate: Tree
    state: SessionState = "pending"
    before: Tree = ()
    commit_by_s: float = -1.0
    timer: asyncio.TimerHandle | None = None
    broke_at_s: float = -inf

    def settle(self, state: SessionState) -> None:
        """End the session, and its timer if one runs."""
        if self.timer is not None:
            self.timer.cancel()
        self.state, self.timer, self.commit_by_s, self.before = state, None, -1.0, ()


class EosSystem:
    """What all users of one switch share."""

    def __init__(self, *, name: str, startup_config: str, faults: FaultBoard, saved: Callable[[str], None]) -> None:
        self.name = name
        self._saved = saved
        self.faults = faults
        self.changed: Callable[[], None] = unwatched
        try:
            self._running: Tree = eos_language().load(startup_config)
        except Refusal as refusal:
            raise StartupConfigError(name, f"not understood: {refusal.line!r}, word {refusal.word!r}") from refusal
        self.language: Language = eos_language(physical_ports(self.running))
        self.sessions: dict[str, ConfigSession] = {}
        self._heads = Heads.of(self._running)
        self._reads_left: int | None = None
        self.booted_at = time.time()
        self._booted_monotonic = time.monotonic()
        self.files: dict[str, str] = {STARTUP: self.text(self.running)}
        self.log: deque[str] = deque(maxlen=LOGGED)

    @property
    def running(self) -> Tree:
        """The running configuration."""
        return self._running

    @running.setter
    def running(self, tree: Tree) -> None:
        self._running = tree
        self.changed()

    @property
    def heads(self) -> Heads:
        """The first lines of the running configuration's sections."""
        if self._heads.tree is not self._running:
            self._heads = Heads.of(self._running)
        return self._heads

    def uptime_s(self) -> float:
        """Return the seconds since the switch started."""
        return time.monotonic() - self._booted_monotonic

    def hostname(self) -> str:
        """Return the configured host name."""
        line = find(self.running, ("hostname",))
        return line.text.split()[1] if line is not None else "localhost"

    def text(self, tree: Tree) -> str:
        """Return ``tree`` as ``show running-config`` prints it."""
        header = ["! Command: show running-config", f"! device: {self.name} ({MODEL}, EOS-{VERSION})", "!"]
        return "\n".join([*header, *printed(tree, indent=INDENT), "!", END, ""])

    def clean(self) -> Tree:
        """Return the configuration of a switch nobody has configured: its ports."""
        ports = tuple(line for line in self.running if line.key[0] == "interface" and line.key[1] in self.ports())
        for line in ports:
            ports = emptied(ports, line.key)
        return ports

    def ports(self) -> frozenset[str]:
        """Return the names of the physical interfaces."""
        return physical_ports(self.running)

    def note(self, message: str) -> None:
        """Write a line of the system log, as ``show logging`` prints it."""
        self.log.append(f"{time.strftime('%b %e %H:%M:%S')} {self.hostname()} ConfigAgent: {message}")

    # Files

    def read(self, file: str) -> str:
        """Return the text of ``startup-config``, ``running-config`` or a file on flash.

        Raises:
            CommandFailed: no such file.
        """
        if file == RUNNING:
            return self.text(self.running)
        try:
            return self.files[file]
        except KeyError:
            raise CommandFailed(f"Error opening {file} (No such file or directory)") from None

    def copy(self, source: str, destination: str) -> None:
        """Copy a file; onto ``running-config`` means merge.

        Raises:
            CommandFailed: no such file, or it is no configuration.
        """
        text = self.read(source)
        if destination != RUNNING:
            self.files[destination] = text
            if destination == STARTUP:
                self._saved(text)
            return
        tree, place = self.running, TOP
        for line in map(str.strip, text.splitlines()):
            if line and line != "end" and not line.startswith("!"):
                tree, place = self.language.apply(tree, place, line)
        self.running = tree

    def replace(self, file: str) -> None:
        """Make a file the running configuration.

        Raises:
            CommandFailed: no such file, it is no configuration, or the switch fails to roll back.
        """
        if self.faults.strikes("rollback_fails"):
            raise CommandFailed(f"Error: configuration replace with {file} failed")
        try:
            self.running = self.language.load(self.read(file))
        except Refusal as refusal:
            raise CommandFailed(f"Invalid configuration in {file}: {refusal.line}") from refusal

    # Sessions

    def watch_faults(self) -> None:
        """Let somebody else keep a session pending as long as the faults say so, with or without a change in it."""
        dirty = self.faults.amount("dirty_candidate") is not None
        held = dirty or self.faults.amount("lock_held") is not None
        other = self.sessions.get(SOMEBODY)
        if held and (other is None or other.state != "pending"):
            theirs = self.language.apply(self.running, TOP, UNCOMMITTED)[0] if dirty else self.running
            self.sessions[SOMEBODY] = ConfigSession(name=SOMEBODY, user="noc", candidate=theirs)
        elif not held and other is not None:
            self._finish(other, "aborted")

    def open_session(self, name: str, user: str) -> ConfigSession:
        """Return the pending session ``name``, opened if need be.

        Raises:
            CommandFailed: too many sessions are pending, or the session waits for its confirmation.
        """
        known = self.sessions.get(name)
        if known is not None and known.state == "pendingCommitTimer":
            raise CommandFailed(f"Session {name} is pending commit timer; confirm or abort it first")
        if known is not None and known.state == "pending":
            return known
        if sum(session.state == "pending" for session in self.sessions.values()) >= MOST_PENDING_SESSIONS:
            raise CommandFailed(
                "Maximum number of pending sessions has been reached. "
                "Please commit or abort previous sessions before creating a new one."
            )
        session = ConfigSession(name=name, user=user, candidate=self.running)
        self.sessions[name] = session
        return session

    def session(self, name: str) -> ConfigSession:
        """Return the session called ``name``.

        Raises:
            CommandFailed: there is none.
        """
        try:
            return self.sessions[name]
        except KeyError:
            raise CommandFailed(f"Cannot find configuration session {name}") from None

    def check_free(self, session: ConfigSession) -> None:
        """Let pass who means a session that nobody is in, as far as the switch has noticed.

        Raises:
            CommandFailed: somebody is, or was before their line broke.
        """
        unnoticed_s = self.faults.amount("stale_lock")
        if unnoticed_s is not None and time.monotonic() < session.broke_at_s + unnoticed_s:
            raise CommandFailed(f"Session {session.name} is in use by {session.user} on another vty")

    def timed(self) -> ConfigSession | None:
        """Return the session whose commit waits for its confirmation."""
        return next((each for each in self.sessions.values() if each.state == "pendingCommitTimer"), None)

    def diffs(self, session: ConfigSession) -> str:
        """Return what the session would change in the running configuration now, empty when nothing."""
        changed = difference(self.running, session.candidate, indent=INDENT)
        header = ["--- system:/running-config", f"+++ session:/{session.name}-session-config"]
        return "\n".join([*header, *changed, ""]) if changed else ""

    async def commit(self, session: ConfigSession, *, timer_s: float | None = None) -> None:
        """Put the session's candidate into effect, or confirm it if it already is.

        Args:
            session: a pending one.
            timer_s: go back by itself after this time, unless confirmed.

        Raises:
            CommandFailed: the candidate or the moment does not allow it.
            LinkDropped: the connection does not survive the commit.
        """
        self.about_to_read(confirming=True)
        if session.state == "pendingCommitTimer" and timer_s is None:
            self._finish(session, "completed")
            return
        if self.faults.strikes("drop_before_commit"):
            raise LinkDropped
        if self.faults.strikes("hang_in_commit"):
            await hang()
        self._check(session)
        await asyncio.sleep(self.faults.commit_s(len(self.running)))
        self._check(session)
        if self.faults.strikes("refuse_commit"):
            raise CommandFailed("Commit failed: the hardware has no room for this configuration")
        self._take_effect(session, timer_s)
        if self.faults.strikes("drop_after_commit"):
            raise LinkDropped

    def abort(self, session: ConfigSession) -> None:
        """Drop the session; a commit that waits for its confirmation is undone.

        Raises:
            CommandFailed: the switch fails to roll back.
        """
        if session.state == "pendingCommitTimer":
            self._revert(session)
        elif session.state == "pending":
            self._finish(session, "aborted")

    def _check(self, session: ConfigSession) -> None:
        timed = self.timed()
        if timed is not None:
            raise CommandFailed(f"Commit failed: session {timed.name} is pending commit timer")
        if session.state != "pending":
            raise CommandFailed(f"Commit failed: session {session.name} is {session.state}")
        problems = missing_references(session.candidate)
        if self.faults.strikes("refuse_validate"):
            problems.append("the candidate does not pass the validation of the forwarding agent")
        if problems:
            raise CommandFailed("Commit failed: " + "; ".join(problems))

    def _take_effect(self, session: ConfigSession, timer_s: float | None) -> None:
        before = self.running
        if not self.faults.strikes("commit_changes_nothing"):
            in_part = self.faults.strikes("commit_in_part")
            self.running = without_last_change(before, session.candidate) if in_part else session.candidate
        self.note(
            f"%SYS-5-CONFIG_SESSION_COMMIT_SUCCESS: User {session.user} committed configuration session "
            f"{session.name} successfully on vty"
        )
        if timer_s is None:
            self._finish(session, "completed")
            return
        session.state, session.before = "pendingCommitTimer", before
        session.commit_by_s = self.uptime_s() + timer_s
        early = self.faults.amount("timer_early")
        self._reads_left = int(early) if early is not None and self.faults.strikes("timer_early") else None
        if self.faults.amount("timer_never") is None:
            session.timer = asyncio.get_running_loop().call_later(timer_s, self._timer_fires, session)

    def about_to_read(self, *, confirming: bool = False) -> None:
        """Let a commit timer that fires too early fire, if it is its time."""
        timed = self.timed()
        if timed is None or self._reads_left is None:
            return
        if self._reads_left == 0:
            self._timer_fires(timed)
        elif not confirming:
            self._reads_left -= 1

    def _timer_fires(self, session: ConfigSession) -> None:
        if not self.faults.strikes("rollback_fails"):
            self.running = session.before
        self._finish(session, "aborted")

    def _revert(self, session: ConfigSession) -> None:
        failed = self.faults.strikes("rollback_fails")
        if not failed:
            self.running = session.before
        self._finish(session, "aborted")
        if failed:
            raise CommandFailed(f"Error: cannot restore the configuration before session {session.name}")

    def _finish(self, session: ConfigSession, state: SessionState) -> None:
        session.settle(state)
        if state == "aborted":
            self.sessions.pop(session.name, None)
            return
        completed = [each for each in self.sessions.values() if each.state == "completed"]
        for old in completed[:-SAVED_SESSIONS]:
            del self.sessions[old.name]
