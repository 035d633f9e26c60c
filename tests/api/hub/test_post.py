"""One POST on a real socket: what counts as accepted, and what a bad or hostile subscriber cannot do."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.hub.address import AddressGuard
from api.hub.post import MAX_ANSWER_BYTES, HttpPost
from tests.api.hub.subscriber import subscribed_system

LOOPBACK = AddressGuard(allow=(ipaddress.ip_network("127.0.0.0/8"),))


@contextmanager
def _posting(guard: AddressGuard = LOOPBACK, timeout_s: float = 5.0) -> Iterator[HttpPost]:
    post = HttpPost(guard=guard, timeout_s=timeout_s)
    yield post
    post.close()


@contextmanager
def _raw_server(*chunks: bytes, every_s: float = 0.0) -> Iterator[str]:
    """Answer the first caller with these bytes, one chunk after the other, the last one again and again."""
    done = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            try:
                for chunk in chunks:
                    connection.sendall(chunk)
                while every_s and not done.wait(every_s):
                    connection.sendall(chunks[-1])
            except OSError:  # the caller hangs up in the middle of an endless answer: it shall
                return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/listener/x"
        done.set()
        thread.join()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_taken(status: int) -> None:
    with subscribed_system() as subscriber, _posting() as post:
        subscriber.answer = lambda _: status
        subscriber.text = b""
        assert post(f"{subscriber.url}/listener/x", b'{"a":"\xc3\xbc"}').accepted
        (received,) = subscriber.accepted
    assert (received.path, received.body) == ("/listener/x", {"a": "ü"})
    assert received.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [400, 404, 410, 500])
def test_a_refusal_is_about_this_event(status: int) -> None:
    with subscribed_system() as subscriber, _posting() as post:
        subscriber.answer, subscriber.text = (lambda _: status), b"no\x1b[2J such thing"
        answer = post(f"{subscriber.url}/listener/x", b"{}")
    assert (answer.accepted, answer.reached) == (False, True)
    assert answer.reason == f"HTTP {status}: no [2J such thing"


@pytest.mark.parametrize(("header", "pause_s"), [("7", 7.0), ("tomorrow", 0.0), ("9" * 30, 600.0), ("-1", 0.0)])
def test_a_subscriber_that_asks_to_hold_off_is_heard(header: str, pause_s: float) -> None:
    with subscribed_system() as subscriber, _posting() as post:
        subscriber.answer, subscriber.headers = (lambda _: 503), {"Retry-After": header}
        answer = post(f"{subscriber.url}/listener/x", b"{}")
    assert (answer.accepted, answer.reached, answer.pause_s) == (False, False, pause_s)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with subscribed_system() as subscriber, subscribed_system() as inside, _posting() as post:
        subscriber.answer, subscriber.headers = (lambda _: status), {"Location": f"{inside.url}/secret"}
        answer = post(f"{subscriber.url}/listener/x", b"{}")
        assert not answer.accepted
        assert "redirects are not followed" in answer.reason
        assert (len(subscriber.tried), inside.tried) == (1, [])


def test_nobody_there_is_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with _posting() as post:
        answer = post(f"http://127.0.0.1:{port}/listener/x", b"{}")
    assert (answer.accepted, answer.reached) == (False, False)
    assert "ConnectError" in answer.reason


SLOW = {
    "never": ((), 0.05),
    "headers byte by byte": ((b"HTTP/1.1 500 No\r\nX-Slow: ", b"a"), 0.02),
    "body byte by byte": ((b"HTTP/1.1 500 No\r\nContent-Length: 99999\r\n\r\n", b"a"), 0.02),
}


@pytest.mark.parametrize(("chunks", "every_s"), SLOW.values(), ids=SLOW)
def test_the_whole_exchange_ends_in_time(chunks: tuple[bytes, ...], every_s: float) -> None:
    begun_s = time.monotonic()
    with _raw_server(*(chunks or (b"",)), every_s=every_s) as url, _posting(timeout_s=0.3) as post:
        answer = post(url, b"{}")
    assert (answer.accepted, answer.reached) == (False, False)
    assert time.monotonic() - begun_s < 3.0


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    head = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    with _raw_server(head, *[chunk] * (3 * MAX_ANSWER_BYTES // 0x2000)) as url, _posting() as post:
        assert post(url, b"{}").accepted


def test_what_was_accepted_stays_accepted_when_the_rest_of_the_answer_is_lost() -> None:
    with _raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc") as url, _posting() as post:
        assert post(url, b"{}").accepted


def test_nonsense_is_not_reached() -> None:
    with _raw_server(b"220 smtp.example ESMTP\r\n") as url, _posting() as post:
        answer = post(url, b"{}")
    assert (answer.accepted, answer.reached) == (False, False)


def test_connections_are_kept() -> None:
    with subscribed_system() as subscriber, _posting() as post:
        for number in range(5):
            assert post(f"{subscriber.url}/listener/x", b'{"n":%d}' % number).accepted
        assert [each.body["n"] for each in subscriber.accepted] == [0, 1, 2, 3, 4]


def _resolving_to(*answers: str) -> Any:
    left = list(answers)
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (left.pop(0), 80))]


def test_a_name_that_moves_inside_after_it_was_checked_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = AddressGuard()
    with subscribed_system() as inside, _posting(closed) as post:
        monkeypatch.setattr(socket, "getaddrinfo", _resolving_to("93.184.216.34", "127.0.0.1"))
        url = inside.url.replace("127.0.0.1", "rebinding.example")
        closed.check_callback(url)
        answer = post(f"{url}/listener/x", b"{}")
        assert (answer.accepted, answer.reached) == (False, False)
        assert "127.0.0.1 is not a public address" in answer.reason
        assert inside.tried == []


def test_the_address_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is resolved once for the connection: a second answer, whatever it is, is never asked for."""
    real = socket.getaddrinfo
    names: list[str] = []

    def resolve(host: str, *rest: Any, **more: Any) -> Any:
        names.append(host)
        return real("127.0.0.1" if host == "shop.example" else host, *rest, **more)

    with subscribed_system() as subscriber, _posting() as post:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        assert post(subscriber.url.replace("127.0.0.1", "shop.example") + "/listener/x", b"{}").accepted
        assert names.count("shop.example") == 1
        assert subscriber.accepted[0].headers["Host"].startswith("shop.example:")
