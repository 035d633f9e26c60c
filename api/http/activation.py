"""TMF640 over HTTP: services are created, changed and ended; a client waits for the device, or gets the monitor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from activation.service_activation import BASE, Asker
from activation.states import MonitorState
from activation.store import MONITORS, SERVICES
from api.activation_face import Accepted, ActivationFace
from api.activation_patch import named_changes
from api.errors import BadRequest
from api.http.collections import tag_of
from api.http.layer_calls import FromLayer, LayerCall, on_behalf
from api.http.once import Idempotent, Once
from api.http.patches import Matching, Patch, Patched, refuse_others
from api.http.prefer import Preference, preference
from api.http.problems import body as problem
from api.http.requests import JSON, Acting, json_object
from api.monitor_watch import MonitorWatch
from api.runtime.database import Database
from inventory.documents import Document, json_text
from inventory.ledger import UnitOfWork
from inventory.store import Row

MONITOR: Final = f"{BASE}/monitor"
CANCEL: Final = "/lastmile/v1/monitor"
BY_HAND: Final = "/lastmile/v1/byHand"
"""TMF640 has no way to take a request back."""
Work = Callable[[UnitOfWork], Accepted]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationDesk:
    """What the routes need.

    Attributes:
        patience_s: how long a client waits that does not say how long it waits.
    """

    face: ActivationFace
    watch: MonitorWatch
    database: Database
    patience_s: float

    async def served(self, request: Request, author: str, work: Work, done: HTTPStatus) -> Response:
        """Take in what ``author`` asks, by ``work``, and answer: ``done`` with the result, an error, or the monitor."""
        preferred = preference(", ".join(request.headers.getlist("prefer")))
        accepted = await run_in_threadpool(self._accept, author, work)
        patience_s = 0.0 if accepted.is_asynchronous else preferred.patience_s(self.patience_s)
        monitor = await self.watch.ended(accepted.monitor_id, patience_s) if patience_s > 0 else None
        if monitor is None or monitor.state == MonitorState.IN_PROGRESS:
            monitor = await run_in_threadpool(self._monitor, accepted.monitor_id)
            return _answer(monitor, preferred, _pending(monitor), with_monitor=True)
        if monitor.state == MonitorState.COMPLETED:
            answer = _completed(monitor, done)
            if tag := await run_in_threadpool(self._tag, monitor, answer.body):
                answer.headers["ETag"] = tag
            return _answer(monitor, preferred, answer)
        return _answer(monitor, preferred, _failed(monitor))

    def _accept(self, author: str, work: Work) -> Accepted:
        with self.database.begin(actor=author) as uow:
            return work(uow)

    def _tag(self, monitor: Row, body: object) -> str:
        """Return the service's entity tag; none where the service is another by now than the answer says."""
        if not body:
            return ""
        with self.database.read() as connection:
            row = SERVICES.find(connection, str(monitor.document["sourceHref"]).rpartition("/")[2])
        return tag_of(row.version) if row is not None and json_text(row.document).encode() == body else ""

    def _monitor(self, monitor_id: str) -> Row:
        with self.database.read() as connection:
            return MONITORS.get(connection, monitor_id)


Body = Annotated[dict[str, Any], Depends(json_object)]


def add_activation(router: APIRouter, desk: ActivationDesk) -> None:
    """Add POST of TMF640 services, and PATCH and DELETE of one; reading them is as of any collection."""
    face = desk.face

    async def post(request: Request, actor: Acting, once: Idempotent, call: FromLayer, body: Body) -> Response:
        def create(uow: UnitOfWork) -> Accepted:
            return face.create(uow, body) if call is None else face.create_above(uow, body, _above(call))

        return await desk.served(request, on_behalf(actor, call), _once(once, body, create), HTTPStatus.CREATED)

    async def patch(  # noqa: PLR0913, PLR0917 - one parameter per part of the request
        request: Request, actor: Acting, once: Idempotent, matching: Matching, call: FromLayer, key: str, body: Patched
    ) -> Response:
        def change(uow: UnitOfWork) -> Accepted:
            if call is not None:
                return face.change_above(uow, key, body.merge or {}, _above(call))
            _refuse_others(uow, key, matching)
            return face.change(uow, key, _changes(uow, face, key, body))

        return await desk.served(request, on_behalf(actor, call), _once(once, body.sent, change), HTTPStatus.OK)

    async def remove(
        request: Request, actor: Acting, once: Idempotent, matching: Matching, call: FromLayer, key: str
    ) -> Response:
        def terminate(uow: UnitOfWork) -> Accepted:
            if call is not None:
                return face.terminate_above(uow, key, _above(call))
            _refuse_others(uow, key, matching)
            return face.terminate(uow, key)

        return await desk.served(request, on_behalf(actor, call), _once(once, {}, terminate), HTTPStatus.NO_CONTENT)

    one = f"{BASE}/service/{{key}}"
    for slash in ("", "/"):
        shown = not slash
        router.add_api_route(f"{BASE}/service{slash}", post, methods=["POST"], status_code=201, include_in_schema=shown)
        router.add_api_route(one + slash, patch, methods=["PATCH"], include_in_schema=shown)
        router.add_api_route(one + slash, remove, methods=["DELETE"], status_code=204, include_in_schema=shown)
    _add_cancel(router, desk)
    _add_by_hand(router, desk)


def _add_cancel(router: APIRouter, desk: ActivationDesk) -> None:
    def cancel(actor: Acting, call: FromLayer, key: str, body: Body) -> Response:
        reason = str(body.get("reason") or "cancelled")
        with desk.database.begin(actor=on_behalf(actor, call)) as uow:
            document = desk.face.cancel(uow, key, reason, is_layer=call is not None)
        return Response(json_text(document), HTTPStatus.ACCEPTED, media_type=JSON)

    router.add_api_route(f"{CANCEL}/{{key}}/cancel", cancel, methods=["POST"], status_code=202)


def _add_by_hand(router: APIRouter, desk: ActivationDesk) -> None:
    def declare(call: FromLayer, body: Body) -> Response:
        if call is None:
            raise BadRequest("only an order layer says what was done by hand; legal: skip on the order")
        service_id, service = body.get("serviceId"), body.get("service")
        if not isinstance(service_id, str) or not isinstance(service, dict | None):
            raise BadRequest("legal: serviceId, a string, and service, a TMF640 service or null")
        with desk.database.begin(actor=call.author) as uow:
            chain = call.correlation_id
            key = desk.face.core.declare(uow, service_id, service, external_id=call.name, correlation_id=chain)
            document = MONITORS.get(uow, key).document
        return Response(json_text(document), HTTPStatus.ACCEPTED, media_type=JSON)

    router.add_api_route(BY_HAND, declare, methods=["POST"], status_code=202)


def _changes(uow: UnitOfWork, face: ActivationFace, key: str, patch: Patch) -> Document:
    if patch.merge is not None:
        return patch.merge
    before = face.expected(uow, key)
    return named_changes(before, patch.changes(before))


def _refuse_others(uow: UnitOfWork, key: str, matching: frozenset[str]) -> None:
    if matching:
        refuse_others(matching, tag_of(SERVICES.get(uow, key).version))


def _once(once: Once, body: object, work: Work) -> Work:
    def run(uow: UnitOfWork) -> Accepted:
        taken: list[Accepted] = []

        def take() -> str:
            taken.append(work(uow))
            return f"{MONITOR}/{taken[0].monitor_id}"

        where = once(uow, body, take)
        return taken[0] if taken else Accepted(monitor_id=where.rpartition("/")[2])

    return run


def _above(call: LayerCall) -> Asker:
    return Asker(external_id=call.name, correlation_id=call.correlation_id)


def _answer(monitor: Row, preferred: Preference, answer: Response, *, with_monitor: bool = False) -> Response:
    answer.headers["Link"] = f'<{monitor.document["href"]}>; rel="monitor"'
    if applied := preferred.applied(with_monitor=with_monitor):
        answer.headers["Preference-Applied"] = applied
    return answer


def _pending(monitor: Row) -> Response:
    headers = {"Location": str(monitor.document["href"])}
    return Response(json_text(monitor.document), HTTPStatus.ACCEPTED, headers, JSON)


def _completed(monitor: Row, done: HTTPStatus) -> Response:
    document = monitor.document
    if done is HTTPStatus.NO_CONTENT or not document["response"]["body"]:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    headers = {"Location": str(document["sourceHref"])} if done is HTTPStatus.CREATED else {}
    return Response(document["response"]["body"], done, headers, JSON)


def _failed(monitor: Row) -> Response:
    response, errors = monitor.document["response"], monitor.document.get("errorMessage", ())
    status = int(response["statusCode"])
    said: Mapping[str, str] = errors[0] if errors else {"code": "activation", "reason": "the activation failed"}
    message = "; ".join(each["message"] for each in errors) or said["reason"]
    more = {"code": said["code"], "referenceError": str(monitor.document["href"])}
    return JSONResponse(problem(status, message, said["reason"]) | more, status)
