"""An emulated OLT with a SmartAX-like command line over SSH; every line takes effect at once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import asyncssh

from labs.embedded.cli_config import TOP, Place
from labs.embedded.cli_grammar import Refusal, choose, next_words
from labs.embedded.cli_live import LiveSet
from labs.embedded.cli_pipe import UnknownFilter, filtered
from labs.embedded.cli_server import Pager
from labs.embedded.cli_smartax_language import SMARTAX
from labs.embedded.cli_smartax_objects import trouble
from labs.embedded.cli_smartax_show import SHOWS, configuration
from labs.embedded.cli_smartax_system import SmartAx
from labs.embedded.cli_smartax_verbs import VERBS
from labs.embedded.cli_tree import Tree, drop, find, inside
from labs.embedded.contracts import Credentials, forget
from labs.embedded.faults import FaultBoard
from labs.embedded.live_node import LiveNode

PAGE_LINES: Final = 22
MORE: Final = "---- More ( Press 'Q' to break ) ----"
REFUSALS: Final = {
    "invalid": "% Unknown command, the error locates at '^'",
    "incomplete": "% Incomplete command, the error locates at '^'",
    "ambiguous": "% Ambiguous command, the error locates at '^'",
}
SAVED: Final = (
    "  It will take several minutes to save configuration file, please wait...\n\n"
    "  Configuration file had been saved successfully\n"
    "  Note: The configuration file will take effect after being activated\n"
)
LOG_OUT: Final = (
    "  Check whether system data has been changed. Please save data before logout.\nAre you sure to log out? (y/n)[n]:"
)
RELEASE: Final = (
    "  It will take several minutes, and console may be timeout, please use command\n"
    "  idle-timeout to set time limit\nAre you sure to release service virtual port(s)? (y/n)[n]:"
)
DELETE_ALL: Final = (
    "  This command will delete all the ONTs in a specified port\nAre you sure to execute this command? (y/n)[n]:"
)
OPTIONS: Final = {
    "display current-configuration": "{ <cr>|section<K>||<K> }:",
    "display ont info": "{ <cr>||<K> }:",
    "save": "{ <cr>|configuration<K>|data<K> }:",
    "scroll": "{ <cr>|number<U><10,512> }:",
}
"""What the device shows after commands that could go on, until somebody types ``undo smart``."""
ONCE: Final = {
    ("ont", "add"): (4, "The ONT ID has existed already"),
    ("service-port",): (2, "The service virtual port has existed already"),
    ("dba-profile", "add"): (4, "The profile ID has existed already"),
}
"""What is added and not said anew: words that identify it, and the refusal."""
LOCKED: Final = "  Failure: The system is busy, please retry after a while\n"


class SmartAxNode(LiveNode):
    """One emulated OLT."""

    def __init__(
        self,
        *,
        name: str,
        startup_config: str,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        saved: Callable[[str], None] = forget,
    ) -> None:
        faults = FaultBoard()
        self._olt = SmartAx(name=name, startup_config=startup_config, faults=faults, saved=saved)
        super().__init__(
            name,
            faults,
            login=(credentials, host_key),
            new_shell=lambda: SmartAxShell(self._olt),
            configuration=lambda: configuration(self._olt.running),
        )

    def watch(self, changed: Callable[[], None]) -> None:
        """Have ``changed`` called on the lab's loop whenever the running configuration is another."""
        self._olt.changed = changed


class SmartAxShell:
    """The command line of one logged-in user."""

    def __init__(self, olt: SmartAx) -> None:
        self._olt = olt
        self._set = LiveSet(olt)
        self._enabled = self._configuring = False
        self._place = TOP
        self._uncommitted: Tree | None = None
        self._question = ""
        self._answered: Callable[[str], Awaitable[str]] = self._run
        self._smart = True
        self._scroll = PAGE_LINES
        self.closed = False

    def pager(self) -> Pager:
        """Return how long output is shown."""
        return Pager(lines=self._scroll, more=MORE)

    def prompt(self) -> str:
        """Return the question that waits for its answer, or the prompt of the current mode."""
        if self._question:
            return self._question
        host = self._olt.hostname()
        if not self._configuring:
            return f"{host}{'#' if self._enabled else '>'}"
        section = "".join(f"-{part}" for part in self._place.prompts)
        return f"{host}(config{section})#"

    def broke(self) -> None:
        """Note that the line broke."""
        self._set.broke()

    async def run(self, line: str) -> str:
        """Return what the OLT prints for ``line``.

        Raises:
            LinkDropped: a fault cuts the connection.
        """
        if self._question:
            self._question, answered = "", self._answered
            return await answered(line.strip())
        typed, line = line, line.strip()
        if not line or line.startswith(("!", "#")):
            return ""
        if self._smart and line in OPTIONS:
            self._question, self._answered = OPTIONS[line], lambda more: self._run(f"{line} {more}")
            return ""
        return await self._run(typed)

    async def _run(self, typed: str) -> str:
        try:
            return await self._execute(typed.strip())
        except Refusal as refusal:
            return self._pointed_out(refusal, typed)

    def _pointed_out(self, refusal: Refusal, typed: str) -> str:
        """Return the caret below the word that does not fit, and what is wrong."""
        words = typed.split()[: refusal.word_index]
        at = len(typed) - len(typed.lstrip()) + sum(len(word) + 1 for word in words)
        return f"{' ' * (len(self.prompt()) + at)}^\n  {REFUSALS[refusal.kind]}\n"

    def help(self, typed: str) -> str:
        """Return what may follow ``typed``."""
        patterns = [pattern.split() for pattern in self._commands()]
        if self._configuring:
            mode = self._place.modes[-1]
            patterns += [*SMARTAX.patterns(self._place), *(verb.split() for verb in VERBS.get(mode, ()))]
        return "".join(f"  {each}\n" for each in next_words(patterns, typed, VALUES))

    def _commands(self) -> list[str]:
        commands = [*SHOWS, *ACTIONS] if self._enabled else [each for each in (*SHOWS, *ACTIONS) if _is_for_all(each)]
        return [*commands, *CONFIG_ACTIONS] if self._configuring else commands

    async def _execute(self, line: str) -> str:
        if not self._configuring:
            return await self._command(line)
        try:
            return self._edit(line)
        except Refusal as refusal:
            try:
                return await self._command(line)
            except Refusal as other:
                raise max(refusal, other, key=lambda each: each.word_index) from None

    async def _command(self, line: str) -> str:
        command, _, pipe = line.partition("|") if line.startswith("disp") else (line, "", "")
        pattern, words = choose([(each.split(), each) for each in self._commands()], command, VALUES)
        if pattern not in SHOWS:
            return await ({**ACTIONS, **CONFIG_ACTIONS}[pattern])(self, words)
        text = SHOWS[pattern](self._olt, words)
        try:
            return filtered(text, pipe) if pipe else text
        except UnknownFilter:
            raise Refusal("invalid", line, len(words) + 1) from None

    # Configuration

    def _edit(self, line: str) -> str:
        olt = self._olt
        if self._place.modes[-1] == "gpon" and (told := self._asked_about_all(line)):
            return told
        tree, place = self._changed(line)
        if errors := self._set.refusals():
            return "".join(f"  Failure: The board {n} refuses '{line}'\n" for n in range(errors))
        if _removes(line) and olt.faults.strikes("rollback_fails"):
            return "  Failure: System error\n"
        if why := self._why_not(line, tree):
            return f"  Failure: {why}\n"
        if len(place.path) > len(self._place.path):
            self._uncommitted = olt.running if place.modes[-1] in {"line", "srv"} else None
        self._place = place
        self._set.put(tree)
        return _told(line)

    def _changed(self, line: str) -> tuple[Tree, Place]:
        tree, mode = self._olt.running, self._place.modes[-1]
        words = line.split()
        if words[0] == "undo" and words[1:2] in (["ont"], ["dba-profile"]):
            raise Refusal("invalid", line, 1)
        try:
            verb, accepted = choose([(each.split(), each) for each in VERBS.get(mode, ())], line, VALUES)
        except Refusal as refusal:
            try:
                return SMARTAX.apply(tree, self._place, line)
            except Refusal as other:
                raise max(refusal, other, key=lambda each: each.word_index) from None
        return VERBS[mode][verb](tree, self._place, accepted), self._place

    def _why_not(self, line: str, tree: Tree) -> str:
        before, words = self._olt.running, tuple(line.split())
        for beginning, (length, why) in ONCE.items():
            if words[: len(beginning)] == beginning and find(inside(before, self._place.path) or (), words[:length]):
                return why
        if tree == before and _removes(line):
            return "The object does not exist"
        if tree == before and words[1:2] == ("modify",):
            return self._not_there(words)
        return trouble(before, tree)

    def _not_there(self, words: tuple[str, ...]) -> str:
        """Return why nothing is to be modified; empty where it is as wanted already."""
        key, why = ("ont", "add", *words[2:4]), "The ONT does not exist"
        if words[0] == "dba-profile":
            key, why = ("dba-profile", "add", *words[2:4]), "The DBA profile does not exist"
        return "" if find(inside(self._olt.running, self._place.path) or (), key) is not None else why

    def _asked_about_all(self, line: str) -> str:
        words = line.split()
        if words[:2] != ["ont", "delete"] or words[3:] != ["all"]:
            return ""

        async def delete() -> str:
            section = inside(self._olt.running, self._place.path) or ()
            onts = [each.key for each in section if each.key[:3] == ("ont", "add", words[2])]
            return "".join(self._edit(f"ont delete {key[2]} {key[3]}") for key in onts)

        self._ask(DELETE_ALL, delete)
        return "\n"

    # Questions

    def _ask(self, question: str, when_yes: Callable[[], Awaitable[str]]) -> None:
        async def answered(answer: str) -> str:
            return await when_yes() if answer.lower() in {"y", "yes"} else ""

        self._question, self._answered = question, answered

    # Actions: each is given the canonical words and returns what is printed.

    async def enable(self, words: tuple[str, ...]) -> str:
        """Enter or leave privileged mode."""
        self._enabled = words[0] == "enable"
        return ""

    async def configure(self, _words: tuple[str, ...]) -> str:
        """Enter configuration mode."""
        if self._set.is_held():
            return LOCKED
        self._configuring, self._place = True, TOP
        self._set.begin()
        return ""

    async def leave(self, words: tuple[str, ...]) -> str:
        """Go one mode out; with ``return`` out of configuration altogether."""
        if not self._configuring:
            self._ask(LOG_OUT, self._log_out)
            return ""
        if self._uncommitted is not None:
            self._olt.running, self._uncommitted = self._uncommitted, None
        if words[0] == "quit" and self._place.path:
            self._place = self._place.outward()
            return ""
        self._configuring, self._place = False, TOP
        return "" if await self._set.end() else "  Failure: The last change was refused and is undone\n"

    async def _log_out(self) -> str:
        self.closed = True
        return "  Configuration console exit, please retry to log on\n"

    async def commit(self, _words: tuple[str, ...]) -> str:
        """Put the lines of a profile into effect; without it they are lost when the profile is left."""
        if self._place.modes[-1] not in {"line", "srv"}:
            raise Refusal("invalid", "commit", 0)
        self._uncommitted = None
        return ""

    async def release(self, words: tuple[str, ...]) -> str:
        """Remove all service ports of a VLAN or of an ONT."""
        place = (words[3], words[5]) if words[2] == "port" else (words[3],)

        async def remove() -> str:
            tree = self._olt.running
            for line in tree:
                flow = line.text.split()
                if line.key[0] == "service-port" and place in {(flow[5], flow[7]), (flow[3],)}:
                    tree = drop(tree, line.key)
            self._set.put(tree)
            return ""

        self._ask(RELEASE, remove)
        return ""

    async def save(self, _words: tuple[str, ...]) -> str:
        """Write the configuration to flash."""
        self._olt.save()
        return SAVED

    async def smart(self, words: tuple[str, ...]) -> str:
        """Show what a command could go on with, or do not."""
        self._smart = words[0] != "undo"
        return "  Interactive function is enabled\n" if self._smart else "  Interactive function is disabled\n"

    async def scroll(self, words: tuple[str, ...]) -> str:
        """Show so many lines at once, or all."""
        self._scroll = int(words[1]) if words[1:] else 0
        return ""

    async def accept(self, _words: tuple[str, ...]) -> str:
        """Take a command that changes nothing here."""
        return ""


def _removes(line: str) -> bool:
    words = line.split()
    return words[0] == "undo" or words[1:2] in (["delete"], ["activate"])


def _told(line: str) -> str:
    """Return what the OLT says of a line that it took."""
    words = line.split()
    if words[:2] == ["ont", "add"]:
        return f"  Number of ONTs that can be added: 1, success: 1\n  PortID :{words[2]}, ONTID :{words[3]}\n"
    if words[:2] == ["ont", "delete"]:
        return "  Number of ONTs that can be deleted: 1, success: 1\n"
    return ""


def _is_for_all(command: str) -> bool:
    return command.startswith(("display version", "display time", "enable", "quit", "undo smart", "smart", "scroll"))


def _ont_or_all(text: str) -> str:
    return text if text == "all" else SMARTAX.values["{ont}"](text)


VALUES: Final = {**SMARTAX.values, "{ont-or-all}": _ont_or_all}
Action = Callable[[SmartAxShell, tuple[str, ...]], Awaitable[str]]

ACTIONS: Final[Mapping[str, Action]] = {
    "enable": SmartAxShell.enable,
    "disable": SmartAxShell.enable,
    "config": SmartAxShell.configure,
    "quit": SmartAxShell.leave,
    "save": SmartAxShell.save,
    "save configuration": SmartAxShell.save,
    "save data": SmartAxShell.save,
    "smart": SmartAxShell.smart,
    "undo smart": SmartAxShell.smart,
    "scroll": SmartAxShell.scroll,
    "scroll {int}": SmartAxShell.scroll,
    "infoswitch cli {word}": SmartAxShell.accept,
    "idle-timeout {int}": SmartAxShell.accept,
}

CONFIG_ACTIONS: Final[Mapping[str, Action]] = {
    "return": SmartAxShell.leave,
    "commit": SmartAxShell.commit,
    "undo service-port vlan {vlan}": SmartAxShell.release,
    "undo service-port port {pon} ont {ont}": SmartAxShell.release,
    "mmi-mode enable": SmartAxShell.accept,
    "mmi-mode disable": SmartAxShell.accept,
}
