"""Errors on the wire: one table from error class to HTTP status, one TMF error body for all of them."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from activation.errors import ActivationError, BadIntent, NotApprovable
from api.errors import (
    AlreadySubscribed,
    BadRequest,
    BodyTooLarge,
    CallbackRefused,
    DatabaseAway,
    KeyReused,
    LayerAway,
    NotAllowed,
    NotAuthorized,
    PatchConflict,
    PreconditionFailed,
    UnsupportedMedia,
)
from inventory.errors import InventoryError, StaleState, UnknownResource
from inventory.lifecycle import IllegalTransition
from orders.errors import CatalogConflict, InvalidEntry, InvalidOrder, OrderConflict, OrdersError

MOST_CHARACTERS: Final = 4000
"""Of what an error says: what somebody sent is repeated in it, and may be a megabyte."""
MOST_OF_REASON: Final = 200
_REST: Final = re.compile(r"; | \(legal: | \(known: ")
"""Where what is wrong ends, and what is legal, or the next thing wrong, begins."""
_PATH: Final = re.compile(r"^(?:[\w@\[\]]+\.)+(?=[\w@\[\]]+\.[\w@]+: )")
"""The beginning of a path of three steps or more."""
_log = logging.getLogger(__name__)

STATUS: Mapping[type[Exception], HTTPStatus] = {
    AlreadySubscribed: HTTPStatus.CONFLICT,
    BadRequest: HTTPStatus.BAD_REQUEST,
    CallbackRefused: HTTPStatus.BAD_REQUEST,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    NotApprovable: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    PatchConflict: HTTPStatus.CONFLICT,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotAuthorized: HTTPStatus.UNAUTHORIZED,
    DatabaseAway: HTTPStatus.SERVICE_UNAVAILABLE,
    CatalogConflict: HTTPStatus.CONFLICT,
    InvalidEntry: HTTPStatus.BAD_REQUEST,
    LayerAway: HTTPStatus.SERVICE_UNAVAILABLE,
    InvalidOrder: HTTPStatus.BAD_REQUEST,
    BadIntent: HTTPStatus.BAD_REQUEST,
    OrderConflict: HTTPStatus.CONFLICT,
    IllegalTransition: HTTPStatus.CONFLICT,
    StaleState: HTTPStatus.CONFLICT,
    UnknownResource: HTTPStatus.NOT_FOUND,
    OrdersError: HTTPStatus.BAD_REQUEST,
    InventoryError: HTTPStatus.CONFLICT,
    ActivationError: HTTPStatus.CONFLICT,
}
"""Looked up along the error's MRO: the nearest class wins."""


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a TMF error body."""
    for kind in STATUS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _unknown)


def body(status: int, message: str, reason: str = "") -> dict[str, str]:
    """Return a TMF error: ``code`` is the HTTP status' standard name, ``reason`` and ``message`` are for people.

    Args:
        status: of HTTP.
        message: the whole of it: what failed, where, and what is legal.
        reason: the same in a line, for who shows no more; made of ``message`` where it is not given.
    """
    code, short = _code(HTTPStatus(status)), reason or in_short(message)
    return {
        "code": code,
        "reason": _cut(short, MOST_OF_REASON),
        "message": _cut(message, MOST_CHARACTERS),
        "status": str(status),
        "@type": "Error",
    }


def in_short(message: str) -> str:
    """Return the first thing that a message says: what is wrong, without what is legal and all of a long path."""
    return _PATH.sub("", _REST.split(message, maxsplit=1)[0])


def answer(error: Exception, method: str, path: str) -> JSONResponse:
    """Return the answer to a request that ended in one of the errors of the table."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    if isinstance(error, DatabaseAway | LayerAway):
        headers = {"Retry-After": str(error.retry_after_s)}
    message = str(error)
    reason = in_short(message)
    if isinstance(error, InvalidOrder | InvalidEntry | BadIntent) and len(error.problems) > 1:
        reason = f"{_cut(reason, MOST_OF_REASON)} (and {len(error.problems) - 1} more)"
    if reason == message:
        message = f"{method} {path}: {message}"
    return JSONResponse(body(status, message, reason), status, headers)


def _known(request: Request, error: Exception) -> JSONResponse:
    return answer(error, request.method, request.url.path)


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    reason = status.phrase.lower()
    message = f"{request.method} {request.url.path}: {reason}"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        message += f"; legal: {(error.headers or {}).get('Allow', 'none')}"
    return JSONResponse(body(status, message, reason), status, error.headers)


def _unreadable(_: Request, error: Exception) -> JSONResponse:
    """Say in TM Forum's words what FastAPI could not read of a path or a query."""
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = [f"{each['loc'][-1]}={each.get('input')!r}: {each['msg']}" for each in error.errors()]
    return JSONResponse(body(HTTPStatus.BAD_REQUEST, "; ".join(wrong)), HTTPStatus.BAD_REQUEST)


def _unknown(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = f"{request.method} {request.url.path}: the server failed; its log says where"
    return JSONResponse(body(status, message, "the server failed"), status)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _code(status: HTTPStatus) -> str:
    first, *rest = status.name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
