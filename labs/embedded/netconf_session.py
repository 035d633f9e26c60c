"""One NETCONF session of an emulated device, from hello to close."""

import asyncio
import contextlib
from typing import Any, Final

import asyncssh
from lxml import etree

from labs.embedded.netconf_framing import Deframer, FramingError, frame
from labs.embedded.netconf_messages import BASE_1_1, append_error, hello, parse, peer_capabilities, reply, tag, to_bytes
from labs.embedded.netconf_rpcs import ConnectionDropped, Device, perform
from labs.embedded.rpc_error import RpcError, RpcErrors

_READ_BYTES: Final = 1 << 16


class NetconfSession:
    """Serves one client; RPCs are answered one after the other, in order.

    Attributes:
        number: the session-id of hello.
    """

    def __init__(self, number: int, device: Device, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        self.number = number
        self._device = device
        self._process = process
        self._deframer = Deframer()
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()

    def kill(self) -> None:
        """Cut the session off: the connection breaks, what the session held is released."""
        self._device.sessions.pop(self.number, None)
        self._device.stores.end_session(self.number)
        connection: Any = self._process.get_extra_info("connection")
        connection.abort()

    async def serve(self) -> None:
        """Run the session until either side closes it."""
        self._device.sessions[self.number] = self
        try:
            self._process.stdout.write(frame(hello(self.number, self._device.schema.capabilities), chunked=False))
            if await self._greeted():
                await self._converse()
        finally:
            self._device.sessions.pop(self.number, None)
            self._device.stores.end_session(self.number)
            self._process.exit(0)

    async def _greeted(self) -> bool:
        """Wait for the client's hello; without a proper one the session closes unanswered (RFC 6241, 8.1)."""
        message: bytes | None = None
        while message is None:
            data = await self._read()
            if not data:
                return False
            self._deframer.feed(data)
            message = self._deframer.next_message()
        try:
            self._deframer.chunked = BASE_1_1 in peer_capabilities(parse(message))
        except RpcError:
            return False
        return True

    async def _converse(self) -> None:
        # Receiving goes on while an RPC hangs: a client that leaves must be noticed.
        tasks = {asyncio.create_task(self._receive()), asyncio.create_task(self._work())}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.wait(tasks)
        for task in done:
            task.result()

    async def _receive(self) -> None:
        with contextlib.suppress(FramingError):
            # RFC 6242, 4.2: a peer that breaks the framing is cut off without an answer.
            self._sort_in()
            while data := await self._read():
                self._deframer.feed(data)
                self._sort_in()

    def _sort_in(self) -> None:
        while (message := self._deframer.next_message()) is not None:
            self._inbox.put_nowait(message)

    async def _read(self) -> bytes:
        """Return what the client sent, nothing once it is gone."""
        try:
            return await self._process.stdin.read(_READ_BYTES)
        except (asyncssh.Error, OSError):
            return b""

    async def _work(self) -> None:
        chunked = self._deframer.chunked
        while True:
            message = await self._inbox.get()
            try:
                answer, last = await self._answer(message)
            except ConnectionDropped:
                self.kill()
                return
            await asyncio.sleep(self._device.faults.latency_s)
            self._process.stdout.write(frame(to_bytes(answer), chunked=chunked))
            await self._process.stdout.drain()
            if last:
                return

    async def _answer(self, message: bytes) -> tuple[etree._Element, bool]:
        attributes: dict[str, str] = {}
        try:
            rpc = parse(message)
            attributes = {str(name): str(value) for name, value in rpc.attrib.items()}
            operation = _operation(rpc)
            data = await perform(self._device, self, operation)
        except (RpcError, RpcErrors) as refused:
            return self._refusal(attributes, refused), False
        answer = reply(attributes, rpc.nsmap)
        answer.append(data if data is not None else etree.Element(tag("ok")))
        return answer, operation.tag == tag("close-session")

    def _refusal(self, attributes: dict[str, str], refused: RpcError | RpcErrors) -> etree._Element:
        answer = reply(attributes, {})
        for error in refused.errors if isinstance(refused, RpcErrors) else [refused]:
            append_error(answer, error, self._device.schema.prefixes)
        return answer


def _operation(rpc: etree._Element) -> etree._Element:
    if rpc.tag != tag("rpc") or len(rpc) != 1:
        raise RpcError("malformed-message", "an <rpc> with one operation is due", layer="rpc")
    if rpc.get("message-id") is None:
        info = (("bad-attribute", "message-id"), ("bad-element", "rpc"))
        raise RpcError("missing-attribute", "the <rpc> lacks its message-id", layer="rpc", info=info)
    return rpc[0]
