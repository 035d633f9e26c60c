"""The SSH listener every emulated device stands behind."""

import asyncio
import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncssh
from asyncssh.constants import DISC_BY_APPLICATION, DISC_TOO_MANY_CONNECTIONS, MSG_IGNORE

from labs.embedded.contracts import Credentials
from labs.embedded.faults import FaultBoard

LOGIN_TIMEOUT_S = 30
ENCRYPTION = ["aes128-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"]
"""What processors do in hardware, so that a lab of hundreds of devices costs no more than it must."""
# asyncio accepts a connection, wraps it and tells its protocol in successive rounds of the loop. Closing the server
# between the first two leaves the connection open for ever (CPython 3.11), so accepting ends a few rounds earlier.
_ACCEPT_ROUNDS = 4

ServeProcess = Callable[["asyncssh.SSHServerProcess[Any]"], Awaitable[None]]
"""Serves one shell, exec or subsystem request from start to end; ``process.command`` and ``.subsystem`` say which."""


NewSession = Callable[[], "asyncssh.SSHServerSession[bytes]"]
"""Makes what answers one subsystem request by callbacks; see :class:`asyncssh.SSHServerSession`."""


class _Gate(asyncssh.SSHServer):
    """Lets in who knows the password, and remembers the connection."""

    def __init__(
        self,
        credentials: Credentials,
        open_connections: set[asyncssh.SSHServerConnection],
        limits: "Limits",
        new_session: NewSession | None,
    ) -> None:
        self._credentials = credentials
        self._open = open_connections
        self._limits = limits
        self._new_session = new_session
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._open.add(conn)
        _leave_out_padding(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._connection is not None:
            self._open.discard(self._connection)

    def begin_auth(self, username: str) -> bool:
        del username
        self._limits.check(len(self._open))
        return True

    def password_auth_supported(self) -> bool:
        return True

    def session_requested(self) -> Any:  # noqa: ANN401  # asyncssh takes half a dozen shapes
        if self._connection is None or self._new_session is None:
            return False
        return self._connection.create_server_channel(None), self._new_session()

    def validate_password(self, username: str, password: str) -> bool:
        same_user = hmac.compare_digest(username.encode(), self._credentials.username.encode())
        same_password = hmac.compare_digest(password.encode(), self._credentials.password.encode())
        return same_user and same_password


def _leave_out_padding(connection: asyncssh.SSHServerConnection) -> None:
    """Send no empty packet before each one: asyncssh does, against an attack on ciphers that no device here offers."""
    send = connection.send_packet

    def send_packet(kind: int, *args: bytes, handler: Any = None) -> None:  # noqa: ANN401  # asyncssh's packet logger
        if kind != MSG_IGNORE:
            send(kind, *args, handler=handler)

    connection.send_packet = send_packet  # type: ignore[method-assign, assignment]  # asyncssh has no option for it


class Limits:
    """How many may come, and how often, where the faults of the node say so."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults
        self._logins_s: deque[float] = deque()

    def check(self, sessions: int) -> None:
        """Let one more in.

        Raises:
            asyncssh.DisconnectError: not now.
        """
        now_s = time.monotonic()
        most = self._faults.amount("session_limit")
        if most is not None and sessions > most:
            raise asyncssh.DisconnectError(DISC_TOO_MANY_CONNECTIONS, f"session limit of {most:g} reached")
        rate = self._faults.amount("login_rate")
        while self._logins_s and self._logins_s[0] < now_s - 60:
            self._logins_s.popleft()
        if rate is not None and len(self._logins_s) >= rate:
            raise asyncssh.DisconnectError(DISC_BY_APPLICATION, f"more than {rate:g} logins a minute; try later")
        self._logins_s.append(now_s)


class Listener:
    """A listening socket and the connections that came in through it."""

    def __init__(
        self, acceptor: asyncssh.SSHAcceptor, connections: set[asyncssh.SSHServerConnection], host_key: asyncssh.SSHKey
    ) -> None:
        self._acceptor = acceptor
        self._connections = connections
        self._host_key = host_key
        self._other_key: asyncssh.SSHKey | None = None

    def show_key(self, faults: FaultBoard) -> None:
        """Show later clients the host key that the faults ask for: the device's own, or another."""
        other = faults.amount("changed_host_key") is not None
        if other == (self._other_key is not None):
            return
        self._other_key = asyncssh.generate_private_key("ssh-ed25519") if other else None
        self._acceptor.update(server_host_keys=[self._other_key or self._host_key])

    @property
    def port(self) -> int:
        """The port in use, also when any free one was asked for."""
        return self._acceptor.get_port()

    async def close(self) -> None:
        """Stop listening and cut every connection, as a device does that loses power."""
        loop = asyncio.get_running_loop()
        for listening in self._acceptor.sockets:
            loop.remove_reader(listening.fileno())
        for _ in range(_ACCEPT_ROUNDS):
            await asyncio.sleep(0)
        self._acceptor.close()
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()
        await self._acceptor.wait_closed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who is let in, by which key the device is known, and what may go wrong at the login."""

    credentials: Credentials
    host_key: asyncssh.SSHKey
    faults: FaultBoard


async def listen(
    *,
    address: str,
    port: int,
    door: Door,
    serve: ServeProcess | None = None,
    new_session: NewSession | None = None,
) -> Listener:
    """Listen for SSH with password login and hand each session to ``serve``, or to what ``new_session`` returns.

    Args:
        address: where to listen.
        port: 0 takes any free one; read it back from ``Listener.port``.
        door: the one user, the node's own key.
        serve: coroutine for one session. It gets asyncssh's process: ``stdin``, ``stdout``, ``command``, ``subsystem``,
            ``term_type``. With a pty, asyncssh's line editor (echo, history) stands between; turn it off with
            ``process.channel.set_line_mode(False)``.
        new_session: for bytes and many RPCs a second.

    Raises:
        OSError: the port is taken (``errno.EADDRINUSE``) or the address is not local.
    """
    connections: set[asyncssh.SSHServerConnection] = set()
    limits = Limits(door.faults)
    acceptor = await asyncssh.listen(
        address,
        port,
        server_factory=lambda: _Gate(door.credentials, connections, limits, new_session),
        server_host_keys=[door.host_key],
        process_factory=serve,
        encoding="utf-8",
        login_timeout=LOGIN_TIMEOUT_S,
        encryption_algs=ENCRYPTION,
        # Neither is offered by the devices, and the first costs a lookup per login.
        gss_host=None,
        allow_scp=False,
    )
    listener = Listener(acceptor, connections, door.host_key)
    listener.show_key(door.faults)
    return listener
