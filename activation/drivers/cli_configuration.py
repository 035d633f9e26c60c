"""Reading the configuration of a command line device: the part that is asked for, where it prints parts."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from activation.contracts import PlatformRules
from activation.drivers.prompt_ssh import LAST_WORDS, check_whole, last_line_of
from activation.model import Path
from activation.part_reading import part_commands

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class ConfigurationReader:
    """Reads one device in one session.

    Attributes:
        run: returns what the device prints for a command, a refusal too.
    """

    device: str
    rules: PlatformRules
    run: Callable[[str], str]
    _prints_parts: bool = field(default=True, init=False)

    def read(self, touched: Sequence[Path]) -> str:
        """Return the running configuration that holds ``touched``; all of it for none.

        A device that does not print parts as its platform says it does is read whole from then on.

        Raises:
            ReadException: the answer is not whole.
        """
        terminal = self.rules.terminal
        part = self._part(part_commands(touched, self.rules.cli, terminal)) if self._prints_parts else None
        if part is not None:
            return part
        return check_whole(self.run(terminal.read), terminal.last_line)

    def _part(self, commands: Sequence[str]) -> str | None:
        """Return what ``commands`` print together; None where there are none, or an answer is not whole."""
        answers: list[str] = []
        for command in commands:
            answers.append(self.run(command))
            if last_line_of(answers[-1]) != self.rules.terminal.last_line:
                self._prints_parts = False
                logger.warning(
                    "%s: %r ends with %r, so from now on all of the configuration is read",
                    self.device,
                    command,
                    last_line_of(answers[-1])[:LAST_WORDS],
                )
                return None
        return "\n".join(answers) if answers else None
