"""Errors on the wire: one table from error class to HTTP status, one TMF error body for all of them."""

import logging
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


def body(status: int, reason: str) -> dict[str, str]:
    """Return a TMF error: ``code`` is the HTTP status' standard name, ``reason`` and ``message`` are for people.

    Clients show one or the other: both say what failed, where and what is legal.
    """
    said = reason if len(reason) <= MOST_CHARACTERS else reason[:MOST_CHARACTERS] + "…"
    code = _code(HTTPStatus(status))
    return {"code": code, "reason": said, "message": said, "status": str(status), "@type": "Error"}


def answer(error: Exception) -> JSONResponse:
    """Return the answer to a request that ended in one of the errors of the table."""
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    if isinstance(error, DatabaseAway | LayerAway):
        headers = {"Retry-After": str(error.retry_after_s)}
    return JSONResponse(body(status, str(error)), status, headers)


def _known(_: Request, error: Exception) -> JSONResponse:
    return answer(error)


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    reason = f"{request.method} {request.url.path}: {status.phrase.lower()}"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        reason += f"; legal: {(error.headers or {}).get('Allow', 'none')}"
    return JSONResponse(body(status, reason), status, error.headers)


def _unreadable(_: Request, error: Exception) -> JSONResponse:
    """Say in TM Forum's words what FastAPI could not read of a path or a query."""
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = [f"{each['loc'][-1]}={each.get('input')!r}: {each['msg']}" for each in error.errors()]
    return JSONResponse(body(HTTPStatus.BAD_REQUEST, "; ".join(wrong)), HTTPStatus.BAD_REQUEST)


def _unknown(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse(body(status, "the server failed; its log says where"), status)


def _code(status: HTTPStatus) -> str:
    first, *rest = status.name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
