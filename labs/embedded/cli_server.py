"""A device with a command line behind SSH: sessions, single commands, lost connections."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol

import asyncssh

from labs.embedded.cli_faults import CANCELLED, MORE, PAGE_LINES, QUESTION, asks_first, shown_prompt, spoiled
from labs.embedded.cli_terminal import Terminal
from labs.embedded.contracts import Credentials
from labs.embedded.faults import FaultBoard
from labs.embedded.ssh_server import Door, Listener, listen


class LinkDropped(Exception):
    """The device loses the connection in the middle of a command; the client gets no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """How long output is shown to a person.

    Attributes:
        lines: of one page; 0: everything at once; None: as many as the terminal has.
        more: what waits for a key at the end of a page.
    """

    lines: int | None = 0
    more: str = MORE


class CliShell(Protocol):
    """What one logged-in user talks to."""

    @property
    def closed(self) -> bool:
        """Whether the user has left."""
        ...

    def prompt(self) -> str:
        """Return the prompt of the current mode."""
        ...

    async def run(self, line: str) -> str:
        """Return what the device prints for ``line``, each printed line ended.

        Raises:
            LinkDropped: instead of an answer.
        """
        ...

    def broke(self) -> None:
        """Note that the line broke with the user still logged in."""
        ...

    def help(self, typed: str) -> str:
        """Return what may follow ``typed``, one possibility a line."""
        ...

    def pager(self) -> Pager:
        """Return how long output is shown."""
        ...


async def hang() -> NoReturn:
    """Never return, as a device whose configuration agent is stuck."""
    await asyncio.Event().wait()
    raise AssertionError  # pragma: no cover


class CliServer:
    """The SSH side of one device with a command line."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        host_key: asyncssh.SSHKey,
        faults: FaultBoard,
        new_shell: Callable[[], CliShell],
    ) -> None:
        self._door = Door(credentials=credentials, host_key=host_key, faults=faults)
        self._faults = faults
        self._new_shell = new_shell
        self._listener: Listener | None = None
        self._fault_change = asyncio.Event()
        faults.changed = self.faults_changed

    async def start(self, address: str, port: int) -> None:
        """Listen on ``address``; port 0 means any free one."""
        self._listener = await listen(
            address=address,
            port=port,
            door=self._door,
            serve=self._serve,
        )

    async def stop(self) -> None:
        """Close the socket and every session."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def faults_changed(self) -> None:
        """Show the host key that the faults ask for, and let sessions that wait see what else is new."""
        self._fault_change.set()
        self._fault_change = asyncio.Event()
        if self._listener is not None:
            self._listener.show_key(self._faults)

    def ports(self) -> dict[str, int]:
        """Return the SSH port while listening."""
        return {"ssh": self._listener.port} if self._listener is not None else {}

    async def _serve(self, process: "asyncssh.SSHServerProcess[Any]") -> None:
        session = asyncio.ensure_future(self._session(process))
        gone = asyncio.ensure_future(process.channel.wait_closed())
        await asyncio.wait({session, gone}, return_when=asyncio.FIRST_COMPLETED)
        session.cancel()
        gone.cancel()
        results = await asyncio.gather(session, gone, return_exceptions=True)
        if isinstance(results[0], Exception) and not isinstance(results[0], ConnectionError):
            raise results[0]

    async def _session(self, process: "asyncssh.SSHServerProcess[Any]") -> None:
        shell = self._new_shell()
        try:
            if process.command is not None:
                await self._commands(process, shell, process.command)
            else:
                await self._dialogue(process, shell)
        except LinkDropped:
            process.channel.get_connection().abort()
            return
        finally:
            if not shell.closed:
                shell.broke()
        process.exit(0)

    async def _commands(self, process: "asyncssh.SSHServerProcess[Any]", shell: CliShell, commands: str) -> None:
        for command in commands.splitlines():
            process.stdout.write(await self._reply(shell, command))

    async def _dialogue(self, process: "asyncssh.SSHServerProcess[Any]", shell: CliShell) -> None:
        if isinstance(process.channel, asyncssh.SSHLineEditorChannel) and process.term_type is not None:
            # asyncssh's own line editor redraws with escape sequences, which screen scrapers stumble over.
            process.channel.set_line_mode(False)
        terminal = Terminal(process, shell.help)
        if self._faults.strikes("hang_before_hello"):
            await hang()
        while not shell.closed:
            prompt = shown_prompt(self._faults, shell.prompt())
            line = await self._line(terminal, prompt)
            if line is None:
                break
            if asks_first(self._faults, prompt) and await terminal.line(QUESTION) not in {"y", "Y", "yes"}:
                terminal.write(CANCELLED)
                continue
            reply = await self._reply(shell, line)
            pager = shell.pager()
            if self._faults.amount("pager") is not None:
                pager = replace(pager, lines=PAGE_LINES)
            await terminal.page(reply, lines=pager.lines, more=pager.more)
        terminal.close()

    async def _line(self, terminal: Terminal, prompt: str) -> str | None:
        """Return the next line; a session that nobody uses for as long as the faults say is dropped."""
        reading = asyncio.ensure_future(terminal.line(prompt))
        try:
            while not reading.done():
                changed = asyncio.ensure_future(self._fault_change.wait())
                waiting = {reading, changed}
                idle_s = self._faults.amount("idle_disconnect")
                done, _ = await asyncio.wait(waiting, timeout=idle_s, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if not done:
                    raise LinkDropped
            return await reading
        finally:
            reading.cancel()

    async def _reply(self, shell: CliShell, line: str) -> str:
        reply = spoiled(self._faults, line, await shell.run(line))
        if self._faults.latency_s:
            await asyncio.sleep(self._faults.latency_s)
        return reply
