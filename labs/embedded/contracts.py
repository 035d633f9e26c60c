"""The seam between the embedded lab and its emulated devices."""

from dataclasses import dataclass, field
from typing import Protocol

from labs.embedded.faults import FaultBoard, Trait


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

    @property
    def traits(self) -> frozenset[Trait]:
        """What the device has, which says what faults mean something on it."""
        ...

    async def start(self, address: str, *, ssh_port: int, netconf_port: int) -> None:
        """Listen on ``address``; port 0 means any free one; the sockets of protocols the device lacks stay closed."""
        ...

    async def stop(self) -> None:
        """Close every socket and session; the configuration stays."""
        ...

    def ports(self) -> dict[str, int]:
        """Return the ports in use by protocol, e.g. ``{"ssh": 2222}`` or ``{"netconf": 8830}``."""
        ...

    def leftovers(self) -> tuple[str, ...]:
        """Return what clients hold or have left behind: locks, uncommitted changes, unconfirmed commits."""
        ...

    def running_config(self) -> str:
        """Return the running configuration as the device itself would show it. Callable from any thread."""
        ...
