"""eAPI: an EOS command line as JSON-RPC over HTTP or HTTPS (``POST /command-api``, method ``runCmds``)."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import asyncssh

from labs.embedded.cli_faults import GARBAGE, WHOLE, spoiled
from labs.embedded.cli_server import CliShell, LinkDropped
from labs.embedded.contracts import Credentials
from labs.embedded.faults import FaultBoard
from labs.embedded.self_signed import Certificates
from labs.embedded.ssh_server import Limits
from labs.errors import LabStartError

LABEL: Final = "lastmile.eapi"
"""Node label: ``http`` or ``https``; without it the switch has no eAPI."""
PORTS: Final[Mapping[str, int]] = {"http": 8080, "https": 8443}
PATH: Final = "/command-api"
LONGEST_BODY: Final = 16_000_000
PARSE_ERROR, METHOD_NOT_FOUND = -32700, -32601
FAILED, INVALID, UNCONVERTED = 1000, 1002, 1003
INVALID_WORDS: Final = ("% Invalid", "% Incomplete", "% Ambiguous")


class BadRequest(Exception):
    """What came is no request that the server answers with more than a status, and a word why."""

    def __init__(self, status: str, why: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.why = why


class Eapi:
    """The eAPI of one switch. Each request is a login and a command line of its own."""

    def __init__(
        self, scheme: str, *, credentials: Credentials, faults: FaultBoard, new_shell: Callable[[], CliShell]
    ) -> None:
        if scheme not in PORTS:
            raise LabStartError(f"{LABEL} is {scheme!r}; legal: {', '.join(PORTS)}")
        self._scheme = scheme
        self._new_shell = new_shell
        self._faults = faults
        self._limits = Limits(faults)
        token = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        self._authorization = f"Basic {token}"
        self._server: asyncio.Server | None = None
        self._port: int | None = None
        self._requests: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._certificates = Certificates() if scheme == "https" else None

    async def start(self, address: str, *, free_port: bool) -> None:
        """Listen on ``address``: on any free port, or on that of the scheme, or on the one it had.

        Raises:
            OSError: the port is taken.
        """
        port = self._port if self._port is not None else 0 if free_port else PORTS[self._scheme]
        context = self._certificates.context if self._certificates is not None else None
        self.faults_changed()
        self._server = await asyncio.start_server(self._serve, address, port, ssl=context)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket and cut every connection, as a switch does that loses power."""
        if self._server is None:
            return
        self._server.close()
        requests = dict(self._requests)
        for task, writer in requests.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*requests, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def faults_changed(self) -> None:
        """Show the certificate that the faults ask for: the switch's own, or another."""
        if self._certificates is not None:
            self._certificates.show(another=self._faults.amount("changed_host_key") is not None)

    def ports(self) -> dict[str, int]:
        """Return the port in use by scheme."""
        return {self._scheme: self._port} if self._server is not None and self._port is not None else {}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # asyncio calls this in one
        self._requests[task] = writer
        try:
            await self._served(reader, writer)
        except LinkDropped:
            writer.transport.abort()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client went away: there is nobody to tell
        finally:
            del self._requests[task]
            writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._faults.strikes("hang_before_hello"):
            await reader.read()
            return
        try:
            body = await self._request(reader)
            status, data = "200 OK", await _while_heard(self._rpc(body), reader)
        except BadRequest as bad:
            status, data = bad.status, bad.why.encode()
        await asyncio.sleep(self._faults.latency_s)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + data)
        await writer.drain()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        """Return the body of a request that is let in."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, *_ = [*lines[0].split(), "", ""]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._authorization.encode()):
            raise BadRequest("401 Unauthorized")
        try:
            self._limits.check(len(self._requests))
        except asyncssh.DisconnectError as refused:
            raise BadRequest("503 Service Unavailable", refused.reason) from None
        if path != PATH:
            raise BadRequest("404 Not Found")
        length = headers.get("content-length", "")
        if method != "POST" or not length.isdecimal() or int(length) > LONGEST_BODY:
            raise BadRequest("400 Bad Request")
        return await reader.readexactly(int(length))

    async def _rpc(self, body: bytes) -> bytes:
        """Return what the switch answers: JSON, but for its faults."""
        try:
            request = json.loads(body)
            parameters = request["params"]
            commands = [each if isinstance(each, str) else str(each["cmd"]) for each in parameters["cmds"]]
        except (ValueError, KeyError, TypeError):
            return _error(None, PARSE_ERROR, "no request with params.cmds", [])
        number, text = request.get("id"), parameters.get("format") == "text"
        if request.get("method") != "runCmds":
            return _error(number, METHOD_NOT_FOUND, "method not found; known: runCmds", [])
        if any(command.startswith(WHOLE) for command in commands) and self._faults.strikes("garbage"):
            return GARBAGE.encode()
        shell = self._new_shell()
        try:
            return await self._run_all(shell, commands, number, text=text)
        except LinkDropped:
            shell.broke()
            raise

    async def _run_all(self, shell: CliShell, commands: Sequence[str], request: object, *, text: bool) -> bytes:
        results: list[Mapping[str, Any]] = []
        for number, command in enumerate(commands, start=1):
            result, code = await self._run(shell, command, text=text)
            results.append(result)
            if code:
                why = "invalid command" if code == INVALID else "could not run command"
                message = f"CLI command {number} of {len(commands)} '{command}' failed: {why}"
                return _error(request, code, message, results)
        return json.dumps({"jsonrpc": "2.0", "id": request, "result": results}).encode()

    async def _run(self, shell: CliShell, command: str, *, text: bool) -> tuple[Mapping[str, Any], int]:
        """Return what a command gives, and the code of its error; 0 where it went well."""
        shows = command.split()[:1] in (["show"], ["sh"]) and not text
        reply = spoiled(self._faults, command, await shell.run(f"{command} | json" if shows else command))
        if reply.startswith("% "):
            code = INVALID if reply.startswith(INVALID_WORDS) else FAILED
            return {"errors": reply.splitlines()}, UNCONVERTED if "unconverted" in reply else code
        if text:
            return {"output": reply}, 0
        return (json.loads(reply) if shows else {}), 0


async def _while_heard(answer: Coroutine[Any, Any, bytes], reader: asyncio.StreamReader) -> bytes:
    """Return the answer; a client that goes away meanwhile ends what is done for it.

    Raises:
        ConnectionResetError: the client went away.
    """
    answering, gone = asyncio.ensure_future(answer), asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ConnectionResetError("the client went away before its answer")
        return answering.result()
    finally:
        for each in (answering, gone):
            each.cancel()
        await asyncio.gather(answering, gone, return_exceptions=True)


def _error(number: object, code: int, message: str, results: list[Mapping[str, Any]]) -> bytes:
    error = {"code": code, "message": message, "data": results}
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode()
