"""What a request says: its JSON body, and who sends it."""

import json
import math
from typing import Annotated, Any

from fastapi import Depends, Request

from api.errors import BadRequest, BodyTooLarge
from api.roles import Actor

MAX_DEPTH = 32


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


def _json_name(value: object) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
