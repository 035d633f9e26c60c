"""Routes of devices: how each behaves, its running configuration, and what lets it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from activation.device_board import Shown
from api.http.listing import listed
from api.paths import DEVICES
from api.system import System

ATTRIBUTES: Final = frozenset(
    [
        "name",
        "platform",
        "role",
        "address",
        "port",
        "state",
        "sessions",
        "failures",
        "quarantinedUntil",
        "lastError",
        "lastErrorAt",
        "hostKey",
        "refusedHostKey",
    ]
)


def add_devices(router: APIRouter, system: System) -> None:
    """Add the list, one device, its configuration, its release from quarantine and the trust in a new host key."""
    board = system.device_board

    def read_all(request: Request) -> Response:
        return listed(request, [document(each) for each in board.all()], ATTRIBUTES)

    def read_one(name: str) -> Mapping[str, Any]:
        return document(board.one(name))

    def read_configuration(name: str) -> Response:
        return Response(system.running_configuration(name), media_type="text/plain; charset=utf-8")

    def release(name: str) -> Mapping[str, Any]:
        return document(board.release(name))

    def trust(name: str, fingerprint: Annotated[str, Query()] = "") -> Mapping[str, Any]:
        return document(board.trust(name, fingerprint))

    router.add_api_route(DEVICES, read_all, methods=["GET"])
    router.add_api_route(DEVICES + "/{name}", read_one, methods=["GET"])
    router.add_api_route(DEVICES + "/{name}/configuration", read_configuration, methods=["GET"])
    router.add_api_route(DEVICES + "/{name}/release", release, methods=["POST"])
    router.add_api_route(DEVICES + "/{name}/trust", trust, methods=["POST"])


def document(shown: Shown) -> Mapping[str, Any]:
    """Return one device as JSON; the password and where it stands are not in it."""
    device, state = shown.device, shown.state
    return {
        "name": device.name,
        "platform": device.platform,
        "role": device.role,
        "address": device.address,
        "port": device.port,
        "state": shown.condition,
        "sessions": {"open": shown.open_sessions, "idle": shown.idle_sessions, "most": device.max_sessions},
        "failures": state.failures,
        "quarantinedUntil": _moment(state.quarantined_until),
        "lastError": state.last_error or None,
        "lastErrorAt": _moment(state.last_error_at),
        "hostKey": device.host_key or state.host_key or None,
        "refusedHostKey": state.offered_key or None,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at is not None else None
