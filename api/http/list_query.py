"""What the query of a collection asks for: attributes, conditions, order and page (TMF630's REST guidelines)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from api.errors import BadRequest
from inventory.documents import Document
from inventory.query import OPERATORS, Attribute, Condition, Operator, Query, SortKey

MAX_LIMIT: Final = 1000
MAX_CONDITIONS: Final = 20
MAX_STEPS: Final = 8
_SIGNS: Final[Mapping[str, Operator]] = {
    "==": "eq",
    "!=": "ne",
    ">=": "gte",
    "<=": "lte",
    "*=": "like",
    ">": "gt",
    "<": "lt",
}
_SIGN: Final = re.compile(r"(==|!=|>=|<=|\*=|>|<)")
_BESIDES: Final = ("fields", "limit", "offset", "sort")
Fields = Mapping[str, "Fields"]
"""The wanted attributes, each with those wanted of its own; none: all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A collection request: which rows, and which attributes of them (empty: all)."""

    query: Query
    fields: Fields


def list_request(request: Request, attributes: frozenset[str], *, besides: Collection[str] = ()) -> ListRequest:
    """Return what a request for a collection asks for.

    Args:
        request: with its query.
        attributes: what the collection's resources have.
        besides: parameters that are no attributes; the caller reads them.

    Raises:
        BadRequest: offset or limit is no number in range, or an attribute is unknown; names what is legal.
    """
    given = [(name, value) for name, value in request.query_params.multi_items() if name not in besides]
    single = {name: value for name, value in given if name in _BESIDES}
    conditions = tuple(_condition(name, value) for name, value in given if name not in _BESIDES)
    if len(conditions) > MAX_CONDITIONS:
        raise BadRequest(f"{len(conditions)} conditions; legal: {MAX_CONDITIONS} at most")
    order = tuple(map(_sort_key, _names(single.get("sort", ""))))
    _refuse_unknown("filter", conditions, attributes, besides)
    _refuse_unknown("sort", order, attributes, besides)
    offset, limit = _bounds(single)
    query = Query(offset=offset, limit=limit, conditions=conditions, order=order)
    return ListRequest(query=query, fields=wanted_fields(single.get("fields", "")))


def wanted_fields(text: str) -> Fields:
    """Return the attributes that ``text`` names, e.g. ``state,note.text``; ``none`` names only ``id`` and ``href``."""
    fields: dict[str, Any] = {}
    for name in _names(text):
        here = fields
        for step in name.split(".")[:MAX_STEPS]:
            here = here.setdefault(step, {})
    return fields


def select_fields(document: Document, fields: Fields) -> Document:
    """Return the wanted attributes of ``document``, arrays entered; ``id`` and ``href`` of the document always stay."""
    return {**{name: document[name] for name in ("id", "href") if name in document}, **_selected(document, fields)}


def _bounds(given: Mapping[str, str]) -> tuple[int, int]:
    """Return the offset and the limit in ``given``.

    Raises:
        BadRequest: one of them is no whole number in its range.
    """
    offset = _number(given.get("offset", "0"), "offset", 0, 2**31)
    return offset, _number(given.get("limit", "100"), "limit", 1, MAX_LIMIT)


def _selected(value: Any, fields: Fields) -> Any:  # noqa: ANN401 - JSON is what it is
    if not fields:
        return value
    if isinstance(value, list):
        return [_selected(entry, fields) for entry in value]
    if not isinstance(value, Mapping):
        return value
    return {name: _selected(inner, fields[name]) for name, inner in value.items() if name in fields}


def _condition(name: str, value: str) -> Condition:
    """Read ``n=1``, with an operator as the last step of the name or as a sign: ``n.gt=1``, ``n>=1``, ``n>1``."""
    text = f"{name}={value}" if value or not _SIGN.search(name) else name
    sign = _SIGN.search(text)
    if sign is not None and sign.start() <= len(name):
        name, value, operator = text[: sign.start()], text[sign.end() :], _SIGNS[sign.group()]
    else:
        *steps, last = name.split(".")
        operator = OPERATORS.get(last, "eq") if steps else "eq"
        name = ".".join(steps) if steps and last in OPERATORS else name
    if name.endswith(".regex"):
        raise BadRequest(f"cannot filter by {name}; legal operators: {', '.join(OPERATORS)} (like knows * only)")
    return Condition(attribute=_attribute(name), operator=operator, texts=_texts(value, operator))


def _texts(value: str, operator: Operator) -> tuple[str, ...]:
    """Return the texts one of which will do: a comma means "or", unless it belongs to the value."""
    if operator not in {"eq", "ne", "like"} or "," not in value:
        return (value,)
    parts = tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(dict.fromkeys((*parts, value)))


def _sort_key(name: str) -> SortKey:
    return SortKey(attribute=_attribute(name.lstrip("+- ")), descending=name.startswith("-"))


def _attribute(name: str) -> Attribute:
    steps = tuple(name.split("."))
    if not all(steps) or len(steps) > MAX_STEPS:
        raise BadRequest(f"cannot read the attribute {name!r}; legal: up to {MAX_STEPS} names with dots between them")
    return steps


def _refuse_unknown(
    what: str, asked: Sequence[Condition | SortKey], attributes: frozenset[str], besides: Collection[str]
) -> None:
    unknown = sorted({each.attribute[0] for each in asked} - attributes)
    if unknown:
        legal = ", ".join(sorted({*_BESIDES, *besides, *attributes}))
        raise BadRequest(f"cannot {what} by {', '.join(unknown)}; legal: {legal}")


def _names(text: str) -> Iterable[str]:
    return (name.strip() for name in text.split(",") if name.strip())


def _number(text: str, name: str, low: int, high: int) -> int:
    digits = text.lstrip("0") or "0"
    # The length first: Python refuses to convert thousands of digits.
    if not re.fullmatch("[0-9]+", text) or len(digits) > len(str(high)) or not low <= int(digits) <= high:
        raise BadRequest(f"{name}={text!r}: must be a whole number from {low} to {high}")
    return int(digits)
