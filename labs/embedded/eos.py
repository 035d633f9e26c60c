"""An emulated Arista EOS switch: its command line over SSH."""

import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asyncssh

from labs.embedded.cli_config import TOP
from labs.embedded.cli_eos_show import SHOWS, section
from labs.embedded.cli_eos_system import RUNNING, STARTUP, CommandFailed, ConfigSession, EosSystem
from labs.embedded.cli_grammar import Refusal, choose, next_words
from labs.embedded.cli_pipe import UnknownFilter, filtered
from labs.embedded.cli_server import CliServer, LinkDropped, Pager
from labs.embedded.cli_tree import Tree
from labs.embedded.contracts import Credentials, forget
from labs.embedded.eapi import Eapi
from labs.embedded.faults import EMULATED, FaultBoard, Trait

WHOLE: Final = "show running-config"
COPIED: Final = "Copy completed successfully.\n"
LOGIN_ENABLED: Final = ("aaa", "authorization exec default local")
"""With this line configured, a user of privilege 15 starts in privileged mode."""

REFUSALS: Final = {
    "invalid": "% Invalid input (at token {index}: '{word}')\n",
    "incomplete": "% Incomplete command (at token {index}: '{word}')\n",
    "ambiguous": "% Ambiguous command (at token {index}: '{word}')\n",
}


class EosNode:
    """One emulated switch."""

    def __init__(
        self,
        *,
        name: str,
        startup_config: str,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        saved: Callable[[str], None] = forget,
        eapi: str = "",
    ) -> None:
        self.name = name
        self.faults = FaultBoard()
        self._system = EosSystem(name=name, startup_config=startup_config, faults=self.faults, saved=saved)
        user = credentials.username
        self._server = CliServer(
            credentials=credentials,
            host_key=host_key,
            faults=self.faults,
            new_shell=lambda: EosShell(self._system, user=user),
        )
        self._eapi: Eapi | None = None
        if eapi:
            self._eapi = Eapi(
                eapi,
                credentials=credentials,
                faults=self.faults,
                new_shell=lambda: EosShell(self._system, user=user),
            )
        self.faults.changed = self._faults_changed

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen for SSH on ``address``, and for eAPI where the switch has it; it has no NETCONF."""
        del netconf_port
        await self._server.start(address, ssh_port)
        if self._eapi is not None:
            await self._eapi.start(address, free_port=ssh_port == 0)

    async def stop(self) -> None:
        """Close the sockets and every session; configuration and commit timer go on."""
        if self._eapi is not None:
            await self._eapi.stop()
        await self._server.stop()

    def _faults_changed(self) -> None:
        self._system.watch_faults()
        self._server.faults_changed()
        if self._eapi is not None:
            self._eapi.faults_changed()

    def ports(self) -> dict[str, int]:
        """Return the ports in use: SSH, and that of eAPI."""
        return self._server.ports() | (self._eapi.ports() if self._eapi is not None else {})

    @property
    def traits(self) -> frozenset[Trait]:
        """A command line, ports that are shown, and configuration sessions with a commit timer."""
        return EMULATED | {"cables", "candidate", "confirmed commit", "prompt", "validation"}

    def leftovers(self) -> tuple[str, ...]:
        """Return the configuration sessions that are pending, with or without a timer."""
        sessions = self._system.sessions.values()
        return tuple(f"session {each.name} is {each.state}" for each in sessions if each.state.startswith("pending"))

    def running_config(self) -> str:
        """Return what ``show running-config`` prints."""
        return self._system.text(self._system.running)

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called on the lab's loop whenever the running configuration is another."""
        self._system.changed = changed


class EosShell:
    """The command line of one logged-in user."""

    def __init__(self, system: EosSystem, *, user: str) -> None:
        self._system = system
        self._user = user
        self._enabled = any(line.key == LOGIN_ENABLED for line in system.running)
        self._configuring = self._changed = False
        self._session: ConfigSession | None = None
        self._place = TOP
        self._lines: int | None = None
        self.closed = False

    def prompt(self) -> str:
        """Return the prompt of the current mode."""
        host = self._system.hostname()
        if not self._configuring:
            return f"{host}{'#' if self._enabled else '>'}"
        session = f"-s-{self._session.name[:6]}" if self._session is not None else ""
        section = "".join(f"-{part}" for part in self._place.prompts).replace("-if-Ethernet", "-if-Et")
        return f"{host}(config{session}{section})#"

    def broke(self) -> None:
        """Note that the line broke: the session that was being edited stays pending, and in use for a while."""
        if self._session is not None:
            self._session.broke_at_s = time.monotonic()

    def pager(self) -> Pager:
        """Return how long output is shown."""
        return Pager(lines=self._lines)

    async def run(self, line: str) -> str:
        """Return what the switch prints for ``line``."""
        line = line.strip()
        if not line or line.startswith("!"):
            return ""
        try:
            return await self._answer(line)
        except Refusal as refusal:
            text = REFUSALS[refusal.kind]
            return text.format(index=refusal.word_index, word=refusal.word)
        except CommandFailed as failed:
            return f"% {failed}\n"

    def help(self, typed: str) -> str:
        """Return what may follow ``typed``."""
        patterns = [pattern.split() for pattern in (*SHOWS, *ACTIONS)]
        if self._configuring:
            patterns += [pattern.split() for pattern in CONFIG_ACTIONS]
            patterns += self._system.language.patterns(self._place)
        return "".join(f"  {each}\n" for each in next_words(patterns, typed, self._system.language.values))

    async def _answer(self, line: str) -> str:
        command, _, pipe = line.partition("|") if re.match(r"sho?w?\b", line) else (line, "", "")
        if self._session is not None:
            command = re.sub(r"^show session-config(?! named)", rf"\g<0> named {self._session.name}", command)
        if not self._configuring:
            return await self._execute(command.strip(), pipe)
        try:
            return await self._configure(line)
        except Refusal as refusal:
            try:
                return await self._execute(command.strip(), pipe)
            except Refusal as other:
                # The mode that understood more of the line explains it best.
                raise max(refusal, other, key=lambda each: each.word_index) from None

    async def _execute(self, command: str, pipe: str) -> str:
        patterns = [(pattern.split(), pattern) for pattern in (*SHOWS, *ACTIONS)]
        pattern, words = choose(patterns, command, self._system.language.values)
        if not self._enabled and not pattern.startswith(UNPRIVILEGED):
            raise CommandFailed("Invalid input (privileged mode required)")
        return self._shown(pattern, words, pipe.strip()) if pattern in SHOWS else await ACTIONS[pattern](self, words)

    def _shown(self, pattern: str, words: tuple[str, ...], pipe: str) -> str:
        kind, _, wanted = pipe.partition(" ")
        if (pattern, kind) == (WHOLE, "section") and wanted:
            return section(self._system, wanted.strip()).text
        reply = SHOWS[pattern](self._system, words)
        if pipe != "json":
            return self._filtered(reply.text, pipe) if pipe else reply.text
        if reply.data is None:
            raise CommandFailed("This is an unconverted command")
        return json.dumps(reply.data, indent=4) + "\n"

    def _filtered(self, text: str, pipe: str) -> str:
        try:
            return filtered(text, pipe)
        except UnknownFilter as unknown:
            raise CommandFailed(f"Invalid input: {unknown}") from unknown

    async def _configure(self, line: str) -> str:
        try:
            pattern, words = choose(_CONFIG_PATTERNS, line, self._system.language.values)
        except Refusal:
            self._edit(line)
            return ""
        return await CONFIG_ACTIONS[pattern](self, words)

    def _edit(self, line: str) -> None:
        tree, place = self._system.language.apply(self._tree(), self._place, line)
        if (several := _refused(self._system.faults, line)) is not None:
            raise CommandFailed(several)
        self._place = place
        if self._session is not None:
            self._session.candidate = tree
        else:
            self._changed = self._changed or tree != self._system.running
            self._system.running = tree

        if self._system.faults.strikes("drop_in_edit"):
            raise LinkDropped

    def _tree(self) -> Tree:
        return self._session.candidate if self._session is not None else self._system.running

    def _leave(self) -> None:
        if self._changed:
            self._system.note(f"%SYS-5-CONFIG_I: Configured from console by {self._user} on vty")
        self._changed = False
        self._configuring, self._session, self._place = False, None, TOP

    # Actions: each is given the canonical words and returns what is printed.

    async def enable(self, words: tuple[str, ...]) -> str:
        """Enter or leave privileged mode."""
        self._enabled = words[0] == "enable"
        self._leave()
        return ""

    async def log_out(self, _words: tuple[str, ...]) -> str:
        """End the connection."""
        self.closed = True
        return ""

    async def set_length(self, words: tuple[str, ...]) -> str:
        """Show so many lines at once; 0: all."""
        self._lines = int(words[-1])
        return "Pagination disabled.\n" if words[-1] == "0" else f"Length set to {words[-1]} lines.\n"

    async def set_width(self, words: tuple[str, ...]) -> str:
        """Accept a terminal width."""
        return f"Width set to {words[-1]} columns.\n"

    async def configure(self, _words: tuple[str, ...]) -> str:
        """Edit the running configuration itself."""
        self._leave()
        self._configuring = True
        return ""

    async def open_session(self, words: tuple[str, ...]) -> str:
        """Edit the candidate of a session."""
        name = words[2] if len(words) > len(("configure", "session")) else f"sess-{len(self._system.sessions) + 1}"
        session = self._system.open_session(name, self._user)
        await self.configure(words)
        self._session = session
        return ""

    async def commit_session(self, words: tuple[str, ...]) -> str:
        """Commit a session named on the line, with or without a timer; or confirm it."""
        timed = words[-2] == "timer"
        session = self._system.session(words[2])
        await self._system.commit(session, timer_s=_seconds(words[-1]) if timed else None)
        if session is self._session:
            self._leave()
        return ""

    async def abort_session(self, words: tuple[str, ...]) -> str:
        """Drop a session named on the line."""
        session = self._system.session(words[2])
        if session is self._session:
            self._leave()
        else:
            self._system.check_free(session)
        self._system.abort(session)
        return ""

    async def replace(self, words: tuple[str, ...]) -> str:
        """Make a file the running configuration."""
        self._system.replace(words[2])
        return ""

    async def copy(self, words: tuple[str, ...]) -> str:
        """Copy a configuration file."""
        self._system.copy(words[1], words[2])
        return COPIED

    async def write(self, _words: tuple[str, ...]) -> str:
        """Save the running configuration."""
        self._system.copy(RUNNING, STARTUP)
        return COPIED

    async def exit_mode(self, words: tuple[str, ...]) -> str:
        """Go one section out, or out of configuration altogether."""
        if words[0] == "exit" and self._place.path:
            self._place = self._place.outward()
        else:
            self._leave()
        return ""

    async def commit(self, words: tuple[str, ...]) -> str:
        """Commit the session being edited."""
        return await self.commit_session(("configure", "session", self._edited().name, *words))

    async def abort(self, words: tuple[str, ...]) -> str:
        """Drop the session being edited."""
        return await self.abort_session(("configure", "session", self._edited().name, *words))

    async def clean(self, _words: tuple[str, ...]) -> str:
        """Empty the candidate of the session being edited."""
        self._edited().candidate = self._system.clean()
        self._place = TOP
        return ""

    def _edited(self) -> ConfigSession:
        if self._session is None:
            raise CommandFailed("Invalid input: no configuration session is being edited")
        return self._session


def _refused(faults: FaultBoard, line: str) -> str | None:
    if faults.strikes("refuse_edit"):
        return f"Error: cannot apply '{line}': hardware resources exhausted"
    errors = faults.amount("many_errors")
    if errors is None or not faults.strikes("many_errors"):
        return None
    return "\n% ".join(f"Error: cannot apply '{line}' on line card {n + 1}" for n in range(int(errors)))


def _seconds(timer: str) -> int:
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d):([0-5]\d)", timer, flags=re.ASCII)
    if found is None:
        raise CommandFailed(f"Invalid input: {timer!r} is no time such as 00:10:00")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3])


Action = Callable[[EosShell, tuple[str, ...]], Awaitable[str]]

UNPRIVILEGED: Final = (
    "show version",
    "show hostname",
    "show interfaces",
    "show vlan",
    "show lldp",
    "enable",
    "exit",
    "quit",
    "logout",
    "terminal",
)

ACTIONS: Final[Mapping[str, Action]] = {
    "enable": EosShell.enable,
    "disable": EosShell.enable,
    "exit": EosShell.log_out,
    "quit": EosShell.log_out,
    "logout": EosShell.log_out,
    "terminal length {int}": EosShell.set_length,
    "terminal width {int}": EosShell.set_width,
    "configure": EosShell.configure,
    "configure terminal": EosShell.configure,
    "configure session": EosShell.open_session,
    "configure session {word}": EosShell.open_session,
    "configure session {word} commit": EosShell.commit_session,
    "configure session {word} commit timer {word}": EosShell.commit_session,
    "configure session {word} abort": EosShell.abort_session,
    "configure replace {word}": EosShell.replace,
    "copy {word} {word}": EosShell.copy,
    "write": EosShell.write,
    "write memory": EosShell.write,
}

CONFIG_ACTIONS: Final[Mapping[str, Action]] = {
    "exit": EosShell.exit_mode,
    "end": EosShell.exit_mode,
    "commit": EosShell.commit,
    "commit timer {word}": EosShell.commit,
    "abort": EosShell.abort,
    "rollback clean-config": EosShell.clean,
}

_CONFIG_PATTERNS: Final = [(pattern.split(), pattern) for pattern in CONFIG_ACTIONS]
