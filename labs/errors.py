"""Errors of the labs.

LabError
├── TopologyError          a topology file cannot be used
├── LabStartError          a lab cannot be started
│   └── PortInUse          somebody else listens where a node wants to
├── UnknownLabNode         no managed node of that name
└── StartupConfigError     a node refuses its own startup configuration
"""

from collections.abc import Iterable
from pathlib import Path


class LabError(Exception):
    """Root of everything a lab can complain about."""


class TopologyError(LabError):
    """A topology file cannot be used.

    Attributes:
        path: the file.
        where: node, link or line inside it, as far as known.
    """

    def __init__(self, path: Path, where: str, problem: str) -> None:
        self.path = path
        self.where = where
        super().__init__(f"{path}: {where}: {problem}" if where else f"{path}: {problem}")


class LabStartError(LabError):
    """A lab cannot be started."""


class PortInUse(LabStartError):
    """Somebody else listens where a node wants to."""

    def __init__(self, node: str, protocol: str, address: str, port: int) -> None:
        self.node = node
        self.address = address
        self.port = port
        super().__init__(
            f"{node}: {address} port {port} ({protocol}) is already in use; stop what listens there, or start the lab "
            f"with another {protocol}_port (0 takes any free one)"
        )


class UnknownLabNode(LabError):
    """No managed node of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        super().__init__(f"unknown lab node {name!r}; managed nodes: {', '.join(sorted(known)) or 'none'}")


class StartupConfigError(LabError):
    """A node refuses its own startup configuration."""

    def __init__(self, node: str, problem: str) -> None:
        self.node = node
        super().__init__(f"{node}: startup configuration: {problem}")
