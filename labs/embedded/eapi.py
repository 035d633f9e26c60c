"""eAPI: an EOS command line as JSON-RPC over HTTP or HTTPS (``POST /command-api``, method ``runCmds``)."""

import asyncio
import base64
import datetime as dt
import hmac
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from labs.embedded.cli_server import CliShell, LinkDropped
from labs.embedded.contracts import Credentials
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
    """What came is no request that the server answers with more than a status."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Eapi:
    """The eAPI of one switch."""

    def __init__(self, scheme: str, *, credentials: Credentials, new_shell: Callable[[], CliShell]) -> None:
        if scheme not in PORTS:
            raise LabStartError(f"{LABEL} is {scheme!r}; legal: {', '.join(PORTS)}")
        self._scheme = scheme
        self._new_shell = new_shell
        token = base64.b64encode(f"{credentials.username}:{credentials.password}".encode()).decode()
        self._authorization = f"Basic {token}"
        self._server: asyncio.Server | None = None
        self._port: int | None = None

    async def start(self, address: str, *, free_port: bool) -> None:
        """Listen on ``address``: on any free port, or on that of the scheme, or on the one it had.

        Raises:
            OSError: the port is taken.
        """
        port = self._port if self._port is not None else 0 if free_port else PORTS[self._scheme]
        context = _context() if self._scheme == "https" else None
        self._server = await asyncio.start_server(self._serve, address, port, ssl=context)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the socket."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def ports(self) -> dict[str, int]:
        """Return the port in use by scheme."""
        return {self._scheme: self._port} if self._server is not None and self._port is not None else {}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            status, body = "200 OK", await self._answer(reader)
        except BadRequest as bad:
            status, body = bad.status, ""
        except LinkDropped:
            writer.transport.abort()
            return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        data = body.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + data)
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> str:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, *_ = [*lines[0].split(), "", ""]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if not hmac.compare_digest(headers.get("authorization", "").encode(), self._authorization.encode()):
            raise BadRequest("401 Unauthorized")
        if path != PATH:
            raise BadRequest("404 Not Found")
        length = headers.get("content-length", "")
        if method != "POST" or not length.isdecimal() or int(length) > LONGEST_BODY:
            raise BadRequest("400 Bad Request")
        return json.dumps(await self._rpc(await reader.readexactly(int(length))))

    async def _rpc(self, body: bytes) -> Mapping[str, Any]:
        try:
            request = json.loads(body)
            parameters = request["params"]
            commands = [each if isinstance(each, str) else str(each["cmd"]) for each in parameters["cmds"]]
        except (ValueError, KeyError, TypeError):
            return _error(None, PARSE_ERROR, "no request with params.cmds", [])
        if request.get("method") != "runCmds":
            return _error(request.get("id"), METHOD_NOT_FOUND, "method not found; known: runCmds", [])
        results: list[Mapping[str, Any]] = []
        shell = self._new_shell()
        for number, command in enumerate(commands, start=1):
            result, code = await _run(shell, command, text=parameters.get("format") == "text")
            results.append(result)
            if code:
                why = "invalid command" if code == INVALID else "could not run command"
                message = f"CLI command {number} of {len(commands)} '{command}' failed: {why}"
                return _error(request.get("id"), code, message, results)
        return {"jsonrpc": "2.0", "id": request.get("id"), "result": results}


async def _run(shell: CliShell, command: str, *, text: bool) -> tuple[Mapping[str, Any], int]:
    """Return what a command gives, and the code of its error; 0 where it went well."""
    shows = command.split()[:1] in (["show"], ["sh"]) and not text
    reply = await shell.run(f"{command} | json" if shows else command)
    if reply.startswith("% "):
        code = INVALID if reply.startswith(INVALID_WORDS) else FAILED
        return {"errors": reply.splitlines()}, UNCONVERTED if "unconverted" in reply else code
    if text:
        return {"output": reply}, 0
    return (json.loads(reply) if shows else {}), 0


def _error(number: object, code: int, message: str, results: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message, "data": results}}


def _context() -> ssl.SSLContext:
    """Return the server side of TLS with a certificate that the switch signs itself, as EOS does."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self.signed")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:  # the ssl module reads files only
        file = Path(folder) / "eapi.pem"
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file)
    return context
