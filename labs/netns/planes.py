"""The data planes of a lab's nodes: what forwards in each namespace, true to the device's configuration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from labs.netns import namespaces
from labs.netns.commands import attempt, run
from labs.netns.dhcp import DhcpServers
from labs.netns.forwarding import Forwarding
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.names import wire
from labs.netns.openvswitch import OpenVSwitch
from labs.netns.plane_router import Lease, RouterNeeds, SubInterface, router_needs

BRIDGE: Final = "br0"


class Plane(Protocol):
    """What forwards in one namespace."""

    def start(self) -> None:
        """Start what forwards; the cables are plugged in.

        Raises:
            NetnsError: it cannot start; says why.
        """
        ...

    def follow(self) -> None:
        """Bring the data plane to what the device's configuration says now.

        Raises:
            NetnsError: it cannot.
        """
        ...


@dataclass(slots=True, kw_only=True)
class BridgePlane:
    """A switch or an OLT: one bridge.

    Attributes:
        ports: the kernel's names of its cabled interfaces.
        wanted: what the device's configuration asks for, at the time of the call; None while it has none.
    """

    switch: OpenVSwitch
    ports: Sequence[str]
    wanted: Callable[[], Forwarding] | None = None

    def start(self) -> None:
        """Start the switch with a bridge that passes nothing before its configuration says so."""
        self.switch.start()
        self.switch.add_bridge(BRIDGE, self.ports, learning=False)

    def follow(self) -> None:
        """Apply what the configuration asks for."""
        if self.wanted is not None:
            self.switch.apply(BRIDGE, self.wanted())


@dataclass(slots=True, kw_only=True)
class RouterPlane:
    """A router: FRR, and beside it the sub-interfaces and DHCP servers that its configuration asks for.

    An interface towards a switch is a small bridge: the cable is its trunk, the interface itself its untagged side, and
    each sub-interface a port in one VLAN. No VLANs are needed in the kernel.

    Attributes:
        split: interfaces whose cable carries tags.
        configuration: what FRR starts with.
    """

    switch: OpenVSwitch
    daemons: FrrDaemons
    dhcp: DhcpServers
    split: Sequence[str]
    configuration: str
    _needs: RouterNeeds = field(default_factory=RouterNeeds)

    def start(self) -> None:
        """Start the bridges, then FRR."""
        namespaces.forward(self.daemons.namespace)
        if self.split:
            self.switch.start()
        for interface in self.split:
            self.switch.add_bridge(interface, [wire(interface)], learning=True)
            self._link("set", interface, "up")
        self.daemons.start(self.configuration)

    def follow(self) -> None:
        """Make and remove sub-interfaces and DHCP servers as the running configuration has them now."""
        with self.daemons.vty("zebra") as zebra, self.daemons.vty("staticd") as staticd:
            text = zebra.ask("show running-config") + staticd.ask("show running-config")
        self._reach(router_needs(text))

    def _reach(self, wanted: RouterNeeds) -> None:
        if wanted == self._needs:
            return
        for lease in self._needs.leases - wanted.leases:
            self.dhcp.stop(lease)
        for gone in _by_name(self._needs.sub_interfaces - wanted.sub_interfaces):
            if gone.name not in {each.name for each in wanted.sub_interfaces}:
                self.switch.remove_port(gone.parent, gone.name)
        for new in _by_name(wanted.sub_interfaces - self._needs.sub_interfaces):
            self._make(new)
        self._needs = RouterNeeds(sub_interfaces=wanted.sub_interfaces, leases=self._needs.leases & wanted.leases)
        self._serve(wanted.leases)

    def _make(self, new: SubInterface) -> None:
        if new.parent not in self.split:
            return
        self.switch.add_vlan_port(new.parent, new.name, new.vlan_id)
        if new.up:
            self._link("set", new.name, "up")

    def _serve(self, wanted: frozenset[Lease]) -> None:
        """Start the servers whose gateway address FRR has put on the interface by now; the others come next time."""
        for lease in sorted(wanted - self._needs.leases, key=lambda each: each.interface):
            shown = attempt(["ip", "-n", self.daemons.namespace, "-o", "-4", "addr", "show", lease.interface]).stdout
            if f" {lease.gateway}/" in shown:
                self.dhcp.start(lease)
                self._needs = RouterNeeds(
                    sub_interfaces=self._needs.sub_interfaces, leases=self._needs.leases | {lease}
                )

    def _link(self, *words: str) -> None:
        run(["ip", "-n", self.daemons.namespace, "link", *words])


def _by_name(found: frozenset[SubInterface]) -> list[SubInterface]:
    return sorted(found, key=lambda each: each.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlane:
    """A plain host: the commands its topology gives it."""

    namespace: str
    commands: Sequence[str]

    def start(self) -> None:
        """Run the commands.

        Raises:
            CommandFailed: one of them fails.
        """
        for command in self.commands:
            run(["sh", "-c", command], namespace=self.namespace)

    def follow(self) -> None:
        """Do nothing: a host has no configuration of ours."""
