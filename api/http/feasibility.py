"""TMF645 service qualification: what could be delivered where. The answer is not kept, and nothing is reserved."""

from typing import Any, Final

from fastapi import APIRouter

from api.far.model import Layer
from api.http.collections import Body
from api.paths import CHECKS
from api.system import System

_DECIDING: Final = frozenset({Layer.SOM, Layer.ROM, Layer.ACTIVATION})


def add_feasibility(router: APIRouter, system: System) -> None:
    """Add the check where all that decide about it are in this process."""
    if not system.side.here >= _DECIDING:
        return

    def check(body: Body) -> dict[str, Any]:
        return system.feasibility.check(body)

    for slash in ("", "/"):
        router.add_api_route(CHECKS + slash, check, methods=["POST"], status_code=201, include_in_schema=not slash)
