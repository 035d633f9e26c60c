"""The command line of the emulated NETCONF OLT: for a person who looks, not for a program that configures.

What it shows and changes is what NETCONF sessions see: there is one store.
"""

from collections.abc import Callable, Mapping
from difflib import unified_diff
from typing import Final

from labs.embedded.cli_grammar import Refusal, choose, next_words, number
from labs.embedded.cli_pipe import UnknownFilter, filtered
from labs.embedded.cli_server import Pager
from labs.embedded.datastore import CommitOptions
from labs.embedded.netconf_rpcs import Device
from labs.embedded.rpc_error import RpcError, RpcErrors
from labs.embedded.tree_xml import to_text

REFUSALS: Final = {
    "invalid": "% Unknown command\n",
    "incomplete": "% Incomplete command\n",
    "ambiguous": "% Ambiguous command\n",
}
VALUES: Final = {"{int}": number(0, 2**32 - 1)}


class OltShell:
    """One user's command line.

    Attributes:
        closed: whether the user has left.
    """

    def __init__(self, name: str, session: int, device: Device) -> None:
        self._name, self._session, self._device = name, session, device
        self._lines: int | None = None
        self.closed = False

    def prompt(self) -> str:
        """Return the prompt."""
        return f"{self._name}> "

    def broke(self) -> None:
        """Do nothing: what the session held is released with its channel."""

    def pager(self) -> Pager:
        """Return how long output is shown."""
        return Pager(lines=self._lines)

    async def run(self, line: str) -> str:
        """Return what the OLT prints for ``line``."""
        command, _, pipe = line.strip().partition("|")
        if not command:
            return ""
        try:
            pattern, words = choose([(each.split(), each) for each in COMMANDS], command, VALUES)
            text = COMMANDS[pattern](self, words)
            return filtered(text, pipe) if pipe else text
        except Refusal as refusal:
            return f"{' ' * (len(self.prompt()) + _column(line, refusal.word_index))}^\n{REFUSALS[refusal.kind]}"
        except UnknownFilter:
            return f"% Unknown filter: {pipe.strip()}\n"
        except (RpcError, RpcErrors) as refused:
            return f"% {refused}\n"

    def help(self, typed: str) -> str:
        """Return what may follow ``typed``."""
        return "".join(f"  {each}\n" for each in next_words([each.split() for each in COMMANDS], typed, VALUES))

    # Commands: each is given the canonical words and returns what is printed.

    def running(self, _words: tuple[str, ...]) -> str:
        """Show the running configuration."""
        return to_text(self._device.stores.running, self._device.schema)

    def candidate(self, _words: tuple[str, ...]) -> str:
        """Show the candidate."""
        return to_text(self._device.stores.candidate, self._device.schema)

    def changes(self, _words: tuple[str, ...]) -> str:
        """Show how the candidate differs from running."""
        old, new = (self.running(()).splitlines(keepends=True), self.candidate(()).splitlines(keepends=True))
        return "".join(unified_diff(old, new, "running", "candidate"))

    def locks(self, _words: tuple[str, ...]) -> str:
        """Show who holds what."""
        held = self._device.stores.locks().items()
        rows = [f"{store:<10} session {lock.session}, since {lock.since:%H:%M:%S} UTC\n" for store, lock in held]
        return "".join(rows) or "nothing is locked\n"

    def sessions(self, _words: tuple[str, ...]) -> str:
        """Show the NETCONF sessions."""
        facts = [session.facts() for session in self._device.sessions.values()]
        rows = [
            f"{each.number:>7}  {each.username:<12}  {each.source:<15}  {each.since:%H:%M:%S}  "
            f"{each.counters.in_rpcs:>4}\n"
            for each in facts
        ]
        return "session  user          from             since     rpcs\n" + "".join(rows)

    def capabilities(self, _words: tuple[str, ...]) -> str:
        """Show what the hello says."""
        return "".join(f"{uri}\n" for uri in self._device.capabilities())

    def kill(self, words: tuple[str, ...]) -> str:
        """End a NETCONF session."""
        session = self._device.sessions.get(int(words[-1]))
        if session is None:
            return f"% No session {words[-1]}; open: {', '.join(map(str, self._device.sessions)) or 'none'}\n"
        session.kill()
        return ""

    def discard(self, _words: tuple[str, ...]) -> str:
        """Make the candidate equal to running again."""
        self._device.stores.discard(self._session)
        return ""

    def commit(self, _words: tuple[str, ...]) -> str:
        """Make the candidate the running configuration."""
        self._device.stores.commit(self._session, CommitOptions())
        return ""

    def set_length(self, words: tuple[str, ...]) -> str:
        """Show so many lines at once; 0: all."""
        self._lines = int(words[-1])
        return ""

    def leave(self, _words: tuple[str, ...]) -> str:
        """End the connection."""
        self.closed = True
        return ""


def _column(line: str, word_index: int) -> int:
    words = line.split()[:word_index]
    return len(line) - len(line.lstrip()) + sum(len(word) + 1 for word in words)


COMMANDS: Final[Mapping[str, Callable[[OltShell, tuple[str, ...]], str]]] = {
    "show running-config": OltShell.running,
    "show candidate": OltShell.candidate,
    "show changes": OltShell.changes,
    "show lock": OltShell.locks,
    "show sessions": OltShell.sessions,
    "show capabilities": OltShell.capabilities,
    "kill session {int}": OltShell.kill,
    "discard": OltShell.discard,
    "commit": OltShell.commit,
    "terminal length {int}": OltShell.set_length,
    "exit": OltShell.leave,
    "quit": OltShell.leave,
}
