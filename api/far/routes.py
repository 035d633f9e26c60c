"""Where other layers deliver their events; the address itself is the secret, for hubs send no token."""

from fastapi import APIRouter, Response

from api.far import store
from api.far.catching_up import LISTENERS
from api.far.hearing import hear, told
from api.http.collections import Body
from api.runtime.database import Database
from inventory.errors import UnknownResource


def add_listeners(router: APIRouter, database: Database) -> None:
    """Add ``POST`` of an event; 204 for every event that can be read, wanted or not."""

    def listen(secret: str, event_type: str, body: Body) -> Response:
        found = told(event_type, body)
        with database.begin() as uow:
            if (layer := store.neighbour_of(uow.connection, secret)) is None:
                raise UnknownResource("listener", "of this address")
            if found is not None:
                request = store.find(
                    uow.connection,
                    found.kind,
                    external_id=str(found.document.get("externalId") or ""),
                    remote_id=str(found.document.get("id") or ""),
                )
                # Orders of other channels are none of ours.
                if request is not None and request.layer is layer.layer:
                    hear(uow, request, found.document, at=found.at, change=found.change)
        return Response(status_code=204)

    path = f"{LISTENERS}/{{secret}}/listener/{{event_type}}"
    for slash in ("", "/"):
        router.add_api_route(path + slash, listen, methods=["POST"], status_code=204, include_in_schema=not slash)
