"""Routes of drift: devices against what their services want of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from activation.drift_report import drift_document
from activation.drift_store import DRIFTS
from activation.paths import DRIFT_BASE
from api.http.listing import listed
from api.paths import LAST_DRIFT, SERVING
from api.system import System

ATTRIBUTES: Final = frozenset({"device", "state", "checkedAt", "reason", "deviations"})


def add_drift(router: APIRouter, system: System) -> None:
    """Add the check of some devices or all, and the finding of a device's last check."""

    def check(
        device: Annotated[list[str] | None, Query()] = None, *, whole: Annotated[bool, Query()] = False
    ) -> list[Mapping[str, Any]]:
        found = list(system.drift.check(device or (), whole=whole))
        with system.database.read() as connection:
            owners = system.owners.of(connection, {root for each in found for root in each.roots.values()})
        return [drift_document(each, owners) for each in found]

    def last_checks(request: Request) -> Response:
        return listed(request, system.drift.last(), ATTRIBUTES)

    def last(device: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            return DRIFTS.get(connection, device).document

    router.add_api_route(LAST_DRIFT, last_checks, methods=["GET"])
    router.add_api_route(SERVING, system.drift.carrying, methods=["GET"])
    router.add_api_route(DRIFT_BASE, check, methods=["GET"])
    router.add_api_route(DRIFT_BASE + "/{device}", last, methods=["GET"])
