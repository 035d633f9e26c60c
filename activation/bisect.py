"""Whom of a refused group to try next, until whoever is at fault stands alone and the others have gone through."""

from collections.abc import Iterable, Sequence
from typing import Final, Generic, TypeVar

M = TypeVar("M")

SAME_WORDS: Final = 3
"""When so many were refused alone, all in the same words, and nobody got through, the device refuses everybody."""
OVERRUNS: Final = 4
"""When so many tries in a row were too much, each smaller than the last, size is not what the device suffers from."""


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
        self._most = len(self._unknown)
        self._overruns = 0
        self._named: set[int] = set()
        self._refused_by_name = 0

    def next(self) -> Sequence[M]:
        """Return whom to try together; empty at the end."""
        if not self._suspects:
            self._tried, self._unknown = self._some_unknown()
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
        self._has_passed, self._overruns = True, 0

    def refused(self, words: str, named: Iterable[M] = ()) -> Sequence[M]:
        """Say that those tried were refused in these words; return those with whom that is the last word.

        ``named`` are those whom the refusal names: they are tried before everybody else. That some are refused who
        were named says nothing of the others; after a few of them, with nobody through, names count no more.
        """
        self._unknown = [*self._suspects, *self._unknown]
        self._suspects = []
        if len(self._tried) > 1:
            self._suspect(list(named) if self._has_passed or self._refused_by_name < SAME_WORDS else [])
            return ()
        if id(self._tried[0]) in self._named:
            self._refused_by_name += 1
            return self._tried
        self._refusals.append(words)
        if self._refuses_everybody():
            convicted, self._unknown = [*self._tried, *self._unknown], []
            return convicted
        return self._tried

    def overran(self, most: int) -> bool:
        """Say that those tried were too much at once; from now on ``most`` go together. Return whether to go on."""
        self._overruns += 1
        if self._overruns >= OVERRUNS:
            return False
        self._most = max(1, most)
        self._unknown = [*self._tried, *self._suspects, *self._unknown]
        self._suspects = []
        return True

    def give_up(self) -> Sequence[M]:
        """Return everybody who was neither refused nor got through, but for those tried last; the search is over."""
        left, self._suspects, self._unknown = [*self._suspects, *self._unknown], [], []
        return left

    def _some_unknown(self) -> tuple[list[M], list[M]]:
        if self._overruns % 2 == 0:
            return self._unknown[: self._most], self._unknown[self._most :]
        # From the other end: one who makes the device hang is not among the first and the last both.
        cut = max(0, len(self._unknown) - self._most)
        return self._unknown[cut:], self._unknown[:cut]

    def _suspect(self, named: list[M]) -> None:
        apart = set(map(id, named))
        others = [member for member in self._tried if id(member) not in apart]
        if named and others:
            self._named |= apart
            self._suspects, self._unknown = named, [*others, *self._unknown]
        else:
            self._suspects = self._tried

    def _refuses_everybody(self) -> bool:
        latest = self._refusals[-SAME_WORDS:]
        return not self._has_passed and len(latest) == SAME_WORDS and len(set(latest)) == 1
