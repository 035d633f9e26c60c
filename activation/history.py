"""Who changed a device, in its own words: what its log or its notifications say, read as its platform's data tell."""

import re
from collections.abc import Iterable, Sequence
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from activation.model import TRANSACTION_PREFIX, ChangeNote, Path

NEWEST: Final = 5
DAYS: Final = 7
NO_RULES: Final = "its platform.yaml names no log to ask (history)"
_GROUPS: Final = frozenset({"at", "who"})


class HistoryRules(BaseModel):
    """How a platform tells who changed it: by a command, by NETCONF notifications, or not at all.

    Attributes:
        command: what is asked.
        entry: matches one line of the answer; its groups are ``at`` and ``who``.
        stream: the NETCONF stream (RFC 5277) that replays configuration changes (RFC 6470).
        days: how far back the replay begins; the device's clock must not be further behind.
        silent: why it does not tell, in a few words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str = ""
    entry: re.Pattern[str] | None = None
    stream: str = ""
    days: int = Field(default=DAYS, ge=1, le=366)
    silent: str = ""

    @field_validator("entry")
    @classmethod
    def _names_its_groups(cls, entry: re.Pattern[str] | None) -> re.Pattern[str] | None:
        if entry is not None and (missing := _GROUPS - entry.groupindex.keys()):
            raise ValueError(
                f"the pattern lacks the groups {', '.join(sorted(missing))}; legal: (?P<at>…) and (?P<who>…)"
            )
        return entry

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        ways = sum(map(bool, (self.command, self.stream, self.silent)))
        if ways != 1 or bool(self.command) != (self.entry is not None):
            raise ValueError("legal: either command and entry, or stream, or silent")
        return self

    def notes(self, answer: str) -> tuple[ChangeNote, ...]:
        """Return the last changes that ``answer`` to the command tells of, newest first."""
        if self.entry is None:
            return ()
        found = [(line, match) for line in answer.splitlines() if (match := self.entry.search(line))]
        notes = [
            ChangeNote(at=match["at"], who=match["who"], text=line.strip(), ours=TRANSACTION_PREFIX in line)
            for line, match in reversed(found)
        ]
        return tuple(notes[:NEWEST])


def touches(note: ChangeNote, slot: Path) -> bool:
    """Say whether the change was at ``slot``, above it or below it, as far as the device tells what it changed."""
    return any(place[: len(slot)] == slot or slot[: len(place)] == place for place in note.places)


def concerning(notes: Sequence[ChangeNote], slots: Iterable[Path]) -> tuple[ChangeNote, ...]:
    """Return each slot's :func:`culprit` and the newest about any of them; where none is about one, the newest."""
    places = tuple(slots)
    about = [note for note in notes if any(touches(note, slot) for slot in places)]
    if not about:
        return tuple(notes[:NEWEST])
    chosen = [*about[:NEWEST], *(found for slot in places if (found := culprit(about, slot)) is not None)]
    return tuple(note for note in about if any(note is each for each in chosen))


def culprit(notes: Sequence[ChangeNote], slot: Path) -> ChangeNote | None:
    """Return the newest change of ``slot`` that was not this platform's; where there is none, the newest at all."""
    about = [note for note in notes if touches(note, slot)]
    return next((note for note in about if not note.ours), about[0] if about else None)
