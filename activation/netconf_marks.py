"""Texts with marks in the places of values: written once, filled in many times."""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Final

_MARK: Final = re.compile("\ue000(\\d+)\ue001")
_APART: Final = "\0"
RESERVED: Final = "\ue000\ue001"
"""Characters that no value may hold."""


def mark(position: int) -> str:
    """Return the mark that stands for the value at ``position``."""
    return f"\ue000{position}\ue001"


def marks(text: str) -> tuple[int, ...]:
    """Return the positions that the marks in ``text`` stand for."""
    return tuple(map(int, _MARK.findall(text)))


def renamed(text: str, names: Mapping[int, int]) -> str:
    """Return ``text`` with its marks standing for other positions; those not among ``names`` stay."""
    return _MARK.sub(lambda found: mark(names.get(int(found[1]), int(found[1]))), text)


class Form:
    """Texts with marks, filled in together."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._is_empty = not texts
        self._format = _APART.join(_MARK.sub("%s", text.replace("%", "%%")) for text in texts)
        self._chosen = chosen([position for text in texts for position in marks(text)])

    def fill(self, values: Sequence[str]) -> list[str]:
        """Return the texts with ``values``, by position, in the places of their marks."""
        return [] if self._is_empty else (self._format % self._chosen(values)).split(_APART)


def chosen(positions: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Return what chooses the elements at ``positions`` of a sequence."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda values: tuple(values[position] for position in positions)
