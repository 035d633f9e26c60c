"""A customer's system: a real HTTP server that keeps what it was sent and answers as it is told."""

import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

DEADLINE_S = 20.0
LOOK_EVERY_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Answering = Callable[[Received], int]


@dataclass(slots=True, kw_only=True)
class Subscriber:
    """Answers 201 unless ``answer`` says otherwise; every request is kept in the order of its arrival.

    ``hold`` makes it wait before each answer until it is cleared again.
    """

    url: str
    answer: Answering = lambda _: 201
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes = b"{}"
    hold: threading.Event = field(default_factory=threading.Event)
    tried: list[Received] = field(default_factory=list)
    accepted: list[Received] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def event_ids(self) -> list[str]:
        return [each.body["eventId"] for each in self.accepted]

    def wait(self, *, accepted: int = 0, tried: int = 0) -> None:
        until(lambda: len(self.accepted) >= accepted and len(self.tried) >= tried)


def until(done: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(LOOK_EVERY_S)


@contextmanager
def subscribed_system(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Subscriber]:
    """Run a subscriber on 127.0.0.1."""
    release = threading.Event()

    class Listener(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            received = Received(path=self.path, headers=dict(self.headers), body=json.loads(raw))
            with subscriber.guard:
                subscriber.tried.append(received)
            while subscriber.hold.is_set() and not release.wait(LOOK_EVERY_S):
                pass
            status = subscriber.answer(received)
            if status in range(200, 300):
                with subscriber.guard:
                    subscriber.accepted.append(received)
            self.send_response(status)
            for name, value in subscriber.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(subscriber.text)))
            self.end_headers()
            self.wfile.write(subscriber.text)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A caller who hangs up early is what some tests are about."""

    with Server(("127.0.0.1", port), Listener) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        subscriber = Subscriber(url=f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield subscriber
        release.set()
        server.shutdown()
        thread.join()
