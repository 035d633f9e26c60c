"""The netns lab as one that a process of its own can hold: real packets between emulated devices and a real FRR."""

import shlex
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

from labs.contracts import DeployOptions, ExecResult, FaultKind, FaultRequest, LabNode, NodeState
from labs.embedded.contracts import EmulatedNode
from labs.embedded.eos import EosNode
from labs.embedded.faults import KINDS
from labs.embedded.lab import PLATFORMS, Platform
from labs.embedded.olt import OltNode
from labs.errors import LabStartError, UnknownLabNode, UnusableFault
from labs.netns import namespaces, register
from labs.netns.commands import attempt
from labs.netns.dhcp import DhcpServers
from labs.netns.errors import NamesTaken
from labs.netns.follower import Follower
from labs.netns.forwarding import Forwarding
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.frr_node import RealFrrNode
from labs.netns.names import netdev
from labs.netns.namespaces import CableEnd
from labs.netns.openvswitch import OpenVSwitch
from labs.netns.plane_olt import olt_forwarding
from labs.netns.plane_switch import switch_forwarding
from labs.netns.planes import BridgePlane, HostPlane, Plane, RouterPlane
from labs.netns.register import Held
from labs.netns.site import ROUTER_PLATFORM, Site
from labs.netns.vrfs import Vrfs
from labs.runtimes.embedded import EmbeddedHeld
from labs.runtimes.saved import MEMORY
from labs.topology import Node, Topology, prepared

LOOK_EVERY_S: Final = 0.2
"""FRR does not tell what changes; asking it takes a third of a millisecond."""
LINK_DOWN: Final = "link_down"
SETTLE_S: Final = 10.0
EXEC_S: Final = 60.0


class NetnsHeld:
    """A lab in network namespaces behind the contract of held labs.

    The switch and the OLT are those of the embedded runtime, with a data plane that follows them; routers are real.
    """

    def __init__(self, topology: Topology, options: DeployOptions) -> None:
        self._topology = prepared(topology)
        self._site = Site(self._topology)
        self._folder = register.RUN / topology.name
        self._memory = options.folder / MEMORY
        self._planes: dict[str, Plane] = {}
        self._followers: dict[str, Follower] = {}
        self._claiming = threading.Lock()
        self._cut: dict[str, CableEnd] = {}
        self._devices = EmbeddedHeld(topology, options, platforms=self._platforms(), cabled=True)

    def start(self) -> tuple[LabNode, ...]:
        """Start every node; what a killed process left of this lab is taken away first."""
        sweep(self._topology)
        claim(self._topology, self._site.namespaces())
        try:
            self._build()
        except BaseException:
            self.stop()
            raise
        return self.nodes()

    def stop(self) -> None:
        """Stop every node and remove namespaces, processes and files."""
        for follower in self._followers.values():
            follower.stop()
        self._followers.clear()
        self._devices.stop()
        if Held.read(self._topology.name) is not None:
            sweep(self._topology)

    def nodes(self) -> tuple[LabNode, ...]:
        """Return every node; the plain hosts run too."""
        return tuple(node if node.state is not NodeState.DRAWN else _running(node) for node in self._devices.nodes())

    def exec(self, node: str, command: str) -> ExecResult:
        """Run ``command`` on the device's own command line, or in a plain host's namespace."""
        spec = self._topology.nodes.get(node)
        if spec is None:
            raise UnknownLabNode(node, self._topology.nodes)
        if spec.managed:
            return self._devices.exec(node, command)
        done = attempt(shlex.split(command), namespace=self._site.namespace(node), timeout_s=EXEC_S)
        return ExecResult(
            node=node, command=command, stdout=done.stdout, stderr=done.stderr, return_code=done.return_code
        )

    def running_config(self, name: str) -> str:
        """Return a device's running configuration."""
        return self._devices.running_config(name)

    def fault_kinds(self, node: str = "") -> tuple[FaultKind, ...]:
        """Return what a device, or some device, can be told to do wrong; real routers know logins and cables only."""
        return self._devices.fault_kinds(node)

    def fault(self, request: FaultRequest) -> None:
        """Switch a fault of an emulated device on or off; a cut cable is cut for routers too.

        Raises:
            UnknownLabNode: there is no such device.
            UnusableFault: it has no cable of that number.
        """
        end = self._cable_end(request) if request.kind == LINK_DOWN and request.times else None
        self._devices.fault(request)
        if request.kind == LINK_DOWN:
            self._plug(request.node, end)

    def _cable_end(self, request: FaultRequest) -> CableEnd:
        if request.node not in self._followers:
            raise UnknownLabNode(request.node, self._followers)
        number = KINDS[LINK_DOWN].default if request.value is None else request.value
        end = self._site.numbered(request.node, int(number))
        if end is None:
            known = ", ".join(self._site.ports(request.node)) or "none"
            raise UnusableFault(
                LINK_DOWN, f"{request.node} has no cabled interface {number:g}; legal: the number of one of {known}"
            )
        return end

    def _plug(self, node: str, cut: CableEnd | None) -> None:
        """Mend the cable of a node that is cut, and cut another, or none."""
        mended = self._cut.pop(node, None)
        if mended is not None:
            namespaces.set_up(mended, is_up=True)
        if cut is not None:
            namespaces.set_up(cut, is_up=False)
            self._cut[node] = cut

    def faults(self) -> tuple[FaultRequest, ...]:
        """Return the faults that are on."""
        return self._devices.faults()

    def settle(self, timeout_s: float = SETTLE_S) -> None:
        """Return when every data plane does what its device's configuration says now.

        Raises:
            NotSettled: one does not follow in time; says why.
        """
        for follower in self._followers.values():
            follower.settle(timeout_s)

    def _build(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(thread_name_prefix="netns") as pool:
            _all(pool, namespaces.make, self._site.namespaces())
            _all(pool, lambda cable: namespaces.cable(cable.a, cable.b, tagged=cable.tagged), self._site.cables())
            self._planes = {name: self._plane(node) for name, node in self._topology.nodes.items()}
            _all(pool, lambda plane: plane.start(), self._planes.values())
        self._followers = {
            name: Follower(name, plane.follow, every_s=LOOK_EVERY_S if isinstance(plane, RouterPlane) else None)
            for name, plane in self._planes.items()
            if self._topology.nodes[name].managed
        }
        self._devices.start()
        for follower in self._followers.values():
            follower.start()
        self.settle()

    def _plane(self, node: Node) -> Plane:
        namespace, folder = self._site.namespace(node.name), self._folder / node.name
        if not node.managed:
            return HostPlane(namespace=namespace, commands=node.exec)
        switch = OpenVSwitch(namespace=namespace, folder=folder / "ovs")
        if node.platform != ROUTER_PLATFORM:
            return BridgePlane(switch=switch, ports=[netdev(port) for port in self._site.ports(node.name)])
        daemons = FrrDaemons(name=node.name, namespace=namespace, folder=folder / "frr")
        return RouterPlane(
            switch=switch,
            daemons=daemons,
            dhcp=DhcpServers(namespace=namespace, folder=folder / "dhcp"),
            vrfs=Vrfs(daemons=daemons, claim=self._claim),
            split=self._site.split(node.name),
            tagging=self._site.tagging(node.name),
            configuration=self._startup_text(node),
        )

    def _claim(self, name: str) -> None:
        """Write down one namespace more, before it is made."""
        with self._claiming:
            held = Held.read(self._topology.name)
            if held is not None:
                held.with_namespace(name).write(self._topology.name)

    def _startup_text(self, node: Node) -> str:
        kept = self._memory / f"{node.name}.cfg"
        file = kept if kept.exists() else node.startup_config
        try:
            return file.read_text(encoding="utf-8") if file is not None else ""
        except OSError as unreadable:
            raise LabStartError(f"{node.name}: startup-config cannot be read: {unreadable}") from None

    # The devices of the embedded runtime, with a data plane behind them.

    def _platforms(self) -> Mapping[str, Platform]:
        return {
            **PLATFORMS,
            "arista_eos": Platform(build=self._switch, protocol="ssh"),
            "bbf_olt": Platform(build=self._olt, protocol="netconf"),
            ROUTER_PLATFORM: Platform(build=self._router, protocol="ssh"),
        }

    def _switch(self, **given: Any) -> EmulatedNode:  # noqa: ANN401 - whatever the lab gives its devices
        device = EosNode(**given)
        ports = self._site.ports(device.name)
        device.watch(self._joined(device.name, lambda: switch_forwarding(device.running_config(), ports)))
        return device

    def _olt(self, **given: Any) -> EmulatedNode:  # noqa: ANN401 - the same
        device = OltNode(**given)
        onts, uplinks = self._site.onts(device.name), self._site.uplinks(device.name)
        device.plug(lambda serial_number, pair: any(ont.answers(serial_number, pair) for ont in onts))
        device.watch(self._joined(device.name, lambda: olt_forwarding(device.running_config(), onts, uplinks)))
        return device

    def _router(self, *, startup_config: str, **given: Any) -> EmulatedNode:  # noqa: ANN401 - the same
        # The daemons have it already: what FRR does not take stopped the start.
        del startup_config
        plane = self._planes[given["name"]]
        if not isinstance(plane, RouterPlane):
            raise LabStartError(f"{given['name']}: is no router")
        return RealFrrNode(daemons=plane.daemons, **given)

    def _joined(self, name: str, wanted: Callable[[], Forwarding]) -> Callable[[], None]:
        plane, follower = self._planes[name], self._followers[name]
        if isinstance(plane, BridgePlane):
            plane.wanted = wanted
        return follower.changed


def claim(topology: Topology, names: Iterable[str]) -> None:
    """Write down that this process is about to make the lab's namespaces.

    Raises:
        NamesTaken: some exist, and nothing says that they are ours.
    """
    wanted = tuple(names)
    taken = namespaces.existing(wanted)
    if taken:
        why = "exist and are not this lab's; rename the lab, or remove them with 'ip netns delete'"
        raise NamesTaken(topology.name, taken, why)
    Held.own(wanted).write(topology.name)


def sweep(topology: Topology) -> bool:
    """Take away what a lab of that name left on this machine; return whether there was anything.

    Raises:
        NamesTaken: another process, which lives, holds the lab.
    """
    held = Held.read(topology.name)
    if held is None:
        return False
    if held.elsewhere:
        raise NamesTaken(topology.name, held.namespaces, f"are held by process {held.holder.pid}; end that first")
    namespaces.remove(held.namespaces)
    register.forget(topology.name)
    return True


def _all(pool: ThreadPoolExecutor, work: Callable[[Any], object], items: Iterable[Any]) -> None:
    for future in [pool.submit(work, item) for item in items]:
        future.result()


def _running(node: LabNode) -> LabNode:
    return replace(node, state=NodeState.RUNNING)
