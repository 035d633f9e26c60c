"""A service order system that is not lastmile: the least of TMF641 that is needed, and bad habits where a test asks."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import httpx

BASE: Final = "/tmf-api/serviceOrdering/v4"


@dataclass(slots=True)
class StandIn:
    """Keeps service orders, and moves them when a test says so.

    Attributes:
        answers: statuses that the next POSTs of orders get; "lost" stores the order and hangs up.
        hub_status: what ``POST hub`` answers.
    """

    url: str = ""
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancels: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answers: list[int | str] = field(default_factory=list)
    hub_status: int = 201
    posts: int = 0

    def by_name(self, external_id: str) -> list[dict[str, Any]]:
        return [order for order in self.orders.values() if order["externalId"] == external_id]

    def move(self, external_id: str, state: str, at: str, **more: Any) -> int:
        """Move an order and tell of it; return what the listener answered."""
        (order,) = self.by_name(external_id)
        order |= {"state": state, **more}
        for item in order["serviceOrderItem"]:
            item["service"]["id"] = f"svc-{item['id']}"
        return self.tell(order, at)

    def tell(self, order: Mapping[str, Any], at: str) -> int:
        event = {"eventId": at, "eventTime": at, "eventType": "ServiceOrderStateChangeEvent"}
        body = {**event, "event": {"serviceOrder": order}}
        url = f"{self.callbacks[-1]}/listener/serviceOrderStateChangeEvent"
        return httpx.post(url, json=body, trust_env=False).status_code


class Server(ThreadingHTTPServer):
    """The stand-in's socket."""

    system: StandIn


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith(f"{BASE}/hub"):
            if self.server.system.hub_status == 201:
                self.server.system.callbacks.append(body["callback"])
            self._answer(self.server.system.hub_status, {"id": "hub-1", **body})
        elif self.path == f"{BASE}/cancelServiceOrder":
            self.server.system.cancels.append(body)
            self._answer(201, {"id": f"c-{len(self.server.system.cancels)}", "state": "accepted", **body})
        elif self.path == f"{BASE}/serviceOrder":
            self._order(body)
        else:
            self._answer(404, {"reason": "nothing here"})

    def do_GET(self) -> None:
        key = self.path.rpartition("/")[2]
        if "?externalId=" in self.path:
            self._answer(200, self.server.system.by_name(self.path.rpartition("=")[2]))
        elif key in self.server.system.orders:
            self._answer(200, self.server.system.orders[key])
        else:
            self._answer(404, {"reason": "nothing here"})

    def _order(self, body: dict[str, Any]) -> None:
        self.server.system.posts += 1
        self.server.system.headers.append(dict(self.headers))
        answer = self.server.system.answers.pop(0) if self.server.system.answers else 201
        if answer not in {201, "lost"}:
            self._answer(int(answer), {"reason": "the stand-in does not want it"})
            return
        order = {**body, "id": f"so-{len(self.server.system.orders) + 1}", "state": "acknowledged"}
        self.server.system.orders[order["id"]] = order
        if answer == 201:
            self._answer(201, order)
        else:
            self.close_connection = True

    def _answer(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        """Say nothing."""


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Serve the stand-in on a free port."""
    system = StandIn()
    server = Server(("127.0.0.1", 0), Handler)
    server.system = system
    system.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield system
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
