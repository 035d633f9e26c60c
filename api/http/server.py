"""The HTTP server: uvicorn, in the foreground or in a thread of this process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from api.errors import StartRefused

_START_TIMEOUT_S = 10.0
_LOOK_EVERY_S = 0.005


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 means any free one.

    Raises:
        StartRefused: the port is taken or not ours; says which and how to choose another.
    """
    # The protocol by name: asyncio sets TCP_NODELAY only on sockets that say TCP, and without it every answer that
    # leaves in two pieces waits 40 ms for the client's delayed acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise StartRefused(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port") from error
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    host, port = listening.getsockname()
    return f"http://{host}:{port}"


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    _server(app).run(sockets=[listening])


@contextmanager
def serving(app: FastAPI, listening: socket.socket) -> Iterator[str]:
    """Serve in a thread while the block runs; yield the base URL.

    Raises:
        StartRefused: the server did not come up.
    """
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http", daemon=True)
    thread.start()
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline_s:
            raise StartRefused("the HTTP server did not start; its log says why")
        time.sleep(_LOOK_EVERY_S)
    try:
        yield url_of(listening)
    finally:
        server.should_exit = True
        thread.join()


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=5)
    return uvicorn.Server(config)
