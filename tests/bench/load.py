"""Clients in a process of their own, as cheap as a client can be: ``python -m tests.bench.load HOST PORT``.

Reads lines of JSON, each a round: ``{"connections": N, "requests": ["GET / HTTP/1.1\\r\\n…", …]}``; sends them over
that many kept connections, each connection the next one as soon as it has its answer, and prints how many seconds
it took. Any answer but a 2xx ends it: a figure about refusals would mean nothing.
"""

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AT_ONCE: Final = 1 << 18


def main() -> None:
    """Work through the rounds on standard input."""
    address = (sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        asked = json.loads(line)
        requests = [text.encode() for text in asked["requests"]]
        sys.stdout.write(f"{_round(address, asked['connections'], requests)}\n")
        sys.stdout.flush()


def _round(address: tuple[str, int], connections: int, requests: list[bytes]) -> float:
    waiting = iter(requests)
    refused: list[bytes] = []
    threads = [threading.Thread(target=_client, args=(address, waiting, refused)) for _ in range(connections)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - started_s
    if refused:
        raise SystemExit(f"refused: {refused[0][:500]!r}")
    return took_s


def _client(address: tuple[str, int], waiting: Iterator[bytes], refused: list[bytes]) -> None:
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in waiting:
            connection.sendall(request)
            answer = _answer(connection)
            if not answer.startswith(b"HTTP/1.1 2"):
                refused.append(answer)
                return


def _answer(connection: socket.socket) -> bytes:
    """Return one answer whole; its length stands in its head."""
    found = bytearray()
    while (end := found.find(b"\r\n\r\n")) < 0:
        found += _more(connection)
    length = _LENGTH.search(found, 0, end)
    size = end + 4 + (int(length[1]) if length else 0)
    while len(found) < size:
        found += _more(connection)
    return bytes(found)


def _more(connection: socket.socket) -> bytes:
    some = connection.recv(_AT_ONCE)
    if not some:
        raise SystemExit("the server closed the connection")
    return some


if __name__ == "__main__":
    main()
