"""A command line on a bare SSH channel, beside the NETCONF subsystem of the same port."""

import asyncio
from typing import Any

import asyncssh

from labs.embedded.cli_server import CliShell
from labs.embedded.cli_terminal import Terminal


class ChannelProcess:
    """A channel as :class:`labs.embedded.cli_terminal.Terminal` wants to see it.

    Attributes:
        term_type: the terminal's type; None without one.
        term_size: its columns and rows, and two numbers nobody uses.
    """

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]") -> None:
        self._channel = channel
        self._typed: asyncio.Queue[str] = asyncio.Queue()
        self.term_type = channel.get_terminal_type()
        self.term_size = channel.get_terminal_size()

    @property
    def stdin(self) -> "ChannelProcess":
        """What is typed."""
        return self

    @property
    def stdout(self) -> "ChannelProcess":
        """What is shown."""
        return self

    def feed(self, data: bytes) -> None:
        """Take in what was typed; nothing means that no more comes."""
        self._typed.put_nowait(data.decode(errors="replace"))

    async def read(self, most: int) -> str:
        """Return what was typed next, empty at the end."""
        del most
        return await self._typed.get()

    def write(self, text: str) -> None:
        """Show ``text``; a terminal wants a carriage return before each new line."""
        if not self._channel.is_closing():
            shown = text.replace("\n", "\r\n") if self.term_type is not None else text
            self._channel.write(shown.encode())


async def converse(process: ChannelProcess, shell: CliShell) -> None:
    """Let a person talk to ``shell`` until either leaves."""
    as_process: Any = process  # two of its methods are all that a terminal needs
    terminal = Terminal(as_process, shell.help)
    while not shell.closed:
        line = await terminal.line(shell.prompt())
        if line is None:
            break
        pager = shell.pager()
        await terminal.page(await shell.run(line), lines=pager.lines, more=pager.more)
    terminal.close()
