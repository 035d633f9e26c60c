"""The embedded lab: all managed nodes of a topology, emulated in this process on loopback addresses."""

import asyncio
import errno
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import asyncssh

from labs.embedded.contracts import Credentials, EmulatedNode, forget
from labs.embedded.eapi import LABEL as EAPI_LABEL
from labs.embedded.eos import EosNode
from labs.embedded.faults import FaultBoard, Kind, meant_on
from labs.embedded.frr import FrrNode
from labs.embedded.lab_faults import LabFaults
from labs.embedded.memory import FileMemory
from labs.embedded.netconf_capabilities import Offer, offers
from labs.embedded.netconf_modules import LABEL as YANG_LABEL
from labs.embedded.olt import OltNode
from labs.embedded.smartax import SmartAxNode
from labs.errors import LabStartError, PortInUse, UnknownLabNode
from labs.topology import Node, Topology

DEFAULT_SSH_PORT: Final = 2222
DEFAULT_NETCONF_PORT: Final = 8830
PLATFORM_LABEL: Final = "lastmile.platform"

Protocol = Literal["ssh", "netconf"]
T = TypeVar("T")
_log = logging.getLogger(__name__)


def _nothing(labels: Mapping[str, str], folder: Path) -> Mapping[str, object]:
    del labels, folder
    return {}


def _eos(labels: Mapping[str, str], folder: Path) -> Mapping[str, object]:
    del folder
    return {"eapi": labels.get(EAPI_LABEL, "")}


def _olt(labels: Mapping[str, str], folder: Path) -> Mapping[str, object]:
    yang = labels.get(YANG_LABEL)
    return {"offer": Offer(capabilities=offers(labels), yang=folder / yang if yang is not None else None)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How to emulate one platform, and what it speaks.

    Attributes:
        from_labels: what else ``build`` takes, from the node's labels; paths in them begin at the topology's folder.
    """

    build: Callable[..., EmulatedNode]
    protocol: Protocol
    from_labels: Callable[[Mapping[str, str], Path], Mapping[str, object]] = _nothing


PLATFORMS: Final[Mapping[str, Platform]] = {
    "bbf_olt": Platform(build=OltNode, protocol="netconf", from_labels=_olt),
    "arista_eos": Platform(build=EosNode, protocol="ssh", from_labels=_eos),
    "frr": Platform(build=FrrNode, protocol="ssh"),
    "smartax": Platform(build=SmartAxNode, protocol="ssh"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningNode:
    """One managed node as it can be reached.

    Attributes:
        host_key: the SHA-256 fingerprint of its SSH key.
    """

    name: str
    role: str
    platform: str
    address: str
    protocol: Protocol
    port: int
    username: str
    password: str = field(repr=False)
    host_key: str = ""


@dataclass(slots=True, kw_only=True)
class _Place:
    """Where a node listens; the ports are those it got, so that it comes back on the same ones."""

    node: EmulatedNode
    spec: Node
    platform: Platform
    credentials: Credentials
    host_key: asyncssh.SSHKey
    address: str
    ssh_port: int
    netconf_port: int


class EmbeddedLab:
    """Runs the managed nodes of a topology (those with a label ``lastmile.platform``) in one background thread.

    Usable as a context manager. The methods may be called from any thread but the lab's own.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        ssh_port: int = DEFAULT_SSH_PORT,
        netconf_port: int = DEFAULT_NETCONF_PORT,
        memory: Path | None = None,
        platforms: Mapping[str, Platform] = PLATFORMS,
        cabled: bool = False,
    ) -> None:
        """Prepare the lab.

        Args:
            topology: what to run.
            ssh_port: port of every node that speaks SSH, each on its own address; 0 means any free one.
            netconf_port: the same for NETCONF.
            memory: folder where the nodes' saved configurations outlive the process; None means that they do not.
            platforms: how each platform is run.
            cabled: packets go through the nodes' ports, so that a cut cable means something on all of them.
        """
        self._cabled = cabled
        self._platforms = platforms
        self._memory = memory / topology.name if memory is not None else None
        self._topology = topology
        self._ssh_port = ssh_port
        self._netconf_port = netconf_port
        self._places: dict[str, _Place] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> tuple[RunningNode, ...]:
        """Start every managed node and return them in the order of the file; nothing runs when one cannot start.

        Raises:
            LabStartError: a platform is unknown, a management address is missing, a startup configuration is missing,
                or a port is in use (``PortInUse``).
            StartupConfigError: a node refuses its startup configuration.
        """
        if self._thread is not None:
            raise LabStartError(f"lab {self._topology.name} is already running")
        managed = [node for node in self._topology.nodes.values() if PLATFORM_LABEL in node.labels]
        self._places = {node.name: self._place(node) for node in managed}
        self._start_loop()
        try:
            for place in self._places.values():
                self._run(_start_node(place))
        except BaseException:
            self.stop()
            raise
        return tuple(_running_node(place) for place in self._places.values())

    def stop(self) -> None:
        """Stop every node and the thread; does nothing when the lab does not run."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        for place in self._places.values():
            self._run(place.node.stop())
        self._run(_cancel_others())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        self._loop = self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def nodes(self) -> tuple[RunningNode, ...]:
        """Return the managed nodes of the running lab, in the order of the file."""
        return tuple(_running_node(place) for place in self._places.values())

    def running_config(self, name: str) -> str:
        """Return the running configuration of a node as the device itself would show it.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        return self._known(name).node.running_config()

    def leftovers(self, name: str) -> tuple[str, ...]:
        """Return what clients of a node hold or have left behind: locks, uncommitted changes, unconfirmed commits.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        return self.on_loop(self._known(name).node.leftovers)

    @property
    def faults(self) -> LabFaults:
        """The faults of the nodes, to be set, cleared and listed while the lab runs."""
        return LabFaults(self)

    def board(self, name: str) -> FaultBoard:
        """Return the faults of one node, for its own loop.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        return self._known(name).node.faults

    def fault_kinds(self, name: str) -> Mapping[str, Kind]:
        """Return the faults that mean something on a node.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        traits = self._known(name).node.traits
        return meant_on(traits | {"cables"} if self._cabled else traits)

    def on_loop(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the lab's own thread and return what it returns."""

        async def run() -> T:
            return work()

        return self._run(run())

    def cut(self, name: str) -> None:
        """Make a node unreachable: its sockets close, its sessions break, its configuration stays.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        self._run(self._known(name).node.stop())

    def restore(self, name: str) -> None:
        """Make a node reachable again, on the ports it had; does nothing when it is.

        Raises:
            UnknownLabNode: no managed node of that name.
            PortInUse: somebody else took the port meanwhile.
        """
        place = self._known(name)
        if not place.node.ports():
            self._run(_start_node(place))

    def _known(self, name: str) -> _Place:
        place = self._places.get(name)
        if place is None:
            raise UnknownLabNode(name, self._places)
        return place

    def _place(self, spec: Node) -> _Place:
        platform = self._platforms.get(spec.labels[PLATFORM_LABEL])
        if platform is None:
            wanted = spec.labels[PLATFORM_LABEL]
            known = ", ".join(sorted(self._platforms))
            raise LabStartError(f"{spec.name}: unknown {PLATFORM_LABEL} {wanted!r}; known: {known}")
        if spec.mgmt_ipv4 is None:
            raise LabStartError(f"{spec.name}: has no mgmt-ipv4; a managed node needs one, e.g. 172.20.20.11")
        credentials = Credentials(
            username=spec.labels.get("lastmile.username", "admin"),
            password=spec.labels.get("lastmile.password", "admin"),
        )
        host_key = self._host_key(spec.name)
        node = platform.build(
            name=spec.name,
            startup_config=self._startup_text(spec),
            credentials=credentials,
            host_key=host_key,
            saved=self._writer(spec.name),
            **platform.from_labels(spec.labels, self._topology.path.parent),
        )
        return _Place(
            node=node,
            spec=spec,
            platform=platform,
            credentials=credentials,
            host_key=host_key,
            address=loopback_address(spec.mgmt_ipv4),
            ssh_port=self._ssh_port,
            netconf_port=self._netconf_port,
        )

    def _host_key(self, name: str) -> asyncssh.SSHKey:
        """Return the node's key, the same after each restart where the lab has a memory."""
        file = self._memory / f"{name}.key" if self._memory is not None else None
        if file is not None and file.exists():
            return asyncssh.read_private_key(file)
        key = asyncssh.generate_private_key("ssh-ed25519")
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(key.export_private_key())
            file.chmod(0o600)
        return key

    def _startup_text(self, spec: Node) -> str:
        kept = self._memory / f"{spec.name}.cfg" if self._memory is not None else None
        file = kept if kept is not None and kept.exists() else spec.startup_config
        if file is None:
            return ""
        try:
            return file.read_text(encoding="utf-8")
        except OSError as unreadable:
            raise LabStartError(f"{spec.name}: startup-config cannot be read: {unreadable}") from None

    def _writer(self, name: str) -> Callable[[str], None]:
        if self._memory is None:
            return forget
        self._memory.mkdir(parents=True, exist_ok=True)
        return FileMemory(self._memory / f"{name}.cfg")

    def _start_loop(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"lab-{self._topology.name}", daemon=True)
        self._thread.start()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise LabStartError(f"lab {self._topology.name} is not running")
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()


def loopback_address(mgmt_ipv4: IPv4Address) -> str:
    """Return where a node with that management address listens: the same address below 127."""
    return "127." + str(mgmt_ipv4).partition(".")[2]


async def _start_node(place: _Place) -> None:
    try:
        await place.node.start(place.address, ssh_port=place.ssh_port, netconf_port=place.netconf_port)
    except OSError as refused:
        port = place.ssh_port if place.platform.protocol == "ssh" else place.netconf_port
        if refused.errno == errno.EADDRINUSE:
            raise PortInUse(place.spec.name, place.platform.protocol, place.address, port) from None
        raise LabStartError(f"{place.spec.name}: cannot listen on {place.address} port {port}: {refused}") from None
    ports = place.node.ports()
    place.ssh_port = ports.get("ssh", place.ssh_port)
    place.netconf_port = ports.get("netconf", place.netconf_port)
    _log.info("%s listens on %s %s", place.spec.name, place.address, ports)


async def _cancel_others() -> None:
    """End what nodes left running, so that the loop closes clean."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _running_node(place: _Place) -> RunningNode:
    protocol = place.platform.protocol
    return RunningNode(
        name=place.spec.name,
        role=place.spec.labels.get("lastmile.role", ""),
        platform=place.spec.labels[PLATFORM_LABEL],
        address=place.address,
        protocol=protocol,
        port=place.ssh_port if protocol == "ssh" else place.netconf_port,
        username=place.credentials.username,
        password=place.credentials.password,
        host_key=place.host_key.get_fingerprint(),
    )
