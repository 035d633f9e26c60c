"""Words typed at a device, matched against the commands it knows: abbreviations, values, refusals, short help."""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

Value = Callable[[str], str]
"""Returns the canonical form of one typed word; raises ``ValueError`` for a word it does not accept."""

RefusalKind = Literal["invalid", "incomplete", "ambiguous"]
REST: Final = "{text}"
"""Placeholder for everything up to the end of the line."""


class Refusal(Exception):
    """A line the device does not take.

    Attributes:
        kind: what is wrong with it.
        line: the line as typed.
        word_index: the first word that does not fit.
    """

    def __init__(self, kind: RefusalKind, line: str, word_index: int) -> None:
        super().__init__(f"{kind} at word {word_index} of {line!r}")
        self.kind = kind
        self.line = line
        self.word_index = word_index

    @property
    def word(self) -> str:
        """The word that does not fit, empty when the line ends too early."""
        words = self.line.split()
        return words[self.word_index] if self.word_index < len(words) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What became of typed words held against one pattern.

    Attributes:
        words: the accepted words in canonical form; a rest of the line is one word.
        fits: the whole line is one whole command.
        abbreviated: keywords typed short; a rest of the line counts most, so that precise patterns win.
    """

    words: tuple[str, ...]
    fits: bool
    abbreviated: int


REST_WEIGHT: Final = 100


def match(pattern: Sequence[str], words: Sequence[str], values: Mapping[str, Value]) -> Match:
    """Return how far ``words`` follow ``pattern``, whose items are keywords or ``{value}`` names."""
    accepted: list[str] = []
    abbreviated = 0
    for item, word in zip(pattern, words, strict=False):
        if item == REST:
            rest = " ".join(words[len(accepted) :])
            return Match(words=(*accepted, rest), fits=item == pattern[-1], abbreviated=abbreviated + REST_WEIGHT)
        canonical = _accept(item, word, values)
        if canonical is None:
            return Match(words=tuple(accepted), fits=False, abbreviated=abbreviated)
        abbreviated += not item.startswith("{") and item != word
        accepted.append(canonical)
    return Match(words=tuple(accepted), fits=len(pattern) == len(words), abbreviated=abbreviated)


def _accept(item: str, word: str, values: Mapping[str, Value]) -> str | None:
    if not item.startswith("{"):
        return item if item.startswith(word) else None
    try:
        return values[item](word)
    except ValueError:
        return None


Choice = TypeVar("Choice")


def choose(
    patterns: Iterable[tuple[Sequence[str], Choice]], line: str, values: Mapping[str, Value]
) -> tuple[Choice, tuple[str, ...]]:
    """Return the choice whose pattern ``line`` follows, with its canonical words.

    Raises:
        Refusal: no pattern fits, or several do equally well.
    """
    words = line.split()
    tried = [(match(pattern, words, values), choice) for pattern, choice in patterns]
    fitting = [(found, choice) for found, choice in tried if found.fits]
    if not fitting:
        furthest = max((len(found.words) for found, _ in tried), default=0)
        raise Refusal("incomplete" if furthest == len(words) else "invalid", line, furthest)
    fewest = min(found.abbreviated for found, _ in fitting)
    best = [(found, choice) for found, choice in fitting if found.abbreviated == fewest]
    if len({found.words for found, _ in best}) > 1:
        raise Refusal("ambiguous", line, _first_difference([found.words for found, _ in best]))
    return best[0][1], best[0][0].words


def _first_difference(lines: Sequence[tuple[str, ...]]) -> int:
    for index, column in enumerate(zip(*lines, strict=False)):
        if len(set(column)) > 1:
            return index
    return min(map(len, lines))


def next_words(patterns: Iterable[Sequence[str]], typed: str, values: Mapping[str, Value]) -> list[str]:
    """Return what may follow ``typed``: keywords, ``<value>`` names and ``<cr>``; the answer to ``?``."""
    whole, partial = typed.split(), ""
    if whole and not typed.endswith(" "):
        partial = whole.pop()
    found: set[str] = set()
    for pattern in patterns:
        matched = match(pattern, whole, values)
        if len(matched.words) < len(whole):
            continue
        item = pattern[len(whole)] if len(whole) < len(pattern) else "<cr>"
        if item.startswith("{"):
            found.add(f"<{item[1:-1]}>")
        elif item.startswith(partial):
            found.add(item)
    return sorted(found)


def natural_key(text: str) -> tuple[str | int, ...]:
    """Return a sort key that orders numbers inside ``text`` by value: Ethernet2 before Ethernet10."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text))


def word(text: str) -> str:
    """Return any single word."""
    return text


def one_of(*allowed: str) -> Value:
    """Return a value that takes the words ``allowed`` only."""

    def accept(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return accept


def number(low: int, high: int) -> Value:
    """Return a value that takes whole numbers from ``low`` to ``high``."""

    def accept(text: str) -> str:
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise ValueError(text)
        return str(int(text))

    return accept


def ipv4_interface(text: str) -> str:
    """Return an address with its prefix length, host bits kept."""
    return str(ipaddress.IPv4Interface(_with_length(text)))


def ipv4_prefix(text: str) -> str:
    """Return an IPv4 prefix, host bits cleared."""
    return str(ipaddress.IPv4Network(_with_length(text), strict=False))


def ipv6_interface(text: str) -> str:
    """Return an IPv6 address with its prefix length."""
    return str(ipaddress.IPv6Interface(_with_length(text)))


def ipv6_prefix(text: str) -> str:
    """Return an IPv6 prefix, host bits cleared."""
    return str(ipaddress.IPv6Network(_with_length(text), strict=False))


def _with_length(text: str) -> str:
    if not re.search(r"/\d+$", text):
        raise ValueError(text)
    return text
