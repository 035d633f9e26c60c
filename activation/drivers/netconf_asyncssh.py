"""A fast NETCONF driver: asyncssh, operations in one flight, one thread for all sessions."""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import asyncssh
from asyncssh.constants import MSG_IGNORE
from lxml import etree

from activation.contracts import Driver, PlatformRules, WorkLoop
from activation.drivers import netconf_messages as say
from activation.drivers.device_loop import DeviceLoop, LoopClosed
from activation.drivers.netconf_changes import event_of, is_end
from activation.drivers.netconf_driver import NetconfDriver, OwnSessions, SessionBroke, options_of
from activation.drivers.netconf_framing import BadFraming, Deframer, framed
from activation.drivers.netconf_messages import Hello, NotNetconf, Reply
from activation.drivers.sockets import KEEPALIVE
from activation.drivers.ssh_profile import fingerprint, profile_of
from activation.errors import DeviceUnreachable, HostKeyRefused
from inventory.model import Device

KEEPALIVE_S = 15
KEEPALIVES_MISSED = 3
READ_WINDOW_BYTES = 4 * 1024 * 1024


class FastNetconf:
    """The driver factory ``netconf-fast``; its sessions share one event loop."""

    def __init__(self) -> None:
        self._loop = DeviceLoop("netconf-fast")
        self._own = OwnSessions()
        self._open: set[asyncssh.SSHClientConnection] = set()

    def __call__(self, device: Device, rules: PlatformRules) -> Driver:
        """Connect to ``device`` and return its session.

        Raises:
            DeviceUnreachable: with the address, the port and the reason.
        """
        options, where = options_of(device, rules), f"{device.address}:{device.port}"
        identity = _Identity(device, self._open)
        try:
            wire = self._loop.wait(_opened(device, rules, identity), device.timeout_s)
        except (SessionBroke, asyncssh.Error, OSError) as error:
            if identity.refused is not None:
                raise identity.refused from error
            raise DeviceUnreachable(device.name, "connect", f"{where}: {_text(error)}") from error
        carrier = LoopWire(self._loop, wire, identity.shown)
        return NetconfDriver(device, carrier, options, self._own)

    def close(self) -> None:
        """End every session and the loop."""
        self._loop.close(self._cut)

    def _cut(self) -> None:
        for connection in tuple(self._open):
            connection.abort()


class _Identity(asyncssh.SSHClient):
    """Checks that the device is who it was, before it gets to know the password; keeps ``standing`` up to date."""

    def __init__(self, device: Device, standing: set[asyncssh.SSHClientConnection]) -> None:
        self._device = device
        self._standing = standing
        self._connection: asyncssh.SSHClientConnection | None = None
        self.shown = ""
        self.refused: HostKeyRefused | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Note the connection as standing."""
        self._connection = conn
        self._standing.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection stands no more."""
        del exc
        if self._connection is not None:
            self._standing.discard(self._connection)

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Say whether the key is the known one; any is, as long as none is known."""
        del host, addr, port
        self.shown = fingerprint(key.public_data)
        if self._device.host_key in {"", self.shown}:
            return True
        self.refused = HostKeyRefused(self._device.name, known=self._device.host_key, shown=self.shown)
        return False


class _Flight:
    """Operations that were sent together, and the replies so far."""

    def __init__(self, numbers: Sequence[int], done: "asyncio.Future[list[Reply]]") -> None:
        self.numbers, self.done = numbers, done
        self.replies: list[Reply] = []


class _Story:
    """What the device tells of its past."""

    def __init__(self, done: "asyncio.Future[list[etree._Element]]") -> None:
        self.done = done
        self._events: list[etree._Element] = []

    def goes_on(self, event: etree._Element) -> None:
        """Take a notification in; after the end nobody listens."""
        if self.done.done():
            return
        self._events.append(event)
        if is_end(event):
            self.done.set_result(self._events)


class _Session(asyncssh.SSHClientSession[bytes]):
    """The NETCONF subsystem's channel: replies come in the order of the questions (RFC 6241, 4.4)."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._deframer = Deframer()
        self._numbers = count(1)
        self._flights: deque[_Flight] = deque()
        self._greeting: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._story: _Story | None = None
        self.broke = ""

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._channel = chan

    def data_received(self, data: bytes, datatype: object) -> None:
        if datatype is not None:
            return
        try:
            for message in self._deframer.feed(data):
                self._take(message)
        except (BadFraming, NotNetconf) as error:
            self._break(str(error))

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(_text(exc) if exc is not None else "the device ended the session")

    async def greet(self) -> Hello:
        """Exchange hellos and return the device's."""
        self._send(framed(say.client_hello(), chunked=False))
        return await self._greeting

    async def ask(self, operations: Sequence[str]) -> list[Reply]:
        """Send all operations at once and return all replies."""
        if self.broke:
            raise SessionBroke(self.broke)
        numbers = [next(self._numbers) for _ in operations]
        messages = zip(numbers, operations, strict=True)
        flight = _Flight(numbers, asyncio.get_running_loop().create_future())
        self._flights.append(flight)
        chunked = self._deframer.chunked
        self._send(b"".join(framed(say.rpc(number, each), chunked=chunked) for number, each in messages))
        return await flight.done

    async def replay(self, subscription: str) -> tuple[Reply, Sequence[etree._Element]]:
        """Subscribe; return the reply and the notifications up to the end of the past."""
        story = self._story = _Story(asyncio.get_running_loop().create_future())
        (reply,) = await self.ask([subscription])
        if reply.errors:
            self._story = None
            return reply, ()
        return reply, await story.done

    def abort(self) -> None:
        """Cut the connection."""
        self._break("the session is closed")

    def _send(self, data: bytes) -> None:
        if self._channel is not None:
            with suppress(OSError):  # A channel that is closing: connection_lost tells the waiting ones.
                self._channel.write(data)

    def _take(self, message: bytes) -> None:
        if not self._greeting.done():
            hello = say.parse_hello(message)
            self._deframer.chunked = say.BASE_1_1 in hello.capabilities
            self._greeting.set_result(hello)
            return
        if self._story is not None and (event := event_of(message)) is not None:
            self._story.goes_on(event)
            return
        if not self._flights:
            raise NotNetconf("the device answers what nobody asked")
        flight = self._flights[0]
        flight.replies.append(say.parse_reply(message, flight.numbers[len(flight.replies)]))
        if len(flight.replies) == len(flight.numbers):
            self._flights.popleft()
            if not flight.done.done():
                flight.done.set_result(flight.replies)

    def _break(self, reason: str) -> None:
        self.broke = self.broke or reason
        waiting: list[asyncio.Future[Any]] = [self._greeting, *(flight.done for flight in self._flights)]
        waiting += [self._story.done] if self._story is not None else []
        self._flights.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(SessionBroke(self.broke))
                future.exception()  # Retrieved: whoever waited may be gone.
        self._connection.abort()


class LoopWire:
    """A session in the event loop as :class:`activation.drivers.netconf_driver.Wire`."""

    def __init__(self, loop: DeviceLoop, session: tuple[_Session, Hello], host_key: str) -> None:
        self.loop: WorkLoop | None = loop
        self._loop = loop
        self._session, self.hello = session
        self.host_key = host_key

    def ask(self, operations: Sequence[str], deadline_s: float) -> Sequence[Reply]:
        """Return the reply to each of ``operations``, sent in one flight.

        Raises:
            SessionBroke: no answer in time, or no answer at all.
        """
        try:
            return self._loop.wait(self._session.ask(operations), deadline_s)
        except (TimeoutError, LoopClosed) as error:
            raise SessionBroke(str(error)) from error

    def replay(self, subscription: str, deadline_s: float) -> tuple[Reply, Sequence[etree._Element]]:
        """Return the reply to a subscription and the notifications of the past.

        Raises:
            SessionBroke: the past was not told in time.
        """
        try:
            return self._loop.wait(self._session.replay(subscription), deadline_s)
        except (TimeoutError, LoopClosed) as error:
            raise SessionBroke(str(error)) from error

    def pause(self, seconds: float) -> None:
        """Return after ``seconds``."""
        try:
            self._loop.wait(asyncio.sleep(seconds), seconds + 1.0)
        except (TimeoutError, LoopClosed) as error:
            raise SessionBroke(str(error)) from error

    def is_open(self) -> bool:
        """Say whether the transport still stands."""
        return not self._session.broke

    def close(self) -> None:
        """Cut the connection."""
        self._session.broke = self._session.broke or "the session is closed"
        self._loop.soon(self._session.abort)


async def _opened(device: Device, rules: PlatformRules, identity: _Identity) -> tuple[_Session, Hello]:
    profile = profile_of(device, rules)
    connection = await asyncssh.connect(
        device.address,
        device.port,
        username=device.username,
        password=device.password,
        client_factory=lambda: identity,
        # An empty list of known hosts: every key is asked about.
        known_hosts=([], [], []),
        client_keys=None,
        agent_path=None,
        config=None,
        gss_host=None,
        preferred_auth="password,keyboard-interactive",
        keepalive_interval=KEEPALIVE_S,
        keepalive_count_max=KEEPALIVES_MISSED,
        kex_algs=profile.key_exchange,
        server_host_key_algs=profile.host_keys,
        encryption_algs=profile.ciphers,
        mac_algs=profile.macs,
        compression_algs=["none"],
    )
    try:
        _notice_dead_peers(connection)
        _leave_out_padding(connection)
        session = _Session(connection)
        await connection.create_session(lambda: session, subsystem="netconf", encoding=None, window=READ_WINDOW_BYTES)
        return session, await session.greet()
    except BaseException:
        connection.abort()
        raise


def _notice_dead_peers(connection: asyncssh.SSHClientConnection) -> None:
    sock = connection.get_extra_info("socket")
    if sock is not None:
        for option, value in KEEPALIVE:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _leave_out_padding(connection: asyncssh.SSHClientConnection) -> None:
    """Send no empty packet before each one: asyncssh does, against an attack on the old CBC ciphers alone."""
    if str(connection.get_extra_info("send_cipher")).endswith("cbc"):
        return
    send = connection.send_packet

    def send_packet(kind: int, *args: bytes, handler: Any = None) -> None:  # noqa: ANN401  # asyncssh's packet logger
        if kind != MSG_IGNORE:
            send(kind, *args, handler=handler)

    connection.send_packet = send_packet  # type: ignore[method-assign, assignment]  # asyncssh has no option for it


def _text(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
