"""What is to become of a deviation, by its place: rules that a platform carries as data."""

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, field_validator

DeviationKind = Literal["missing", "changed", "foreign"]
"""Intended and not there; there with another value; there although nobody owns it."""
Policy = Literal["report", "reapply", "adopt", "ignore"]
"""Show it; put back what is intended; take what the device shows; say nothing."""
LEVEL: Final = " / "
"""Between the levels of a path as people write it: ``vlan 1042 / name``."""
KINDS: Final[tuple[DeviationKind, ...]] = ("missing", "changed", "foreign")


class DriftRule(BaseModel):
    """One rule: ``path`` is a pattern for places, ``kinds`` the deviations it is about.

    In a pattern ``*`` stands for any text within one level. A pattern means the place and all below it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    policy: Policy
    kinds: tuple[DeviationKind, ...] = KINDS

    @field_validator("path")
    @classmethod
    def _says_something(cls, path: str) -> str:
        if not path.strip():
            raise ValueError("an empty path; legal: levels separated by ' / ', '*' for any text within one")
        return path

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return compiled(self.path)

    def applies(self, kind: DeviationKind, place: str) -> bool:
        """Say whether the rule is about a deviation of ``kind`` at ``place``."""
        return kind in self.kinds and self._pattern.fullmatch(place) is not None


def policy_for(rules: Iterable[DriftRule], kind: DeviationKind, place: str) -> Policy:
    """Return what the first rule that applies says; ``report`` where none does."""
    return next((rule.policy for rule in rules if rule.applies(kind, place)), "report")


@lru_cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression of a path pattern; it matches a place it names and everything below."""
    levels = [_level(level) for level in pattern.strip().split(LEVEL)]
    return re.compile(re.escape(LEVEL).join(levels) + f"(?:{re.escape(LEVEL)}.*)?", re.DOTALL)


def _level(text: str) -> str:
    within = f"(?:(?!{re.escape(LEVEL)}).)*"
    return within.join(re.escape(part) for part in text.strip().split("*"))
