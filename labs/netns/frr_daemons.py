"""A real FRR in a namespace: its daemons, and what they say."""

import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labs.contracts import ExecResult
from labs.netns.commands import attempt, run, start_daemon
from labs.netns.errors import CommandFailed
from labs.netns.register import OPEN

PROGRAMS: Final = Path("/usr/lib/frr")
USER: Final = "frr"
ALWAYS: Final = ("zebra", "staticd")
BY_SECTION: Final = {"router bgp": "bgpd", "router ospf": "ospfd", "router isis": "isisd"}
"""Further daemons, needed when the start configuration holds such a section."""
CONFIGURATION: Final = "frr.conf"
_VTY_S: Final = 5.0
_STATUS_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class FrrDaemons:
    """FRR of one router.

    Attributes:
        folder: sockets, process files, configuration and logs.
    """

    name: str
    namespace: str
    folder: Path

    def start(self, configuration: str) -> None:
        """Start the daemons and load ``configuration``.

        Raises:
            CommandFailed: a daemon does not start, or vtysh refuses the configuration; says why.
        """
        self._prepare(configuration)
        wanted = [daemon for section, daemon in BY_SECTION.items() if f"\n{section}" in f"\n{configuration}"]
        for daemon in (*ALWAYS, *wanted):
            self._daemon(daemon)
        loaded = self.vtysh("-b")
        if loaded.return_code:
            raise CommandFailed(["vtysh", "-b"], loaded.stdout + loaded.stderr)

    def vtysh(self, *arguments: str) -> ExecResult:
        """Return what vtysh prints."""
        return attempt([*self.vtysh_command, *arguments])

    @property
    def vtysh_command(self) -> Sequence[str]:
        """The command that opens this router's command line."""
        return ("vtysh", "--vty_socket", str(self.folder), "--config_dir", str(self.folder))

    def running_config(self) -> str:
        """Return what ``show running-config`` prints.

        Raises:
            CommandFailed: the daemons do not answer.
        """
        return run([*self.vtysh_command, "-c", "show running-config"])

    def saved_config(self) -> str:
        """Return what the router would start with."""
        return (self.folder / CONFIGURATION).read_text(encoding="utf-8")

    @contextmanager
    def vty(self, daemon: str) -> Iterator["Vty"]:
        """Yield a direct connection to one daemon, which answers in less than a millisecond.

        Raises:
            OSError: the daemon does not listen.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_VTY_S)
            connection.connect(str(self.folder / f"{daemon}.vty"))
            vty = Vty(connection)
            vty.ask("enable")
            yield vty

    def _prepare(self, configuration: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.parent.chmod(OPEN)
        (self.folder / CONFIGURATION).write_text(configuration, encoding="utf-8")
        own = f"hostname {self.name}\nservice integrated-vtysh-config\n"
        (self.folder / "vtysh.conf").write_text(own, encoding="utf-8")
        for daemon in (*ALWAYS, *BY_SECTION.values()):
            (self.folder / f"{daemon}.conf").write_text(f"hostname {self.name}\n", encoding="utf-8")
        for place in (self.folder, *self.folder.iterdir()):
            shutil.chown(place, USER, USER)

    def _daemon(self, daemon: str) -> None:
        place = self.folder / daemon
        start_daemon(
            [
                PROGRAMS / daemon,
                "-d",
                *("--vty_socket", self.folder),
                *("-i", f"{place}.pid"),
                *("-z", self.folder / "zserv.api"),
                *("-f", f"{place}.conf"),
                *("--log", f"file:{place}.log"),
            ],
            namespace=self.namespace,
            log=self.folder / f"{daemon}.out",
            environ=dict(os.environ),
        )


class Vty:
    """A connection to one daemon's own command line, as vtysh itself has it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def ask(self, command: str) -> str:
        """Return the daemon's answer.

        Raises:
            OSError: the daemon went away or does not answer.
        """
        self._connection.sendall(command.encode() + b"\0")
        answer = bytearray()
        # Three zero bytes and the command's status end an answer.
        while not (len(answer) >= _STATUS_BYTES and not any(answer[-_STATUS_BYTES:-1])):
            chunk = self._connection.recv(65536)
            if not chunk:
                raise ConnectionResetError("the daemon closed its command line")
            answer += chunk
        return answer[:-_STATUS_BYTES].decode(errors="replace").replace("\0", "")
