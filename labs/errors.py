"""Errors of the labs.

LabError
├── TopologyError          a topology file cannot be used
├── LabStartError          a lab cannot be started
│   └── PortInUse          somebody else listens where a node wants to
├── LabNotRunning          the lab is not deployed
├── LabGone                the process that holds the lab does not answer
├── UnknownLabNode         no managed node of that name
├── NotOnThisNode          the node takes no commands in this runtime
├── NotInThisRuntime       the runtime cannot do that at all
├── UnknownFault           no fault of that kind
├── UnusableFault          a fault with numbers that its kind does not take
├── MeaninglessFault       a fault that means nothing on this node
├── ToolFailed             another tool that a runtime calls failed
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


class LabNotRunning(LabError):
    """The lab is not deployed."""

    def __init__(self, lab: str, folder: Path) -> None:
        self.lab = lab
        super().__init__(f"lab {lab} is not deployed ({folder} knows of none); 'lastmile lab deploy' brings it up")


class LabGone(LabError):
    """The process that holds the lab ended or does not answer."""


class UnknownLabNode(LabError):
    """No managed node of that name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        super().__init__(f"unknown lab node {name!r}; managed nodes: {', '.join(sorted(known)) or 'none'}")


class NotOnThisNode(LabError):
    """The node takes no commands in this runtime."""

    def __init__(self, node: str, why: str) -> None:
        self.node = node
        super().__init__(f"{node}: {why}")


class NotInThisRuntime(LabError):
    """The runtime cannot do that at all."""

    def __init__(self, runtime: str, what: str, why: str) -> None:
        self.runtime = runtime
        super().__init__(f"runtime {runtime}: {what}: {why}")


class UnknownFault(LabError):
    """No fault of that kind."""

    def __init__(self, kind: str, known: Iterable[str]) -> None:
        self.kind = kind
        super().__init__(f"unknown fault {kind!r}; known: {', '.join(sorted(known))}")


class UnusableFault(LabError):
    """A fault with numbers that its kind does not take."""

    def __init__(self, kind: str, legal: str) -> None:
        self.kind = kind
        super().__init__(f"fault {kind!r} {legal}")


class MeaninglessFault(LabError):
    """A fault that means nothing on this node."""

    def __init__(self, kind: str, node: str, why: str, legal: Iterable[str]) -> None:
        self.kind = kind
        self.node = node
        super().__init__(f"fault {kind!r} means nothing on {node}, {why}; legal there: {', '.join(sorted(legal))}")


class ToolFailed(LabError):
    """Another tool that a runtime calls failed; the message holds what it said."""


class StartupConfigError(LabError):
    """A node refuses its own startup configuration."""

    def __init__(self, node: str, problem: str) -> None:
        self.node = node
        super().__init__(f"{node}: startup configuration: {problem}")
