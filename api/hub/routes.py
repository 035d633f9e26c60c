"""The hub over HTTP: ``{api}/hub`` of every TMF API, and the dead letters."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.http.collections import Body
from api.http.list_query import page_request
from api.http.once import Idempotent
from api.hub.hub import Hub
from api.hub.store import DeadLetter, Subscription
from api.hub.topics import TOPICS, Topic

DEAD_LETTERS = "/lastmile/v1/deadLetter"


def add_hubs(router: APIRouter, hub: Hub, is_served: Callable[[str], bool]) -> None:
    """Add the hubs of the APIs that are served here, and the dead letters."""
    for topic in TOPICS.values():
        if is_served(topic.base):
            _add_hub(router, hub, topic)
    _add_dead_letters(router, hub)


def _add_hub(router: APIRouter, hub: Hub, topic: Topic) -> None:
    def subscribe(body: Body, once: Idempotent) -> Response:
        subscription = hub.subscribe(topic.base, body, once=once)
        location = f"{topic.path}/{subscription.subscription_id}"
        return JSONResponse(_wire(subscription), 201, {"Location": location})

    def unsubscribe(key: str) -> Response:
        hub.unsubscribe(topic.base, key)
        return Response(status_code=204)

    def read_all(response: Response) -> list[dict[str, str]]:
        found = [_wire(subscription) for subscription in hub.subscriptions(topic.base)]
        response.headers["X-Total-Count"] = response.headers["X-Result-Count"] = str(len(found))
        return found

    def read_one(key: str) -> dict[str, str]:
        return _wire(hub.subscription(topic.base, key))

    for slash in ("", "/"):
        shown = not slash
        one = f"{topic.path}/{{key}}{slash}"
        router.add_api_route(topic.path + slash, subscribe, methods=["POST"], status_code=201, include_in_schema=shown)
        router.add_api_route(topic.path + slash, read_all, methods=["GET"], include_in_schema=shown)
        router.add_api_route(one, unsubscribe, methods=["DELETE"], status_code=204, include_in_schema=shown)
        router.add_api_route(one, read_one, methods=["GET"], include_in_schema=shown)


def _add_dead_letters(router: APIRouter, hub: Hub) -> None:
    def read_page(request: Request, response: Response) -> list[dict[str, Any]]:
        offset, limit = page_request(request)
        found, total = hub.dead_letters(offset=offset, limit=limit)
        response.headers["X-Total-Count"] = str(total)
        response.headers["X-Result-Count"] = str(len(found))
        return [_letter(each) for each in found]

    def replay(key: str) -> dict[str, Any]:
        return _letter(hub.replay(key))

    router.add_api_route(DEAD_LETTERS, read_page, methods=["GET"])
    router.add_api_route(f"{DEAD_LETTERS}/{{key}}/replay", replay, methods=["POST"], status_code=202)


def _wire(subscription: Subscription) -> dict[str, str]:
    return {"id": subscription.subscription_id, "callback": subscription.callback, "query": subscription.query}


def _letter(dead: DeadLetter) -> dict[str, Any]:
    letter = dead.letter
    return {
        "id": letter.letter_id,
        "hub": letter.subscription_id,
        "callback": dead.callback,
        "eventId": letter.event_id,
        "eventType": dead.event_type,
        "resourceId": letter.resource_id,
        "attempts": letter.failures,
        "reason": letter.reason,
        "deadSince": _time(letter.dead_at or letter.failed_at),
    }


def _time(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
