"""The hub over HTTP: ``{api}/hub`` of every TMF API, and the dead letters."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.http.collections import Body
from api.http.list_query import list_request
from api.http.listing import listed, paged
from api.http.once import Idempotent
from api.hub.hub import Hub
from api.hub.store import Subscription, letter_document
from api.hub.topics import TOPICS, Topic
from api.paths import DEAD_LETTERS

_SUBSCRIPTION: Final = frozenset({"id", "callback", "query"})
_LETTER: Final = frozenset(
    {"id", "hub", "callback", "eventId", "eventType", "resourceId", "attempts", "reason", "deadSince"}
)


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

    def read_all(request: Request) -> Response:
        return listed(request, [_wire(each) for each in hub.subscriptions(topic.base)], _SUBSCRIPTION)

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
    def read_page(request: Request) -> Response:
        wanted = list_request(request, _LETTER)
        found, total = hub.dead_letters(wanted.query)
        return paged(wanted, [letter_document(each) for each in found], total)

    def replay(key: str) -> dict[str, Any]:
        return letter_document(hub.replay(key))

    router.add_api_route(DEAD_LETTERS, read_page, methods=["GET"])
    router.add_api_route(f"{DEAD_LETTERS}/{{key}}/replay", replay, methods=["POST"], status_code=202)


def _wire(subscription: Subscription) -> dict[str, str]:
    return {"id": subscription.subscription_id, "callback": subscription.callback, "query": subscription.query}
