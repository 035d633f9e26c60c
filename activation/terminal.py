"""How a platform's command line is talked to, as data: what reads and saves, what it asks and what it is answered."""

import re
from collections.abc import Iterable
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

CISCO_LIKE: Final = re.compile(r"\s*%")
"""How EOS, FRR and many others mark a line that they did not take."""
EXPLAINING_LINES: Final = 4
"""Lines after the mark in which a device explains itself (FRR: an empty one, the type, the description)."""
LINES: Final = "{lines}"
MORE: Final = re.compile(r"--\s?More\s?--")
_ASKS: Final = re.compile(r"(?i)(?:\b(?:y/n|yes/no|confirm)\b[^\n]{0,20}|\?\s?)[:?\])]?\s*\Z")
_ERASED: Final = r"(?:\x1b\[\d+D *(?:\x1b\[\d+D)?|[\r\n][ \t]*(?:[\r\n]|\Z)|\x08[\x08 ]*)?"
"""How a pager wipes its prompt off the screen before it goes on."""


def _joinable(pattern: re.Pattern[str]) -> re.Pattern[str]:
    try:
        re.compile(f"(?:{pattern.pattern})")
    except re.error as error:
        raise ValueError(f"{pattern.pattern!r}: {error}; legal: flags for a part, (?i:…)") from error
    return pattern


Pattern = Annotated[re.Pattern[str], AfterValidator(_joinable)]


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Turn(_Data):
    """What the device shows while it waits for a key or a line, and what it gets.

    Attributes:
        shows: matches the end of what it has said.
        answer: what is typed.
        enter: whether a return goes after it; a pager wants a bare key.
    """

    shows: Pattern
    answer: str = ""
    enter: bool = True

    def is_due(self, said: str) -> bool:
        """Say whether the device waits for this turn's answer."""
        return re.search(rf"(?:{self.shows.pattern})\s*\Z", said) is not None


class PartRule(_Data):
    """How a platform prints a part of its running configuration: some of its topmost sections, and the last line.

    Attributes:
        command: prints them; ``{lines}`` stands for a regular expression that matches their first lines, whole.
        longest: characters of one command; where that is too little, several are sent.
        most: commands; where these are too few, all of the configuration is read.
    """

    command: str
    longest: int = Field(default=400, ge=80)
    most: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _names_the_lines(self) -> Self:
        if self.command.count(LINES) != 1:
            raise ValueError(f"read_part: {self.command!r} does not say where the lines go; legal: {LINES}, once")
        return self


class TerminalRules(_Data):
    """How a command line is talked to.

    Attributes:
        read: prints the running configuration.
        read_part: prints a part of it; None where the device prints all or nothing.
        last_line: what a whole configuration ends with; empty where it has no such line.
        save: makes the running configuration the start-up one.
        configure: enters the configuration mode.
        refusals: match the beginning of lines in which the device refuses something.
        tolerated: what the device says when a refusal is no matter.
        pager: what it shows between two pages, and the key that goes on.
        questions: what it asks before it does as it is told, and the answer. Any other question ends the session:
            nobody knows what a yes would do.
    """

    read: str = "show running-config"
    read_part: PartRule | None = None
    last_line: str = "end"
    save: str = "write memory"
    configure: str = "configure terminal"
    refusals: tuple[Pattern, ...] = (CISCO_LIKE,)
    tolerated: tuple[Pattern, ...] = ()
    pager: Turn = Turn(shows=MORE, answer=" ", enter=False)
    questions: tuple[Turn, ...] = ()

    @model_validator(mode="after")
    def _knows_the_end_of_a_part(self) -> Self:
        if self.read_part is not None and not self.last_line:
            raise ValueError("read_part: only a last_line tells a whole answer from one that was cut off; legal: both")
        return self

    @property
    def refusal(self) -> str:
        """One regular expression, for several lines at once, for ``refusals`` but for what is ``tolerated``."""
        if not self.refusals:
            return ""
        marks = _any_of(self.refusals)
        explained = rf"(?:.*\n(?!{marks})){{0,{EXPLAINING_LINES}}}.*{_any_of(self.tolerated)}"
        return rf"^{f'(?!{explained})' if self.tolerated else ''}{marks}.*$"

    def refused(self, output: str) -> str:
        """Return the lines of ``output`` in which the device refuses something; empty when there are none."""
        found = re.finditer(self.refusal, output, re.MULTILINE) if self.refusals else ()
        return "; ".join(match[0].strip() for match in found)

    def turn(self, said: str) -> Turn | None:
        """Return the turn whose answer the device waits for, by the end of what it has said."""
        return next((each for each in (self.pager, *self.questions) if each.is_due(said)), None)

    def without_pager(self, output: str) -> str:
        """Return ``output`` as it would be in one page."""
        shows = self.pager.shows.pattern
        if not re.search(shows, output, re.MULTILINE):
            return output
        return re.sub(rf"[ \t]*(?:{shows})[ \t]*{_ERASED}", "", output)


def _any_of(patterns: Iterable[re.Pattern[str]]) -> str:
    return f"(?:{'|'.join(f'(?:{each.pattern})' for each in patterns)})"


def asks(said: str) -> bool:
    """Say whether somebody who said this last most likely waits for a yes or a no."""
    return _ASKS.search(said[said.rfind("\n") + 1 :]) is not None
