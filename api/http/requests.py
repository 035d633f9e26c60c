"""What a request says: its JSON body, its query, its token."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from api.errors import BadRequest, BodyTooLarge
from api.roles import Actor
from inventory.store import FILTERS, Query

MAX_DEPTH = 32
MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """A collection request: which rows, and which attributes of them (empty: all)."""

    query: Query
    fields: tuple[str, ...] = ()


def acting(request: Request) -> Actor:
    """Return who sends the request; the guard of every route has found it out."""
    actor: Actor = request.state.actor
    return actor


Acting = Annotated[Actor, Depends(acting)]


async def json_object(request: Request) -> dict[str, Any]:
    """Return the request's body.

    Raises:
        BodyTooLarge: over the limit of the settings.
        BadRequest: not UTF-8, not JSON, not an object, a key twice, or nested too deep.
    """
    limit_bytes: int = request.app.state.max_body_bytes
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise BodyTooLarge(f"the body is larger than {limit_bytes} bytes")
        chunks.append(chunk)
    return parse_object(b"".join(chunks))


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in ``raw``.

    Raises:
        BadRequest: see :func:`json_object`.
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(f"the body is not UTF-8: byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadRequest(f"the body is not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise BadRequest(f"the body is nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise BadRequest(f"the body is not acceptable JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest(f"the body must be a JSON object, not {_json_name(value)}")
    _check(value)
    return value


def list_request(request: Request) -> ListRequest:
    """Return what a collection request asks for.

    Raises:
        BadRequest: offset or limit is no number in range, or an attribute cannot be filtered; names the legal ones.
    """
    given = dict(request.query_params)
    offset, limit = _bounds(given)
    fields = tuple(name.strip() for name in given.pop("fields", "").split(",") if name.strip())
    unknown = sorted(set(given) - set(FILTERS))
    if unknown:
        legal = ", ".join(sorted(("fields", "limit", "offset", *FILTERS)))
        raise BadRequest(f"cannot filter by {', '.join(unknown)}; legal: {legal}")
    return ListRequest(query=Query(offset=offset, limit=limit, filters=given), fields=fields)


def page_request(request: Request) -> tuple[int, int]:
    """Return offset and limit of a request for a page of something that has no filters.

    Raises:
        BadRequest: offset or limit is no number in range, or the query asks for more than these.
    """
    given = dict(request.query_params)
    bounds = _bounds(given)
    if given:
        raise BadRequest(f"cannot filter by {', '.join(sorted(given))}; legal: limit, offset")
    return bounds


def select_fields(document: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the named attributes of ``document``; ``id`` and ``href`` always stay."""
    return {name: value for name, value in document.items() if name in {"id", "href", *fields}}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"the key {twice[0]!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _check(value: object) -> None:
    """Refuse what JSON allows but no store or device can hold: too deep, half a character, an infinite number."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer)]
        if not level:
            return
    raise BadRequest(f"the body is nested deeper than {MAX_DEPTH} levels")


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise BadRequest(f"a text holds half a character at position {error.start}") from error
        if "\x00" in value:
            raise BadRequest("a text holds a NUL character")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadRequest("a number is too large for a double")
    return []


def _bounds(given: dict[str, str]) -> tuple[int, int]:
    """Take offset and limit out of ``given``."""
    offset = _number(given.pop("offset", "0"), "offset", 0, 2**31)
    return offset, _number(given.pop("limit", "100"), "limit", 1, MAX_LIMIT)


def _number(text: str, name: str, low: int, high: int) -> int:
    digits = text.lstrip("0") or "0"
    # The length first: Python refuses to convert thousands of digits.
    if not re.fullmatch("[0-9]+", text) or len(digits) > len(str(high)) or not low <= int(digits) <= high:
        raise BadRequest(f"{name}={text!r}: must be a whole number from {low} to {high}")
    return int(digits)


def _json_name(value: object) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
