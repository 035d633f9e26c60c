"""Errors on the wire: one table from error class to HTTP status, one TMF error body for all of them."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
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
    app.add_exception_handler(Exception, _unknown)


def body(status: int, reason: str) -> dict[str, str]:
    """Return a TMF error: ``code`` is the HTTP status' standard name, ``reason`` is for people."""
    return {"code": _code(HTTPStatus(status)), "reason": reason, "status": str(status), "@type": "Error"}


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


def _unknown(request: Request, error: Exception) -> JSONResponse:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse(body(status, "the server failed; its log says where"), status)


def _code(status: HTTPStatus) -> str:
    first, *rest = status.name.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)
