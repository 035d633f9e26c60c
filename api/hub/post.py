"""One POST to a subscriber: to a checked address, within a deadline, following nothing, reading little."""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpcore

from api.errors import CallbackRefused
from api.hub.address import AddressGuard

CONNECT_TIMEOUT_S: Final = 3.0
MAX_ANSWER_BYTES: Final = 16_384
MAX_PAUSE_S: Final = 600.0
"""A subscriber that asks for a longer pause gets this one."""
_KEPT_CONNECTIONS: Final = 32
_KEPT_FOR_S: Final = 15.0
_SHOWN_CHARACTERS: Final = 200
_OK: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_HOLD_OFF: Final = frozenset({429, 503})

_deadline_s: ContextVar[float] = ContextVar("hub_post_deadline_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one POST.

    Attributes:
        accepted: the subscriber answered 2xx.
        reached: it answered about this event; False where nothing would have gone through just now.
        pause_s: how long it asked us to stay away, 0 where it did not.
    """

    accepted: bool = False
    reached: bool = True
    reason: str = ""
    pause_s: float = 0.0


class Post(Protocol):
    """Sends a body to a URL."""

    def __call__(self, url: str, body: bytes, /) -> Answer:
        """Return what became of it; never raises for what the subscriber or the network does."""
        ...


@dataclass(slots=True, kw_only=True)
class HttpPost:
    """Posts JSON over connections that are kept for the next event.

    Attributes:
        timeout_s: for the whole exchange, however slowly the bytes come in.
    """

    guard: AddressGuard
    timeout_s: float
    _pool: httpcore.ConnectionPool = field(init=False)

    def __post_init__(self) -> None:
        """Open the pool; connections are made when they are needed."""
        self._pool = httpcore.ConnectionPool(
            # The machine's own trust store (or SSL_CERT_FILE): subscribers inside have an operator's certificates.
            ssl_context=ssl.create_default_context(),
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_FOR_S,
            network_backend=_Guarded(self.guard),
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def __call__(self, url: str, body: bytes, /) -> Answer:
        """Return what became of one POST; a redirect is a refusal."""
        try:
            with _within(self.timeout_s), self._pool.stream("POST", url, headers=_headers(url), content=body) as answer:
                return _read(answer)
        except CallbackRefused as error:
            return Answer(reached=False, reason=f"not sent: {error}")
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            said = str(error) or f"no answer within {self.timeout_s:g} s"
            return Answer(reached=False, reason=f"{type(error).__name__}: {said}")


def _headers(url: str) -> list[tuple[str, str]]:
    # httpcore leaves out the brackets of an IPv6 host.
    netloc = url.split("/", 3)[2]
    return [("Host", netloc), ("Content-Type", "application/json"), ("Accept", "*/*"), ("User-Agent", "lastmile")]


def _read(answer: httpcore.Response) -> Answer:
    if answer.status in _OK:
        _drain(answer)
        return Answer(accepted=True)
    if answer.status in _MOVED:
        return Answer(reason=f"HTTP {answer.status}: redirects are not followed; subscribe with the address itself")
    text = _beginning(answer).decode("utf-8", "replace")
    shown = "".join(letter if letter.isprintable() else " " for letter in text)[:_SHOWN_CHARACTERS].strip()
    hold_off = answer.status in _HOLD_OFF
    return Answer(
        reached=not hold_off,
        reason=f"HTTP {answer.status}" + (f": {shown}" if shown else ""),
        pause_s=_retry_after_s(answer) if hold_off else 0.0,
    )


def _drain(answer: httpcore.Response) -> None:
    """Read to the end, so that the connection can be used again; give up quietly: the event was accepted."""
    try:
        _beginning(answer)
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return


def _beginning(answer: httpcore.Response) -> bytes:
    found = bytearray()
    for chunk in answer.iter_stream():
        found += chunk
        if len(found) >= MAX_ANSWER_BYTES:
            break
    return bytes(found[:MAX_ANSWER_BYTES])


def _retry_after_s(answer: httpcore.Response) -> float:
    found = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
    return min(float(found), MAX_PAUSE_S) if found.isdigit() else 0.0


@contextmanager
def _within(timeout_s: float) -> Iterator[None]:
    token = _deadline_s.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _deadline_s.reset(token)


def _left_s(timeout_s: float | None) -> float:
    left_s = _deadline_s.get() - time.monotonic()
    if left_s <= 0.0:
        raise httpcore.ReadTimeout("the answer came too slowly")
    return left_s if timeout_s is None else min(left_s, timeout_s)


class _Guarded(httpcore.NetworkBackend):
    """Connects to checked addresses only: the name is resolved once, and what was checked is what is connected to."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to the first address that answers."""
        addresses = self._guard.resolve(host.strip("[]"), port)
        failure: Exception | None = None
        for address in addresses:
            wait_s = min(_left_s(timeout), CONNECT_TIMEOUT_S)
            try:
                stream = self._plain.connect_tcp(address, port, wait_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _Timed(self._checked(stream, host))
        raise failure or httpcore.ConnectError(f"{host}:{port}: no address")

    def _checked(self, stream: httpcore.NetworkStream, host: str) -> httpcore.NetworkStream:
        """Return the stream, its other end checked once more: this is the address that bytes would go to."""
        try:
            self._guard.check(stream.get_extra_info("server_addr")[0], host)
        except CallbackRefused:
            stream.close()
            raise
        return stream


class _Timed(httpcore.NetworkStream):
    """A connection whose every read and write ends by the deadline of the exchange under way."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left_s(timeout)))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore declares it
        return self._stream.get_extra_info(info)
