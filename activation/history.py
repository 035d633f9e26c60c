"""Who changed a device, in its own words: what its log says, read with a pattern that its platform carries as data."""

import re
from typing import Final

from pydantic import BaseModel, ConfigDict, field_validator

from activation.model import TRANSACTION_PREFIX, ChangeNote

NEWEST: Final = 5
_GROUPS: Final = frozenset({"at", "who"})


class HistoryRules(BaseModel):
    """How a platform tells who changed it.

    Attributes:
        command: what is asked.
        entry: matches one line of the answer; its groups are ``at`` and ``who``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str
    entry: re.Pattern[str]

    @field_validator("entry")
    @classmethod
    def _names_its_groups(cls, entry: re.Pattern[str]) -> re.Pattern[str]:
        if missing := _GROUPS - entry.groupindex.keys():
            raise ValueError(
                f"the pattern lacks the groups {', '.join(sorted(missing))}; legal: (?P<at>…) and (?P<who>…)"
            )
        return entry

    def notes(self, answer: str) -> tuple[ChangeNote, ...]:
        """Return the last changes that ``answer`` tells of, newest first."""
        found = [(line, match) for line in answer.splitlines() if (match := self.entry.search(line))]
        notes = [
            ChangeNote(at=match["at"], who=match["who"], text=line.strip(), ours=TRANSACTION_PREFIX in line)
            for line, match in reversed(found)
        ]
        return tuple(notes[:NEWEST])
