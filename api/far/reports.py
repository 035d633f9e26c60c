"""What another system's answers and events mean for the layer that asked; nothing of theirs is taken on trust. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from activation.contracts import CANCELLED
from api.far.model import MONITOR, FarRequest
from inventory.documents import Document
from orders.documents import AUTHOR
from orders.interventions import WAITING_FOR
from orders.states import ENDED, FINAL, OrderState, TaskState

ITEMS: Final = {"serviceOrder": "serviceOrderItem", "resourceOrder": "orderItem"}
_TARGET: Final = {"serviceOrder": "service", "resourceOrder": "resource"}
_MONITORS: Final = {name.lower(): name for name in ("InProgress", "Completed", "InError")}
_REVIEW: Final = ("state", "because", "href")
_ROLLBACK: Final = ("tries", "devices", "since", "reason", "href")


def readable(request: FarRequest, document: Document) -> Document | None:
    """Return what ``document`` says of ``request``, in the shape its layer reads; None where it says nothing.

    Raises:
        ValueError: it says that something is completed, and not what; says what is missing.
    """
    own = {"externalId": request.external_id, "id": _text(document.get("id")) or request.request_id}
    if request.kind == MONITOR:
        return _monitor(document, own)
    if request.kind in ITEMS:
        return _order(request, document, own)
    return _task(document, own)


def refused(request: FarRequest, reason: str, code: str = "refused") -> Document:
    """Return the report of a request that the other side does not take, in the words of its kind."""
    error = {"code": code, "reason": reason, "message": reason}
    if request.kind == MONITOR:
        return {"state": "InError", "errorMessage": [error]}
    if request.kind in ITEMS:
        return _whole(request, OrderState.FAILED) | {"errorMessage": [error], "note": [{"text": reason}]}
    return {"state": str(TaskState.TERMINATED_WITH_ERROR), "errorMessage": error}


def withdrawn(request: FarRequest, reason: str) -> Document:
    """Return the report of a request that was taken back before it was sent."""
    if request.kind == MONITOR:
        return refused(request, reason, CANCELLED)
    return _whole(request, OrderState.CANCELLED) | {"note": [{"text": reason}]}


def is_end(document: Document) -> bool:
    """Say whether a report is the last one about its request."""
    return document["state"] in {*FINAL, *ENDED, "Completed", "InError"}


def moment(text: object) -> str:
    """Return a point in time so that later ones are greater; empty where ``text`` is none."""
    if not isinstance(text, str):
        return ""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return found.astimezone(UTC).isoformat(timespec="microseconds") if found.tzinfo is not None else ""


def reason_in(body: object, status: int) -> str:
    """Return why another side refuses, in its own words where it has any."""
    said = body if isinstance(body, Mapping) else {}
    return _text(said.get("message")) or _text(said.get("reason")) or f"HTTP {status}"


def _whole(request: FarRequest, state: OrderState) -> dict[str, Any]:
    key = ITEMS[request.kind]
    return {"state": str(state), key: [{**item, "state": str(state)} for item in request.body[key]]}


def _order(request: FarRequest, document: Document, own: Mapping[str, str]) -> Document | None:
    state = _state(document.get("state"))
    if state is None:
        return None
    key = ITEMS[request.kind]
    sent = {str(item["id"]): item for item in request.body[key]}
    told = {str(item.get("id")): item for item in _objects(document.get(key))}
    items = [_item(request, state, item, told.get(name, {})) for name, item in sent.items()]
    # What came to the order after it was sent.
    items += [_item(request, state, {"id": name}, item) for name, item in told.items() if name not in sent]
    more = {name: _objects(document[name]) for name in ("errorMessage", WAITING_FOR) if document.get(name)}
    # A note that nobody signed is the other system's own.
    notes = [{"author": AUTHOR, **each, "text": str(each.get("text", ""))} for each in _objects(document.get("note"))]
    return {**own, "state": str(state), key: items, "note": notes, **more}


def _item(request: FarRequest, order_state: OrderState, sent: Document, told: Document) -> Document:
    state = _state(told.get("state")) or order_state
    if order_state in FINAL and state not in FINAL:
        state = order_state
    target = _TARGET[request.kind]
    known = told.get(target)
    found = {**sent.get(target, {}), **(known if isinstance(known, Mapping) else {})}
    if state is OrderState.COMPLETED:
        _check_completed(request, found, sent)
    return {**sent, "state": str(state), target: found}


def _check_completed(request: FarRequest, found: dict[str, Any], sent: Document) -> None:
    target = _TARGET[request.kind]
    if not _text(found.get("id")):
        raise ValueError(f"item {sent['id']!r} is completed, and its {target} has no id")
    if request.kind == "resourceOrder" and sent.get("action") == "add":
        values = _objects(found.get("resourceCharacteristic"))
        found["resourceCharacteristic"] = [each for each in values if "name" in each and "value" in each]
        if not found["resourceCharacteristic"]:
            raise ValueError(f"item {sent['id']!r} is completed, and its resource has no resourceCharacteristic")


def _task(document: Document, own: Mapping[str, str]) -> Document | None:
    state = document.get("state")
    if state not in set(TaskState):
        return None
    said = document.get("errorMessage")
    error = said[0] if isinstance(said, list) and said else said
    reason = reason_in(error, 0) if isinstance(error, Mapping) else ""
    return {**own, "state": state, "errorMessage": {"reason": reason or "the other layer does not cancel it"}}


def _monitor(document: Document, own: Mapping[str, str]) -> Document | None:
    state = _MONITORS.get(str(document.get("state", "")).lower())
    if state is None:
        return None
    more: dict[str, Any] = {}
    if state == "InError":
        errors = _objects(document.get("errorMessage")) or [{"reason": _response_reason(document)}]
        more["errorMessage"] = [
            {"code": "activation", **each, "reason": _text(each.get("reason")) or reason_in(each, 0)} for each in errors
        ]
    for name, needed in (("review", _REVIEW), ("rollback", _ROLLBACK)):
        found = document.get(name)
        if isinstance(found, Mapping) and all(each in found for each in needed):
            more[name] = found
    return {**own, "state": state, **more}


def _response_reason(document: Document) -> str:
    response = document.get("response")
    said = response if isinstance(response, Mapping) else {}
    return _text(said.get("body")) or f"HTTP {said.get('statusCode', 'error')}"


def _state(value: object) -> OrderState | None:
    return OrderState(value) if isinstance(value, str) and value in set(OrderState) else None


def _objects(value: object) -> Sequence[Document]:
    entries: Iterable[object] = value if isinstance(value, list) else [value]
    return [each for each in entries if isinstance(each, Mapping)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
