"""Network namespaces, the cables between them, and what runs inside."""

import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labs.netns.commands import attempt, run
from labs.netns.errors import NotSettled

PLACES: Final = Path("/run/netns")
TRUNK_MTU: Final = 1600
"""On cables that carry tags: a full frame and two of them."""
END_S: Final = 5.0
_POLL_S: Final = 0.01
_OFFLOADS: Final = ("tx", "rx", "tso", "gso", "gro")


@dataclass(frozen=True, slots=True, kw_only=True)
class CableEnd:
    """One end of a cable."""

    namespace: str
    interface: str


def existing(names: Iterable[str]) -> list[str]:
    """Return which of the namespaces exist."""
    return [name for name in names if (PLACES / name).exists()]


def make(name: str) -> None:
    """Make a namespace whose loopback is up and which forwards what it routes.

    Raises:
        CommandFailed: the kernel refuses.
    """
    run(["ip", "netns", "add", name])
    run(["ip", "-n", name, "link", "set", "lo", "up"])


def cable(a: CableEnd, b: CableEnd, *, tagged: bool) -> None:
    """Join two namespaces with a cable and bring both ends up.

    Args:
        a: one end.
        b: the other.
        tagged: whether frames carry VLAN tags on it.

    Raises:
        CommandFailed: the kernel refuses.
    """
    left = ["link", "add", "name", a.interface, "netns", a.namespace, "type", "veth"]
    run(["ip", *left, "peer", "name", b.interface, "netns", b.namespace])
    for end in (a, b):
        mtu = ["mtu", str(TRUNK_MTU)] if tagged else []
        run(["ip", "-n", end.namespace, "link", "set", end.interface, *mtu, "up"])
        # Frames whose checksum "the hardware" is to fill in, or that it is to cut, pass no userspace switch.
        off = [word for feature in _OFFLOADS for word in (feature, "off")]
        run(["ethtool", "-K", end.interface, *off], namespace=end.namespace)


def set_up(end: CableEnd, *, is_up: bool) -> None:
    """Plug a cable in or cut it.

    Raises:
        CommandFailed: the kernel refuses.
    """
    run(["ip", "-n", end.namespace, "link", "set", end.interface, "up" if is_up else "down"])


def forward(name: str) -> None:
    """Make a namespace route what is not for itself.

    Raises:
        CommandFailed: the kernel refuses.
    """
    run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], namespace=name)


def remove(names: Iterable[str]) -> list[str]:
    """End all that runs in the namespaces, remove them and return which there were.

    Raises:
        NotSettled: a process does not end.
    """
    found = existing(names)
    for name in found:
        _end_processes(name)
    for name in found:
        run(["ip", "netns", "delete", name])
    return found


def processes(name: str) -> tuple[int, ...]:
    """Return the processes inside a namespace."""
    listed = attempt(["ip", "netns", "pids", name]).stdout.split()
    return tuple(int(pid) for pid in listed)


def _end_processes(name: str) -> None:
    deadline_s = time.monotonic() + END_S
    while left := processes(name):
        for pid in left:
            _kill(pid)
        if time.monotonic() > deadline_s:
            raise NotSettled(name, END_S, f"processes {', '.join(map(str, left))} do not end, not even when killed")
        time.sleep(_POLL_S)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
