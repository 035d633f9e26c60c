"""Routes of what people ask of an order under way: ``POST /lastmile/v1/{kind}/{id}/{action}``."""

from typing import Final

from fastapi import APIRouter, Response

from api.errors import BadRequest
from api.http.collections import Body, answered, tag_of
from api.http.once import Idempotent
from api.http.requests import Acting
from api.system import Intervene, System
from inventory.store import DocumentStore
from orders.interventions import ACTIONS, read_intervention

BASE: Final = "/lastmile/v1"


def add_interventions(router: APIRouter, system: System) -> None:
    """Add the route of each kind of order that people can intervene in: 200 with the order as it is then."""
    for kind, (store, intervene) in system.interventions.items():
        _add(router, system, kind, store, intervene)


def _add(router: APIRouter, system: System, kind: str, store: DocumentStore, intervene: Intervene) -> None:
    def post(key: str, action: str, body: Body, actor: Acting, once: Idempotent) -> Response:
        if action not in ACTIONS:
            raise BadRequest(f"{action!r} cannot be asked of an order; legal: {', '.join(ACTIONS)}")
        wish = read_intervention(action, body, by=actor.name)
        with system.database.begin(actor=actor.name) as uow:

            def work() -> str:
                return str(intervene(uow, key, wish)["id"])

            row = store.get(uow, once(uow, body, work))
            return answered(row.document, tag=tag_of(row.version))

    router.add_api_route(f"{BASE}/{kind}/{{key}}/{{action}}", post, methods=["POST"])
