"""Errors of the netns runtime.

LabError
└── NetnsError
    ├── CommandFailed       a program of the system refused what it was told
    ├── NotSettled          a device's data plane did not follow its configuration in time
    ├── NamesTaken          namespaces of that name exist and are not this lab's
    └── TrafficFailed       a measurement could not be made
"""

from collections.abc import Iterable, Sequence

from labs.errors import LabError


class NetnsError(LabError):
    """Root of what the netns runtime can complain about."""


class CommandFailed(NetnsError):
    """A program of the system refused what it was told.

    Attributes:
        argv: the command.
        said: what it printed on standard error.
    """

    def __init__(self, argv: Sequence[str], said: str) -> None:
        self.argv = tuple(argv)
        self.said = said.strip()
        super().__init__(f"{' '.join(argv)}: {self.said or 'failed and said nothing'}")


class NotSettled(NetnsError):
    """A device's data plane did not follow its configuration in time."""

    def __init__(self, node: str, timeout_s: float, why: str) -> None:
        self.node = node
        super().__init__(f"{node}: the data plane did not follow the configuration within {timeout_s:g} s: {why}")


class NamesTaken(NetnsError):
    """Namespaces of that name exist and are not this lab's."""

    def __init__(self, lab: str, names: Iterable[str], why: str) -> None:
        super().__init__(f"lab {lab}: {', '.join(sorted(names))}: {why}")


class TrafficFailed(NetnsError):
    """A measurement could not be made."""
