"""Routes of service tests."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from api.paths import SERVICE_TESTS
from api.system import System


def add_service_tests(router: APIRouter, system: System) -> None:
    """Add the test of one service."""

    def test(key: str) -> Mapping[str, Any]:
        return system.services.test(key)

    router.add_api_route(SERVICE_TESTS + "/{key}", test, methods=["POST"])
