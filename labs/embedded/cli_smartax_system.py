"""The emulated SmartAX OLT behind its command line: running and saved configuration."""

import time
from collections.abc import Callable
from math import inf

from labs.embedded.cli_grammar import Refusal
from labs.embedded.cli_smartax_language import SMARTAX
from labs.embedded.cli_smartax_objects import trouble
from labs.embedded.cli_smartax_show import configuration
from labs.embedded.cli_tree import Tree, find
from labs.embedded.contracts import unwatched
from labs.embedded.faults import FaultBoard
from labs.errors import StartupConfigError


class SmartAx:
    """What all users of one OLT share."""

    def __init__(self, *, name: str, startup_config: str, faults: FaultBoard, saved: Callable[[str], None]) -> None:
        self.name = name
        self.faults = faults
        self.changed: Callable[[], None] = unwatched
        self._save = saved
        try:
            self._running: Tree = SMARTAX.load(startup_config)
        except Refusal as refusal:
            raise StartupConfigError(name, f"not understood: {refusal.line!r}, word {refusal.word!r}") from refusal
        if wrong := trouble((), self._running):
            raise StartupConfigError(name, wrong)
        self.saved = configuration(self._running)
        self.started_at = time.time()
        self.broke_at_s = -inf

    @property
    def running(self) -> Tree:
        """The running configuration."""
        return self._running

    @running.setter
    def running(self, tree: Tree) -> None:
        self._running = tree
        self.changed()

    def hostname(self) -> str:
        """Return the configured name."""
        line = find(self.running, ("sysname",))
        return line.text.split()[1] if line is not None else "MA5800-X7"

    def save(self) -> None:
        """Write the running configuration to flash."""
        self.saved = configuration(self.running)
        self._save(self.saved)
