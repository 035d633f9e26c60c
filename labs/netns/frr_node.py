"""A real FRR behind the same SSH address as the emulated one: each session is a vtysh of its own."""

import asyncio
import codecs
import errno
import fcntl
import os
import pty
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import asyncssh

from labs.embedded.contracts import Credentials, forget
from labs.embedded.faults import FaultBoard, Trait
from labs.embedded.ssh_server import Door, Listener, listen
from labs.netns.frr_daemons import FrrDaemons

WIDTH: Final = 511
"""Columns of a session at least; narrower, the line editor folds long lines, which screen scrapers stumble over."""
HEIGHT: Final = 24
_CHUNK: Final = 65536
_ENDING_S: Final = 2.0
_INTERRUPT: Final = b"\x03"


class RealFrrNode:
    """One router. Its daemons are started and stopped by the lab; this is the way in."""

    def __init__(
        self,
        *,
        name: str,
        daemons: FrrDaemons,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        saved: Callable[[str], None] = forget,
    ) -> None:
        self.name = name
        self.faults = FaultBoard()
        self._daemons = daemons
        self._door = Door(credentials=credentials, host_key=host_key, faults=self.faults)
        self._saved = saved
        self._kept = daemons.saved_config()
        self._listener: Listener | None = None
        self.faults.changed = self._faults_changed

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen for SSH on ``address``; the router has no NETCONF."""
        del netconf_port
        self._listener = await listen(address=address, port=ssh_port, door=self._door, serve=self._serve)

    async def stop(self) -> None:
        """Close the socket and every session; the router itself goes on."""
        self._keep()
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def _faults_changed(self) -> None:
        if self._listener is not None:
            self._listener.show_key(self.faults)

    def ports(self) -> dict[str, int]:
        """Return the SSH port in use."""
        return {"ssh": self._listener.port} if self._listener is not None else {}

    @property
    def traits(self) -> frozenset[Trait]:
        """The way in alone is ours: the router behind it is real, and makes no trouble on demand."""
        return frozenset({"login"})

    def leftovers(self) -> tuple[str, ...]:
        """Return nothing: vtysh changes the running configuration line by line."""
        return ()

    def running_config(self) -> str:
        """Return what ``show running-config`` prints."""
        return self._daemons.running_config()

    async def _serve(self, process: "asyncssh.SSHServerProcess[Any]") -> None:
        if process.command is not None:
            lines = [word for line in process.command.splitlines() for word in ("-c", line)]
            done = await asyncio.to_thread(self._daemons.vtysh, *lines)
            process.stdout.write(done.stdout)
            process.stderr.write(done.stderr)
            process.exit(done.return_code)
        else:
            process.exit(await _dialogue(process, self._daemons.vtysh_command, self._environ()))
        self._keep()

    def _keep(self) -> None:
        """Pass on what the router wrote to its own memory."""
        kept = self._daemons.saved_config()
        if kept != self._kept:
            self._kept = kept
            self._saved(kept)

    def _environ(self) -> dict[str, str]:
        place = self._daemons.folder / "inputrc"
        # The marks around pasted text are for people's terminals; screen scrapers take them for output.
        place.write_text("set enable-bracketed-paste off\n", encoding="utf-8")
        return {"PATH": os.environ.get("PATH", "/usr/bin"), "INPUTRC": str(place), "VTYSH_PAGER": "cat"}


async def _dialogue(
    process: "asyncssh.SSHServerProcess[Any]", command: Sequence[str], environ: Mapping[str, str]
) -> int:
    """Join an SSH session with a program on a terminal until one of them ends; return the program's end."""
    if isinstance(process.channel, asyncssh.SSHLineEditorChannel) and process.term_type is not None:
        process.channel.set_line_mode(False)
    master, slave = pty.openpty()
    _resize(master, *(process.term_size[:2] if process.term_type is not None else (WIDTH, HEIGHT)))
    try:
        # setsid --ctty: the terminal is the program's own, so that ^C reaches it.
        program = await asyncio.create_subprocess_exec(
            *("setsid", "--ctty", *command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environ, "TERM": process.term_type or "dumb"},
            cwd="/",
        )
    finally:
        os.close(slave)
    typing = asyncio.ensure_future(_type(process, master))
    showing = asyncio.ensure_future(_show(process, os.dup(master)))
    try:
        await asyncio.wait({typing, showing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (typing, showing):
            task.cancel()
        await asyncio.gather(typing, showing, return_exceptions=True)
        os.close(master)
        await _ended(program)
    return await program.wait()


async def _ended(program: asyncio.subprocess.Process) -> None:
    """End ``program`` and wait until it has: also where the session is broken off, no process stays behind."""
    if program.returncode is None:
        program.terminate()
    try:
        async with asyncio.timeout(_ENDING_S):
            await program.wait()
    except TimeoutError:
        program.kill()
        await program.wait()


async def _type(process: "asyncssh.SSHServerProcess[Any]", master: int) -> None:
    while True:
        try:
            typed = await process.stdin.read(_CHUNK)
        except asyncssh.TerminalSizeChanged as changed:
            _resize(master, changed.width, changed.height)
            continue
        except asyncssh.BreakReceived:
            os.write(master, _INTERRUPT)
            continue
        if not typed:
            return
        os.write(master, typed.encode())


async def _show(process: "asyncssh.SSHServerProcess[Any]", master: int) -> None:
    reader = asyncio.StreamReader()
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(master, "rb", 0)
    )
    try:
        while shown := await reader.read(_CHUNK):
            process.stdout.write(decode(shown))
            await process.stdout.drain()
    except OSError as gone:
        # EIO: the program is gone, and its end of the terminal with it.
        if gone.errno != errno.EIO:
            raise
    finally:
        transport.close()


def _resize(master: int, width: int, height: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", height or HEIGHT, max(width, WIDTH), 0, 0))
