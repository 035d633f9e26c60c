"""The data planes of a lab's nodes: what forwards in each namespace, true to the device's configuration."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from labs.netns import namespaces
from labs.netns.commands import attempt, run
from labs.netns.dhcp import DhcpServers
from labs.netns.forwarding import Forwarding
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.names import inner, mac_address, wire
from labs.netns.namespaces import CableEnd
from labs.netns.openvswitch import OpenVSwitch
from labs.netns.plane_router import Lease, RouterNeeds, SubInterface, router_needs
from labs.netns.vrfs import Vrfs

BRIDGE: Final = "br0"
FIRM_S: Final = 0.3


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
        tagging: interfaces behind which the equipment tags all it sends, with the VLAN.
        configuration: what FRR starts with.
    """

    switch: OpenVSwitch
    daemons: FrrDaemons
    dhcp: DhcpServers
    vrfs: Vrfs
    split: Sequence[str]
    tagging: Mapping[str, int]
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
        for interface, vlan_id in self.tagging.items():
            self.switch.vsctl("set", "port", wire(interface), f"tag={vlan_id}")
        # A saved configuration names the VRFs it had, and FRR refuses what it cannot find.
        self._needs = RouterNeeds(vrfs=router_needs(self.configuration).vrfs)
        self.vrfs.make(self._needs.vrfs)
        self.daemons.start(self.configuration)

    def follow(self) -> None:
        """Make and remove sub-interfaces, VRFs and DHCP servers as the running configuration has them now."""
        wanted = self._wanted()
        if self._needs.vrfs - wanted.vrfs:
            # Who replaces all that a VRF holds leaves it empty for a moment, and must find it again.
            threading.Event().wait(FIRM_S)
            wanted = self._wanted()
        self._reach(wanted)

    def _wanted(self) -> RouterNeeds:
        with self.daemons.vty("zebra") as zebra, self.daemons.vty("staticd") as staticd:
            return router_needs(zebra.ask("show running-config") + staticd.ask("show running-config"))

    def _reach(self, wanted: RouterNeeds) -> None:
        if wanted == self._needs:
            return
        for lease in self._needs.leases - wanted.leases:
            self.dhcp.stop(lease)
        stays = {(each.name, each.vrf) for each in wanted.sub_interfaces}
        for gone in _by_name(self._needs.sub_interfaces):
            if (gone.name, gone.vrf) not in stays:
                self._unmake(gone)
        self.vrfs.drop(self._needs.vrfs - wanted.vrfs)
        self.vrfs.make(wanted.vrfs)
        for new in _by_name(wanted.sub_interfaces - self._needs.sub_interfaces):
            self._make(new)
        self._needs = replace(wanted, leases=self._needs.leases & wanted.leases)
        self._serve(wanted.leases)

    def _make(self, new: SubInterface) -> None:
        if new.parent not in self.split:
            return
        if not new.vrf:
            self.switch.add_vlan_port(new.parent, new.name, new.vlan_id)
        elif not self._stands(new):
            here, there = self.daemons.namespace, self.vrfs.namespace(new.vrf)
            ends = [CableEnd(namespace=there, interface=new.name), CableEnd(namespace=here, interface=inner(new.name))]
            namespaces.cable(*ends, tagged=False)
            # All VLANs of an interface have its address, always: neighbours remember it.
            self._link("set", new.name, "address", mac_address(here, new.parent), vrf=new.vrf)
            self.switch.add_access_port(new.parent, inner(new.name), new.vlan_id)
        if new.up:
            self._link("set", new.name, "up", vrf=new.vrf)

    def _stands(self, new: SubInterface) -> bool:
        return attempt(["ip", "-n", self.vrfs.namespace(new.vrf), "link", "show", new.name]).return_code == 0

    def _unmake(self, gone: SubInterface) -> None:
        if gone.parent not in self.split:
            return
        self.switch.remove_port(gone.parent, inner(gone.name) if gone.vrf else gone.name)
        if gone.vrf:
            # It may be gone already: the other end went with its VRF.
            attempt(["ip", "-n", self.daemons.namespace, "link", "delete", inner(gone.name)])

    def _serve(self, wanted: frozenset[Lease]) -> None:
        """Start the servers whose gateway address FRR has put on the interface by now; the others come next time."""
        for lease in sorted(wanted - self._needs.leases, key=lambda each: each.interface):
            shown = attempt(["ip", "-n", self.daemons.namespace, "-o", "-4", "addr", "show", lease.interface]).stdout
            if f" {lease.gateway}/" in shown:
                self.dhcp.start(lease)
                self._needs = replace(self._needs, leases=self._needs.leases | {lease})

    def _link(self, *words: str, vrf: str = "") -> None:
        run(["ip", "-n", self.vrfs.namespace(vrf), "link", *words])


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
