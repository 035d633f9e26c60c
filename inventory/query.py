"""What a client wants of a collection: conditions on attributes, an order, a page. Pure.

The operators are those of TM Forum's REST guidelines (TMF630): ``attribute=value``, ``attribute.gt=value`` and so on.
An attribute is a path with dots; an array on the way stands for each of its entries.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from inventory.documents import Document

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "like"]
Attribute = tuple[str, ...]
"""The steps of an attribute's path, e.g. ``("relatedParty", "id")``."""

OPERATORS: Final[Mapping[str, Operator]] = {
    "eq": "eq",
    "ne": "ne",
    "gt": "gt",
    "gte": "gte",
    "lt": "lt",
    "lte": "lte",
    "like": "like",
}
_SIGNS: Final[Mapping[Operator, frozenset[int]]] = {
    "gt": frozenset({1}),
    "gte": frozenset({0, 1}),
    "lt": frozenset({-1}),
    "lte": frozenset({-1, 0}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition on a document; any one of ``texts`` will do (``ne``: none of them may stand there)."""

    attribute: Attribute
    texts: tuple[str, ...]
    operator: Operator = "eq"

    def holds(self, document: Document) -> bool:
        """Say whether ``document`` fulfils it; an attribute that is not there fulfils only ``ne``."""
        found = values_at(document, self.attribute)
        if self.operator == "ne":
            return not any(_equal(value, text) for value in found for text in self.texts)
        return any(self._fits(value, text) for value in found for text in self.texts)

    def _fits(self, value: object, text: str) -> bool:
        if self.operator == "eq":
            return _equal(value, text)
        if self.operator == "like":
            return _like(_text(value), text)
        return _order(value, text) in _SIGNS[self.operator]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One attribute to sort by; documents without it come last, whichever the direction."""

    attribute: Attribute
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which documents of a collection, in which order (oldest first where none is given), and which page of them."""

    offset: int = 0
    limit: int = 100
    conditions: tuple[Condition, ...] = ()
    order: tuple[SortKey, ...] = ()

    def holds(self, document: Document) -> bool:
        """Say whether ``document`` fulfils every condition."""
        return all(condition.holds(document) for condition in self.conditions)


def equals(**texts: str) -> tuple[Condition, ...]:
    """Return conditions on attributes of the document itself, e.g. ``equals(state="held")``."""
    return tuple(Condition(attribute=(name,), texts=(text,)) for name, text in texts.items())


def values_at(value: object, attribute: Sequence[str]) -> Iterator[Any]:
    """Yield what stands at the path ``attribute`` of ``value``; arrays on the way and at its end are entered."""
    if isinstance(value, list | tuple):
        for entry in value:
            yield from values_at(entry, attribute)
    elif not attribute:
        yield value
    elif isinstance(value, Mapping) and attribute[0] in value:
        yield from values_at(value[attribute[0]], attribute[1:])


def sort_value(document: Document, attribute: Attribute) -> tuple[int, float, str]:
    """Return what orders documents by ``attribute``: numbers before moments before texts before nothing at all."""
    value = next(values_at(document, attribute), None)
    if value is None:
        return 3, 0.0, ""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is not None:
        # As it is: an integer may be too large for a float.
        return 0, number, ""
    text = _text(value)
    moment = _moment(text)
    return (1, moment.timestamp(), "") if moment is not None else (2, 0.0, text)


def sorted_by(keys: Sequence[SortKey], rows: list[tuple[tuple[tuple[int, float, str], ...], str]]) -> list[str]:
    """Return the ids of ``rows`` (sort values and id each) in the order of ``keys``; what is equal stays in order."""
    # From the last key to the first, each sort stable: the usual way to mix directions.
    for place, key in reversed(list(enumerate(keys))):
        present = [row for row in rows if row[0][place][0] != _NOTHING]
        absent = [row for row in rows if row[0][place][0] == _NOTHING]
        present.sort(key=lambda row: row[0][place], reverse=key.descending)
        rows = [*present, *absent]
    return [row_id for _, row_id in rows]


_NOTHING: Final = 3


def moment_of(text: str) -> datetime | None:
    """Return the moment that an RFC 3339 text names, in UTC where it names no zone; None where it is none."""
    return _moment(text)


def is_plain(text: str) -> bool:
    """Say whether what equals ``text`` has that :func:`plain_text`: moments and numbers may be written many ways."""
    number = _number(text)
    if isinstance(number, float) and number.is_integer():
        return False
    return _moment(text) is None and (number is None or str(number) == text)


def plain_text(value: str | float | None) -> str:
    """Return the one text under which a value of a document is found; numbers that are equal have the same."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else _text(value)


def _moment(text: str) -> datetime | None:
    # A bare number is a date to Python ("20260101"): people mean a number.
    if "-" not in text[1:]:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _equal(value: object, text: str) -> bool:
    return _text(value) == text or _order(value, text) == 0


def _order(value: object, text: str) -> int | None:
    """Return -1, 0 or 1 as ``value`` is less than, equal to or greater than ``text``; None if they do not compare."""
    if isinstance(value, bool) or value is None or isinstance(value, Mapping):
        return None
    if isinstance(value, int | float):
        number = _number(text)
        return None if number is None else (value > number) - (value < number)
    mine, given = _moment(str(value)), _moment(text)
    if mine is not None and given is not None:
        return (mine > given) - (mine < given)
    return (str(value) > text) - (str(value) < text)


def _number(text: str) -> float | int | None:
    try:
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return None
    # What is no number to JSON compares with none.
    return None if isinstance(number, float) and not math.isfinite(number) else number


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _like(text: str, pattern: str) -> bool:
    """Say whether ``pattern`` (``*``: anything) fits the whole ``text``, whatever the case; in linear time."""
    first, *rest = pattern.casefold().split("*")
    text = text.casefold()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(rest[-1]) and text.endswith(rest[-1])
