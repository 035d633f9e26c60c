"""The seams of the labs: a runtime, the lab it holds, and the values that pass between them and the command line.

``LabRuntime`` is what the command line talks to. Two kinds exist: one whose labs live in a process of our own
(embedded, netns) and one that calls another tool (containerlab). The first kind only writes a ``HeldLab``;
``labs.runtimes.held`` gives it the detached process, the control socket, the files and the cleaning up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from labs.runtimes.ahead import WaitingProcess
from labs.topology import Topology


class NodeState(Enum):
    """What a node of a deployed lab does."""

    RUNNING = "running"
    STOPPED = "stopped"
    """Part of the lab, but it does not answer: cut off by a person, or its process ended."""
    DRAWN = "drawn"
    """In the topology, but nothing this runtime runs, e.g. a plain host of the embedded runtime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabNode:
    """One node of a deployed lab.

    Attributes:
        platform: folder below ``templates/`` that speaks to it; empty for what lastmile does not manage.
        address: where to reach it from this machine; empty where it cannot be reached.
        ports: TCP ports by protocol: ``{"ssh": 2222}``, ``{"netconf": 8830}``.
    """

    name: str
    kind: str
    state: NodeState
    image: str = ""
    group: str = ""
    role: str = ""
    platform: str = ""
    address: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    username: str = ""
    password: str = field(default="", repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int | None:
        """The port of the protocol that lastmile speaks with the node; None where there is none."""
        return next(iter(self.ports.values()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """How a lab is brought up.

    Attributes:
        folder: the lab's folder, ``clab-<lab>``; deploying makes it.
        ssh_port: port of every node that speaks SSH, each on its own address; 0 means any free one.
        netconf_port: the same for NETCONF.
        reconfigure: start from the topology's own configurations, whatever was saved.
        process: one that was started ahead to hold the lab; None: it is started when it is needed.
    """

    folder: Path
    ssh_port: int = 2222
    netconf_port: int = 8830
    reconfigure: bool = False
    process: WaitingProcess | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Something this machine, or a runtime, does not have.

    Attributes:
        what: what cannot be done, e.g. ``"VLANs on nodes of kind linux"``.
        why: the package, kernel option, right or decision that is missing, and how to get it.
        fatal: nothing can be deployed without it.
    """

    what: str
    why: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecResult:
    """What a command on a node printed."""

    node: str
    command: str
    stdout: str
    stderr: str = ""
    return_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One kind of trouble a node can be told to make.

    Attributes:
        parameter: what ``value`` of a request means, e.g. ``"seconds"``; empty where the kind takes none.
    """

    name: str
    what: str
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRequest:
    """Switch one fault of a node on or off.

    Attributes:
        times: how often it strikes; -1 always, 0 switches it off.
        value: the kind's parameter, e.g. seconds; None where it takes none.
        after: how many occasions pass first.
    """

    node: str
    kind: str
    times: int = -1
    value: float | None = None
    after: int = 0


class HeldLab(Protocol):
    """One lab inside the process that holds it. The methods are called from one thread, one at a time."""

    def start(self) -> tuple[LabNode, ...]:
        """Start every node and return them all, in the order of the file; nothing runs where one cannot start.

        Raises:
            LabError: it cannot be started; says which node and why.
        """
        ...

    def stop(self) -> None:
        """Stop every node and take away all that ``start`` made; does nothing when the lab does not run."""
        ...

    def nodes(self) -> tuple[LabNode, ...]:
        """Return every node as it is now, in the order of the file."""
        ...

    def exec(self, node: str, command: str) -> ExecResult:
        """Run a command on a node: the device's own command line, or a shell where it has one.

        Raises:
            UnknownLabNode: no node of that name.
            NotOnThisNode: the node takes no commands here; says why.
        """
        ...

    def running_config(self, name: str) -> str:
        """Return a managed node's running configuration as the device itself would show it.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        ...

    def fault_kinds(self, node: str = "") -> tuple[FaultKind, ...]:
        """Return the kinds of trouble a node can make; without one, those that some node can.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        ...

    def fault(self, request: FaultRequest) -> None:
        """Switch a fault on or off.

        Raises:
            UnknownLabNode: no managed node of that name.
            UnknownFault: no fault of that kind; lists the kinds.
            MeaninglessFault: the node cannot do that; lists what it can.
        """
        ...

    def faults(self) -> tuple[FaultRequest, ...]:
        """Return the faults that are on, with how often they still strike."""
        ...


class LabRuntime(Protocol):
    """Brings labs up and down. A lab is told by its topology and its folder; it lives on when this process ends."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    def missing(self, topology: Topology) -> tuple[Lack, ...]:
        """Return what this machine lacks to run ``topology``, with reasons; the fatal ones forbid the deploy."""
        ...

    def deploy(self, topology: Topology, options: DeployOptions) -> tuple[LabNode, ...]:
        """Bring the lab up and return its nodes; a lab that runs already stays as it is.

        What a dead deployer or a dead lab left behind is cleaned up first.

        Raises:
            LabError: it cannot be started; then nothing of it runs.
        """
        ...

    def inspect(self, topology: Topology, folder: Path) -> tuple[LabNode, ...]:
        """Return the nodes as they are now.

        Raises:
            LabNotRunning: the lab is not deployed.
        """
        ...

    def exec(self, topology: Topology, folder: Path, node: str, command: str) -> ExecResult:
        """Run a command on a node.

        Raises:
            LabNotRunning: the lab is not deployed.
            UnknownLabNode: no node of that name.
            NotOnThisNode: the node takes no commands here; says why.
        """
        ...

    def save(self, topology: Topology, folder: Path) -> tuple[Path, ...]:
        """Write every managed node's running configuration into the folder; the next deploy starts from them.

        Raises:
            LabNotRunning: the lab is not deployed.
        """
        ...

    def destroy(self, topology: Topology, folder: Path, *, cleanup: bool) -> bool:
        """Take the lab down, whatever is left of it, and return whether there was anything.

        No process, namespace, socket or file stays, but for the configurations that ``save`` wrote; ``cleanup``
        removes these too.
        """
        ...

    def faults(self, topology: Topology, folder: Path) -> "FaultAccess":
        """Return the access to the nodes' faults.

        Raises:
            LabNotRunning: the lab is not deployed.
            NotInThisRuntime: its devices are real, or another tool's, and make no trouble on demand.
        """
        ...


class FaultAccess(Protocol):
    """The faults of one running lab."""

    def kinds(self, node: str = "") -> Sequence[FaultKind]:
        """Return the kinds that mean something on a node; without one, on some node."""
        ...

    def active(self) -> Sequence[FaultRequest]:
        """Return those that are on."""
        ...

    def set(self, request: FaultRequest) -> None:
        """Switch one on or off.

        Raises:
            UnknownLabNode: no managed node of that name.
            UnknownFault: no fault of that kind; lists the kinds.
        """
        ...
