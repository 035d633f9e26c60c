"""The seam between the embedded lab and its emulated devices."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

FaultKind = Literal[
    "refuse_edit",
    "refuse_commit",
    "hang_in_commit",
    "drop_before_commit",
    "drop_after_commit",
    "commit_changes_nothing",
    "rollback_fails",
]
"""What an emulated device can be told to do wrong. "Unreachable" is the lab's: it closes the sockets."""


@dataclass(slots=True)
class FaultBoard:
    """Faults of one node, switched on and off while it runs.

    Attributes:
        active: fault to how many times it still strikes (-1: always).
        latency_s: added to every reply.
        commit_s: how long a commit takes.
    """

    active: dict[FaultKind, int] = field(default_factory=dict)
    latency_s: float = 0.0
    commit_s: float = 0.0

    def strikes(self, kind: FaultKind) -> bool:
        """Say whether ``kind`` strikes now, and count it."""
        left = self.active.get(kind, 0)
        if left > 0:
            self.active[kind] = left - 1
        return left != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who may log in."""

    username: str
    password: str = field(repr=False)


def forget(text: str) -> None:
    """Keep nothing: the memory of a node whose configuration need not outlive the process."""
    del text


def unwatched() -> None:
    """Do nothing: what a node calls whose configuration nobody watches."""


class EmulatedNode(Protocol):
    """One emulated device. All coroutines run on the lab's own event loop.

    Its constructor takes ``saved``, called with the whole configuration whenever the device writes it to its
    non-volatile memory: what it would start with after a power cut.
    """

    name: str
    faults: FaultBoard

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen on ``address``; port 0 means any free one; the sockets of protocols the device lacks stay closed."""
        ...

    async def stop(self) -> None:
        """Close every socket and session; the configuration stays."""
        ...

    def ports(self) -> dict[str, int]:
        """Return the ports in use by protocol, e.g. ``{"ssh": 2222}`` or ``{"netconf": 8830}``."""
        ...

    def running_config(self) -> str:
        """Return the running configuration as the device itself would show it. Callable from any thread."""
        ...
