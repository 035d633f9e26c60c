"""One NETCONF session of an emulated device, from hello to close.

A session is a handful of callbacks on the SSH channel, without tasks or queues between: hundreds of devices share one
process with the platform they test.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from math import isinf
from typing import Any

import asyncssh
from lxml import etree

from labs.embedded.channel_terminal import ChannelProcess, converse
from labs.embedded.cli_server import CliShell
from labs.embedded.netconf_framing import Deframer, FramingError, frame
from labs.embedded.netconf_messages import BASE_1_1, error_xml, hello, parse, peer_capabilities, reply, tag
from labs.embedded.netconf_rpcs import ConnectionDropped, Device, duration_s, perform
from labs.embedded.netconf_state import Counters, SessionFacts
from labs.embedded.netconf_teller import Teller
from labs.embedded.notifications import SUBSCRIBE, Subscription
from labs.embedded.rpc_error import RpcError, RpcErrors

GARBAGE = b"\n#zz\n\x00\xff this is no frame ]]>"
NewShell = Callable[[int], CliShell]
"""Makes the command line of one user, by the session's number."""


class NetconfSession(asyncssh.SSHServerSession[bytes]):
    """Serves one client; RPCs are done one after the other, in order.

    The latency of the lab's link delays each reply, not the next RPC: RPCs sent ahead are under way together.

    Attributes:
        number: the session-id of hello.
    """

    def __init__(self, number: int, device: Device, new_shell: NewShell) -> None:
        self.number = number
        self._device = device
        self._new_shell = new_shell
        self._person: ChannelProcess | None = None
        self._talk: asyncio.Task[None] | None = None
        self._deframer = Deframer()
        self._greeted = False
        self._ended = self._gone = False
        self._waiting: deque[bytes] = deque()
        self._thinking: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._outbox: deque[tuple[bytes, bool]] = deque()
        self._since = datetime.now(UTC)
        self._counters = Counters()
        self._teller = Teller(device.log, device.schema, self._event)
        self._channel: asyncssh.SSHServerChannel[bytes]

    # What asyncssh calls

    def connection_made(self, chan: "asyncssh.SSHServerChannel[bytes]") -> None:
        """Note the channel."""
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        """Take the NETCONF subsystem."""
        return subsystem == "netconf"

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        """Give a person a terminal."""
        del term_type, term_size, term_modes
        return True

    def shell_requested(self) -> bool:
        """Give a person a command line."""
        self._device.people[self.number] = self
        self._person = ChannelProcess(self._channel)
        self._talk = asyncio.ensure_future(self._talked(converse(self._person, self._new_shell(self.number))))
        return True

    def exec_requested(self, command: str) -> bool:
        """Do one command."""
        self._device.people[self.number] = self
        self._talk = asyncio.ensure_future(self._talked(self._commanded(command)))
        return True

    async def _commanded(self, command: str) -> None:
        shell = self._new_shell(self.number)
        for line in command.splitlines():
            self._channel.write((await shell.run(line)).encode())

    async def _talked(self, talk: Coroutine[Any, Any, None]) -> None:
        await talk
        if not self._channel.is_closing():
            self._channel.exit(0)

    def session_started(self) -> None:
        """Greet."""
        if self._channel.get_subsystem() == "netconf" and not self._device.faults.strikes("hang_before_hello"):
            self._device.sessions[self.number] = self
            self.watch_idleness()
            self._device.statistics.in_sessions += 1
            self._channel.write(frame(hello(self.number, self._device.capabilities()), chunked=False))

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Take in what the client sent; a peer that breaks the framing is cut off unanswered (RFC 6242, 4.2)."""
        del datatype
        self.watch_idleness()
        if self._talk is not None:
            if self._person is not None:
                self._person.feed(data)
            return
        self._deframer.feed(data)
        try:
            while not self._ended and (message := self._deframer.next_message()) is not None:
                if self._greeted:
                    self._waiting.append(message)
                else:
                    self._greet(message)
        except FramingError:
            self._close()
        self._next()

    def eof_received(self) -> bool:
        """End with the client; a command that runs is done first."""
        if self._person is not None:
            self._person.feed(b"")
        return self._talk is not None

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what the session held, as soon as the device notices."""
        del exc
        self._gone = True
        if self._talk is not None:
            self._talk.cancel()
        self._device.statistics.dropped_sessions += not self._ended
        unnoticed_s = self._device.faults.amount("stale_lock")
        if unnoticed_s is None or self._ended:
            self._end()
        else:
            asyncio.get_running_loop().call_later(unnoticed_s, self._end)

    # What the device does

    def kill(self) -> None:
        """Cut the session off: the connection breaks, what the session held is released."""
        self._end()
        self._break()

    def subscribe(self, wanted: Subscription) -> None:
        """Tell the client of events once the RPC is answered.

        Raises:
            RpcError: it is told of some already.
        """
        self._teller.subscribe(wanted)

    def facts(self) -> SessionFacts:
        """Return who is at work in it, from where, since when."""
        peer = self._channel.get_extra_info("peername")
        return SessionFacts(
            number=self.number,
            username=str(self._channel.get_extra_info("username")),
            source=str(peer[0]) if peer else "",
            since=self._since,
            counters=self._counters,
        )

    def _count(self, what: str) -> None:
        for counters in (self._counters, self._device.statistics):
            setattr(counters, what, getattr(counters, what) + 1)

    def _break(self) -> None:
        if not self._gone:
            self._channel.get_connection().abort()

    def watch_idleness(self) -> None:
        """Start the time after which an unused session is dropped anew, where the device drops them."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        idle_s = self._device.faults.amount("idle_disconnect")
        if idle_s is not None and not self._ended:
            self._idle = asyncio.get_running_loop().call_later(idle_s, self.kill)

    def _end(self) -> None:
        for timer in (self._thinking, self._idle):
            if timer is not None:
                timer.cancel()
        self._thinking = self._idle = None
        if not self._ended:
            self._ended = True
            self._waiting.clear()
            self._teller.end()
            self._device.people.pop(self.number, None)
            self._device.sessions.pop(self.number, None)
            self._device.stores.end_session(self.number)

    def _close(self) -> None:
        self._end()
        self._channel.exit(0)

    def _greet(self, message: bytes) -> None:
        """Take the client's hello; without a proper one the session closes unanswered (RFC 6241, 8.1)."""
        try:
            self._deframer.chunked = BASE_1_1 in peer_capabilities(parse(message))
        except RpcError:
            self._close()
        else:
            self._greeted = True

    def _next(self) -> None:
        while self._waiting and self._thinking is None and not self._ended:
            self._begin(self._waiting.popleft())

    def _begin(self, message: bytes) -> None:
        attributes: dict[str, str] = {}
        try:
            rpc = parse(message)
            attributes = {str(name): str(value) for name, value in rpc.attrib.items()}
            operation = _operation(rpc)
        except RpcError as refused:
            self._count("in_bad_rpcs")
            self._answer(self._refusal(attributes, refused))
            return
        self._count("in_rpcs")
        pause_s = duration_s(self._device, operation)
        if pause_s:
            self._think(pause_s, lambda: self._do(operation, attributes))
        else:
            self._do(operation, attributes)

    def _think(self, pause_s: float, then: Callable[[], None]) -> None:
        def wake() -> None:
            self._thinking = None
            then()
            self._next()

        loop = asyncio.get_running_loop()
        # A device that hangs is a timer that never comes, and dies with the session.
        self._thinking = loop.call_later(1e9, wake) if isinf(pause_s) else loop.call_later(pause_s, wake)

    def _do(self, operation: etree._Element, attributes: dict[str, str]) -> None:
        try:
            data = perform(self._device, self, operation)
        except (RpcError, RpcErrors) as refused:
            self._answer(self._refusal(attributes, refused))
        except ConnectionDropped:
            self._break()
        else:
            namespaces = operation.nsmap if len(attributes) > 1 else {}
            answer = reply(attributes, namespaces, data if data is not None else "<ok/>")
            self._answer(answer, last=operation.tag == tag("close-session"))
            if operation.tag == SUBSCRIBE:
                self._teller.begin()

    def _answer(self, message: bytes, *, last: bool = False) -> None:
        if last:
            # Nothing after close-session counts any more, but what it held is free before the client hears of it.
            self._end()
        garbled = self._device.faults.strikes("garbage")
        self._put_out(GARBAGE if garbled else frame(message, chunked=self._deframer.chunked), last=last)

    def _event(self, message: bytes) -> None:
        self._count("out_notifications")
        self._put_out(frame(message, chunked=self._deframer.chunked), last=False)

    def _put_out(self, data: bytes, *, last: bool) -> None:
        self._outbox.append((data, last))
        latency_s = self._device.faults.latency_s
        if latency_s:
            asyncio.get_running_loop().call_later(latency_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        data, last = self._outbox.popleft()
        if self._channel.is_closing():
            return
        self._channel.write(data)
        if last:
            self._channel.exit(0)

    def _refusal(self, attributes: dict[str, str], refused: RpcError | RpcErrors) -> bytes:
        self._count("out_rpc_errors")
        errors = refused.errors if isinstance(refused, RpcErrors) else [refused]
        return reply(attributes, {}, "".join(error_xml(error, self._device.schema.prefixes) for error in errors))


def _operation(rpc: etree._Element) -> etree._Element:
    if rpc.tag != tag("rpc") or len(rpc) != 1:
        raise RpcError("malformed-message", "an <rpc> with one operation is due", layer="rpc")
    if rpc.get("message-id") is None:
        info = (("bad-attribute", "message-id"), ("bad-element", "rpc"))
        raise RpcError("missing-attribute", "the <rpc> lacks its message-id", layer="rpc", info=info)
    return rpc[0]
