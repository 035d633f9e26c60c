"""Whom of a refused group to try next, until whoever is at fault stands alone and the others have gone through."""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

M = TypeVar("M")

SAME_WORDS: Final = 3
"""When so many were refused alone, all in the same words, and nobody got through, the device refuses everybody."""


class Search(Generic[M]):
    """A group on its way; ask :meth:`next` whom to try, and say how that went before asking again.

    One culprit among n costs about log2(n) refused tries and one that passes: half of those known to hold a culprit
    is tried at a time, and once he is found all others go together again.
    """

    def __init__(self, members: Iterable[M]) -> None:
        self._unknown: list[M] = list(members)
        self._suspects: list[M] = []
        self._tried: list[M] = []
        self._refusals: list[str] = []
        self._has_passed = False

    def next(self) -> Sequence[M]:
        """Return whom to try together; empty at the end."""
        if not self._suspects:
            self._tried, self._unknown = self._unknown, []
        elif len(self._suspects) == 1:
            self._tried, self._suspects = self._suspects, []
        else:
            half = len(self._suspects) // 2
            first, second = self._suspects[:half], self._suspects[half:]
            # From both ends by turns: three refused side by side say less of a device than three from all over.
            self._tried, self._suspects = (second, first) if len(self._refusals) % 2 else (first, second)
        return self._tried

    def passed(self) -> None:
        """Say that those tried went through: who is at fault is among the other suspects."""
        self._has_passed = True

    def refused(self, words: str, named: Iterable[M] = ()) -> Sequence[M]:
        """Say that those tried were refused in these words; return those with whom that is the last word.

        ``named`` are those whom the refusal names: they are tried before everybody else.
        """
        self._unknown = [*self._suspects, *self._unknown]
        self._suspects = []
        if len(self._tried) > 1:
            self._suspect(list(named))
            return ()
        self._refusals.append(words)
        if self._refuses_everybody():
            convicted, self._unknown = [*self._tried, *self._unknown], []
            return convicted
        return self._tried

    def give_up(self) -> Sequence[M]:
        """Return everybody who was neither refused nor got through, but for those tried last; the search is over."""
        left, self._suspects, self._unknown = [*self._suspects, *self._unknown], [], []
        return left

    def _suspect(self, named: list[M]) -> None:
        apart = set(map(id, named))
        others = [member for member in self._tried if id(member) not in apart]
        if named and others:
            self._suspects, self._unknown = named, [*others, *self._unknown]
        else:
            self._suspects = self._tried

    def _refuses_everybody(self) -> bool:
        latest = self._refusals[-SAME_WORDS:]
        return not self._has_passed and len(latest) == SAME_WORDS and len(set(latest)) == 1
