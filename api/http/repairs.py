"""Routes of repairs: re-apply, adopt, redeploy, roll back."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from activation.paths import REPAIR_BASE
from api.http.collections import Body, created
from api.http.once import Idempotent
from api.http.requests import Acting
from api.system import System


def add_repairs(router: APIRouter, system: System) -> None:
    """Add the dry run (200 with the plan) and the request itself (202 with its monitor)."""

    def rehearse(body: Body) -> Mapping[str, Any]:
        return system.repairs.dry_run(body)

    def take(body: Body, actor: Acting, once: Idempotent) -> Response:
        return created(system.repairs.take(body, actor=actor.name, once=once), 202)

    router.add_api_route(REPAIR_BASE + "/dryRun", rehearse, methods=["POST"])
    router.add_api_route(REPAIR_BASE, take, methods=["POST"], status_code=202)
