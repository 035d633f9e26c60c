"""A TMF652 and a TMF640 system that are not lastmile: they know the official files, and nothing of who asks them."""

import itertools
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import httpx
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from api.http.server import bind, serving
from tests.orders.schema import faults

RESOURCE_ORDERS: Final = "/tmf-api/resourceOrderingManagement/v4"
ACTIVATION: Final = "/tmf-api/ServiceActivationAndConfiguration/v4"
VALUES: Final[Mapping[str, Mapping[str, Any]]] = {
    "gpon-port": {"olt": "olt-x", "ponPort": "1/1/1", "channelPartition": "cp", "channelPair": "cq", "onuId": 7},
    "vlan": {"vlanId": 77, "switch": "sw-x", "accessInterface": "e1", "uplinkInterface": "e2"},
    "ip-address": {"address": "192.0.2.7", "prefixLength": 24, "gateway": "192.0.2.1", "router": "r-x"},
}
"""What each kind of resource is like there."""
MORE: Final[Mapping[str, Mapping[str, Any]]] = {
    "gpon-port": {"uplinkInterface": "uplink1"},
    "ip-address": {"routerInterface": "eth1"},
}
Manner = Literal["at once", "monitor"]
Names = Literal["ours", "its own"]


@dataclass(slots=True, kw_only=True)
class Foreigner:
    """What both have: a hub, and a memory.

    Attributes:
        shared: the official files.
        hubs: where events go.
        wrong: what of the requests is against the official files.
    """

    shared: Path
    url: str = ""
    hubs: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    guard: threading.Lock = field(default_factory=threading.Lock)

    def look(self, file: str, definition: str, body: object) -> None:
        self.wrong += faults(self.shared, file, definition, body)

    def tell(self, event_type: str, name: str, document: Mapping[str, Any]) -> None:
        """Send an event to who subscribed."""
        now = datetime.now(UTC).isoformat()
        event = {"eventId": f"e-{next(self.number)}", "eventTime": now, "eventType": event_type}
        text = json.dumps({**event, "event": {name: document}})
        for hub in list(self.hubs):
            listener = f"{hub}/listener/{event_type[0].lower()}{event_type[1:]}"
            httpx.post(listener, content=text, headers={"Content-Type": "application/json"}, trust_env=False)

    def add_hub(self, app: FastAPI, base: str) -> None:
        async def subscribe(request: Request) -> Response:
            body = await request.json()
            if set(body) - {"callback", "query"}:
                self.wrong.append(f"hub: {sorted(body)}")
            self.hubs.append(body["callback"])
            return JSONResponse({"id": f"h-{len(self.hubs)}", **body}, 201)

        app.add_api_route(f"{base}/hub", subscribe, methods=["POST"])


@dataclass(slots=True, kw_only=True)
class ForeignResources(Foreigner):
    """Reserves what a resource order asks for, a moment after it answered.

    Attributes:
        held: resources by id.
        full: whether nothing is left there.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    full: bool = False

    def app(self) -> FastAPI:
        app = FastAPI()

        async def post(request: Request) -> Response:
            body = await request.json()
            self.look("TMF652-v4.0.0.json", "ResourceOrder_Create", body)
            key = f"ro-{next(self.number)}"
            self.orders[key] = {**body, "id": key, "href": f"{RESOURCE_ORDERS}/resourceOrder/{key}"}
            self.orders[key] |= {"state": "acknowledged"}
            answer = JSONResponse(self.orders[key], 201, {"Location": self.orders[key]["href"]})
            threading.Thread(target=self.work, args=(key,)).start()
            return answer

        async def get(key: str) -> Response:
            return JSONResponse(self.orders[key]) if key in self.orders else JSONResponse({"code": "404"}, 404)

        async def every(request: Request) -> Response:
            wanted = request.query_params.get("externalId")
            return JSONResponse([each for each in self.orders.values() if each.get("externalId") == wanted])

        app.add_api_route(f"{RESOURCE_ORDERS}/resourceOrder", post, methods=["POST"])
        app.add_api_route(f"{RESOURCE_ORDERS}/resourceOrder", every, methods=["GET"])
        app.add_api_route(f"{RESOURCE_ORDERS}/resourceOrder/{{key}}", get, methods=["GET"])
        self.add_hub(app, RESOURCE_ORDERS)
        return app

    def work(self, key: str) -> None:
        """Take the order to its end, and tell of each state."""
        order = self.orders[key]
        for state in ("inProgress", "failed" if self.full and self._takes(order) else "completed"):
            items = [self._item(item, state) for item in order["orderItem"]]
            order |= {"state": state, "orderItem": items}
            if state == "failed":
                order["note"] = [{"text": "no port is left", "@type": "Note"}]
            self.tell("ResourceOrderStateChangeEvent", "resourceOrder", order)

    def _takes(self, order: Mapping[str, Any]) -> bool:
        return any(item["action"] == "add" for item in order["orderItem"])

    def _item(self, item: Mapping[str, Any], state: str) -> dict[str, Any]:
        if state != "completed":
            return {**item, "state": state}
        if item["action"] == "delete":
            self.held.pop(item["resource"]["id"], None)
            return {**item, "state": state}
        specification = item["resource"]["resourceSpecification"]["id"]
        key = f"res-{next(self.number)}"
        self.held[key] = specification
        values = {**VALUES[specification], **MORE.get(specification, {})}
        listed = [{"name": name, "value": value} for name, value in values.items()]
        return {**item, "state": state, "resource": {**item["resource"], "id": key, "resourceCharacteristic": listed}}


@dataclass(slots=True, kw_only=True)
class ForeignActivation(Foreigner):
    """Keeps services, and says what came of each request at once, or by a monitor.

    Attributes:
        manner: how it says what came of a request.
        names: whose ids services have there.
        refuses: what it says of every request instead; empty: it does what it is asked.
    """

    manner: Manner
    names: Names
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    monitors: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuses: str = ""

    def app(self) -> FastAPI:
        app = FastAPI()

        async def post(request: Request) -> Response:
            body = await request.json()
            self.look("TMF640-v4.0.0.json", "Service_Create", body)
            key = f"svc-{next(self.number)}" if self.names == "its own" else str(body["id"])
            return self._done(request, key, body, 201)

        async def patch(request: Request, key: str) -> Response:
            body = await request.json()
            self.look("TMF640-v4.0.0.json", "Service_Update", body)
            if key not in self.services:
                return JSONResponse({"code": "404", "reason": "no such service"}, 404)
            return self._done(request, key, {**self.services[key], **body}, 200)

        async def delete(request: Request, key: str) -> Response:
            if key not in self.services:
                return JSONResponse({"code": "404", "reason": "no such service"}, 404)
            return self._done(request, key, None, 204)

        async def monitor(key: str) -> Response:
            return JSONResponse(self.monitors[key]) if key in self.monitors else JSONResponse({"code": "404"}, 404)

        app.add_api_route(f"{ACTIVATION}/service", post, methods=["POST"])
        app.add_api_route(f"{ACTIVATION}/service/{{key}}", patch, methods=["PATCH"])
        app.add_api_route(f"{ACTIVATION}/service/{{key}}", delete, methods=["DELETE"])
        app.add_api_route(f"{ACTIVATION}/monitor/{{key}}", monitor, methods=["GET"])
        self.add_hub(app, ACTIVATION)
        return app

    def _done(self, request: Request, key: str, service: dict[str, Any] | None, status: int) -> Response:
        if self.manner == "at once":
            if self.refuses:
                return JSONResponse({"code": "409", "reason": self.refuses}, 409)
            self._keep(key, service)
            href = f"{ACTIVATION}/service/{key}"
            body = {**(service or {}), "id": key, "href": href}
            return Response(status_code=204) if service is None else JSONResponse(body, status, {"Location": href})
        found = {"id": f"m-{next(self.number)}", "state": "InProgress", "sourceHref": f"{ACTIVATION}/service/{key}"}
        said = {"body": "", "header": []}
        found |= {"href": f"{ACTIVATION}/monitor/{found['id']}", "@type": "Monitor"}
        self.monitors[found["id"]] = {**found, "request": {**said, "method": request.method, "to": str(request.url)}}
        answer = JSONResponse(self.monitors[found["id"]], 202, {"Location": found["href"]})
        threading.Thread(target=self.work, args=(found["id"], key, service)).start()
        return answer

    def work(self, monitor_id: str, key: str, service: dict[str, Any] | None) -> None:
        """Do what was asked, and tell of it."""
        monitor = self.monitors[monitor_id]
        state = "InError" if self.refuses else "Completed"
        response: dict[str, Any] = {"statusCode": "409" if self.refuses else "200", "body": self.refuses, "header": []}
        if not self.refuses:
            self._keep(key, service)
        monitor |= {"state": state, "response": response}
        self.tell("MonitorStateChangeEvent", "monitor", monitor)

    def _keep(self, key: str, service: dict[str, Any] | None) -> None:
        if service is None:
            self.services.pop(key, None)
        else:
            self.services[key] = service


@contextmanager
def foreign(system: ForeignResources | ForeignActivation) -> Iterator[None]:
    """Serve a foreign system on a free port of loopback while the block runs."""
    with serving(system.app(), bind("127.0.0.1", 0)) as url:
        system.url = url
        yield
        for thread in threading.enumerate():
            if getattr(thread, "_target", None) == system.work:
                thread.join(10.0)
