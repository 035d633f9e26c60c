"""Dry run: what an order or a service would do that does not exist."""

from typing import Any

from fastapi import APIRouter

from api.http.collections import Body
from api.paths import PLAN
from api.system import System


def add_plans(router: APIRouter, system: System) -> None:
    """Add ``POST`` of an order or a service that is only asked about."""

    def post(body: Body) -> dict[str, Any]:
        return dict(system.what_if(body))

    router.add_api_route(PLAN, post, methods=["POST"])
