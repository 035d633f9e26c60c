"""yuma123's netconfd behind an SSH front of our own: a NETCONF device that nobody here wrote."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SERVER: Final = "/usr/sbin/netconfd"
SUBSYSTEM: Final = "/usr/sbin/netconf-subsystem"
ADDRESS: Final = "127.77.0.9"
USER: Final = "admin"
STARTED_S: Final = 20.0
ROOT: Final = Path(__file__).parents[3]


def installed() -> bool:
    """Say whether the Debian packages netconfd and yuma123's modules are there."""
    return all(shutil.which(tool) is not None for tool in (SERVER, SUBSYSTEM))


@contextmanager
def netconfd(folder: Path) -> Iterator[int]:
    """Run netconfd with its toaster module; yield the port of its SSH front on ``ADDRESS``."""
    socket = folder / "ncx.sock"
    # It is told the port of its SSH server, and refuses subsystems that name another one.
    command = [
        SERVER,
        "--module=toaster",
        "--no-startup",
        "--target=candidate",
        "--access-control=off",
        f"--superuser={USER}",
        "--port=830",
        f"--ncxserver-sockname={socket}",
        f"--log={folder / 'netconfd.log'}",
    ]
    environ = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(socket, server)
            with _front(socket) as port:
                yield port
        finally:
            server.terminate()


def _wait_for(socket: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline_s = time.monotonic() + STARTED_S
    while not socket.exists():
        assert server.poll() is None, "netconfd ended"
        assert time.monotonic() < deadline_s, "netconfd made no socket"
        time.sleep(0.02)


@contextmanager
def _front(socket: Path) -> Iterator[int]:
    """Run the SSH front in a process of its own: it ends with all of its sessions, whatever they are doing."""
    command = [sys.executable, "-m", "tests.labs.referees.ssh_front", ADDRESS, USER, SUBSYSTEM, str(socket)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as front:
        assert front.stdout is not None
        try:
            yield int(front.stdout.readline())
        finally:
            front.terminate()
