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
from labs.netns.names import vrf_namespace
from labs.netns.namespaces import PLACES
from labs.netns.register import OPEN

PROGRAMS: Final = Path("/usr/lib/frr")
USER: Final = "frr"
ALWAYS: Final = ("zebra", "staticd")
BY_SECTION: Final = {"router bgp": "bgpd", "router ospf": "ospfd", "router isis": "isisd"}
"""Further daemons, needed when the start configuration holds such a section."""
CONFIGURATION: Final = "frr.conf"
_OWN_PLACES: Final = """
mount -t tmpfs -o mode=755 tmpfs "$2" || exit
for each in "$1"*; do
  [ -e "$each" ] || continue
  touch "$2/${each#"$1"}" && mount --bind "$each" "$2/${each#"$1"}" || exit
done
mount --move "$2" "$0" && shift 2 && exec "$@"
"""
"""FRR takes every named namespace for a VRF: it sees a folder of its own, with those of this router alone."""
_SHOW: Final = 'grep -q " $1 " /proc/self/mountinfo || { touch "$1" && mount --bind /proc/self/fd/0 "$1"; }'
_HIDE: Final = 'if [ -e "$1" ]; then umount --lazy "$1"; rm "$1"; fi'
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
        self._daemon("zebra", "--vrfwnetns", wrapped=self._own_places())
        for daemon in ("staticd", *wanted):
            self._daemon(daemon)
        loaded = self.vtysh("-b")
        if loaded.return_code:
            raise CommandFailed(["vtysh", "-b"], loaded.stdout + loaded.stderr)

    def show_vrf(self, vrf: str) -> None:
        """Let a running FRR find a VRF whose namespace stands; one that starts finds those there are.

        Raises:
            CommandFailed: the kernel refuses.
        """
        if self._zebra() is not None:
            self._in_own_places(_SHOW, vrf, PLACES / vrf_namespace(self.namespace, vrf))

    def hide_vrf(self, vrf: str) -> None:
        """Take a VRF away from FRR.

        Raises:
            CommandFailed: the kernel refuses.
        """
        self._in_own_places(_HIDE, vrf, Path("/dev/null"))

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

    def _zebra(self) -> int | None:
        try:
            return int((self.folder / "zebra.pid").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def _own_places(self) -> Sequence[str | Path]:
        """Return what starts a program that finds the VRFs there are, by their names."""
        spare = self.folder / "places"
        spare.mkdir(exist_ok=True)
        return ("sh", "-c", _OWN_PLACES, PLACES, PLACES / vrf_namespace(self.namespace, ""), spare)

    def _in_own_places(self, script: str, vrf: str, place: Path) -> None:
        """Run a script where zebra sees named namespaces; its input is the file at ``place``."""
        # The file is opened here: where zebra looks it does not stand.
        with place.open(encoding="utf-8") as opened:
            there = ["nsenter", f"--mount=/proc/{self._zebra()}/ns/mnt"]
            run([*there, "sh", "-c", script, "sh", PLACES / vrf], fed=opened)

    def _daemon(self, daemon: str, *options: str, wrapped: Sequence[str | Path] = ()) -> None:
        place = self.folder / daemon
        start_daemon(
            [
                *wrapped,
                PROGRAMS / daemon,
                "-d",
                *options,
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
