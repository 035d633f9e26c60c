"""Route of what a failed rollback left claimed."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from activation.claim_release import release
from api.paths import SERVICE_CLAIMS
from api.system import System

MOST_CHARACTERS: Final = 1000


def add_service_claims(router: APIRouter, system: System) -> None:
    """Add the release of what a service that is not there has for itself."""

    def release_all(
        key: str, request: Request, comment: Annotated[str, Query(max_length=MOST_CHARACTERS)] = ""
    ) -> Mapping[str, Any]:
        actor = request.state.actor.name
        held = system.database.run(lambda uow: release(uow, key, comment=comment), actor=actor)
        return {"service": key, "released": list(held)}

    router.add_api_route(SERVICE_CLAIMS + "/{key}/release", release_all, methods=["POST"])
