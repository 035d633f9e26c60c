"""What a request says: its JSON body, and who sends it."""

import json
import math
from collections.abc import Collection
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from api.errors import BadRequest, BodyTooLarge, UnsupportedMedia
from api.roles import Actor

MAX_DEPTH: Final = 32
JSON: Final = "application/json"
_UTF8: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})


async def acting(request: Request) -> Actor:
    """Return who sends the request; the guard of every route has found it out."""
    actor: Actor = request.state.actor
    return actor


# Coroutines all of them: a plain function costs FastAPI a thread for each request, which costs more than they do.
Acting = Annotated[Actor, Depends(acting)]


async def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the request's body.

    Raises:
        UnsupportedMedia: another kind of body; names the legal one.
        BodyTooLarge: over the limit of the settings.
        BadRequest: not UTF-8, not JSON, not an object, a key twice, or nested too deep.
    """
    media_type(request, {JSON})
    return parse_object(await raw_body(request))


async def raw_body(request: Request) -> bytes:
    """Return the request's body.

    Raises:
        BodyTooLarge: over the limit of the settings; the rest of it is not read.
    """
    limit_bytes: int = request.app.state.max_body_bytes
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise BodyTooLarge(f"the body is larger than {limit_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request, legal: Collection[str]) -> str:
    """Return what the body is said to be, one of ``legal``; ``application/json`` where nothing is said.

    Raises:
        UnsupportedMedia: another kind, compressed, or in another encoding than UTF-8; names what is legal.
    """
    header = request.headers.get("content-type", "") or JSON
    kind, _, parameters = header.partition(";")
    kind = kind.strip().lower()
    if kind not in legal:
        raise UnsupportedMedia(f"Content-Type: {kind!r} is not taken here; legal: {', '.join(sorted(legal))}")
    named = dict(part.strip().lower().partition("=")[::2] for part in parameters.split(";"))
    if (charset := named.get("charset", "").strip('"')) not in _UTF8:
        raise UnsupportedMedia(f"Content-Type: charset {charset!r} is not taken here; legal: utf-8")
    if (coding := request.headers.get("content-encoding", "identity").strip().lower()) not in {"", "identity"}:
        raise UnsupportedMedia(f"Content-Encoding: {coding!r} is not taken here; legal: identity")
    return kind


def parse_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in ``raw``.

    Raises:
        BadRequest: see :func:`json_object`.
    """
    value = parse_json(raw)
    if not isinstance(value, dict):
        raise BadRequest(f"the body must be a JSON object, not {json_name(value)}")
    return value


def parse_json(raw: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON value in ``raw``, which a store can hold as it is.

    Raises:
        BadRequest: not UTF-8, not JSON, a key twice, nested too deep, half a character or an infinite number.
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
    refuse_unstorable(value)
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


def refuse_unstorable(value: object) -> None:
    """Do nothing where a store and a device can hold ``value``.

    Raises:
        BadRequest: nested too deep, half a character, a NUL, or a number too large.
    """
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


def json_name(value: object) -> str:
    """Return what JSON calls the type of ``value``, with its article."""
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")
