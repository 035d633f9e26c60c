"""How a topology lies on the machine: namespaces, cables, and what is plugged into what. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from labs.embedded.cli_eos_language import HIGHEST_VLAN
from labs.errors import LabStartError
from labs.netns.names import namespace_name, netdev, wire
from labs.netns.namespaces import CableEnd
from labs.netns.plane_olt import Ont
from labs.topology import Endpoint, Link, Node, Topology

ONT_LABEL: Final = "lastmile.ont"
"""On a subscriber's host: serial number of the ONT between it and the OLT."""
CHANNEL_PAIR_LABEL: Final = "lastmile.channel-pair."
"""On an OLT, followed by the interface as containerlab knows it: which channel pair serves that PON port."""
TAG_LABEL: Final = "lastmile.vlan"
"""On a customer's host behind a router: the VLAN with which its equipment tags all it sends."""
ROUTER_PLATFORM: Final = "frr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A link as the kernel gets it."""

    a: CableEnd
    b: CableEnd
    tagged: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A topology on this machine."""

    topology: Topology

    def namespace(self, node: str) -> str:
        """Return the name of a node's namespace."""
        return namespace_name(self.topology.name, node)

    def namespaces(self) -> tuple[str, ...]:
        """Return the names of all namespaces."""
        return tuple(self.namespace(node) for node in self.topology.nodes)

    def cables(self) -> Iterator[Cable]:
        """Yield the cables to plug in."""
        for link in self.topology.links:
            yield Cable(a=self._end(link.a), b=self._end(link.b), tagged=self._tagged(link))

    def ports(self, node: str) -> tuple[str, ...]:
        """Return the cabled interfaces of a node as the device itself names them."""
        return tuple(own.device_interface for own, _ in self._ends(node))

    def split(self, node: str) -> tuple[str, ...]:
        """Return a router's interfaces whose cable carries tags."""
        managed = self.topology.nodes
        towards = [netdev(own.device_interface) for own, other in self._ends(node) if managed[other.node].managed]
        return (*towards, *self.tagging(node))

    def tagging(self, node: str) -> Mapping[str, int]:
        """Return the router's interfaces behind which a host's equipment tags, with the VLAN.

        Raises:
            LabStartError: the label holds no VLAN.
        """
        return {
            netdev(own.device_interface): _vlan_id(other.node, label)
            for own, other in self._ends(node)
            if (label := self.topology.nodes[other.node].labels.get(TAG_LABEL))
        }

    def host_at(self, device: str, interface: str) -> str | None:
        """Return the host plugged into a device's interface, or None where none is."""
        hosts = (other.node for own, other in self._ends(device) if own.device_interface == interface)
        return next((name for name in hosts if not self.topology.nodes[name].managed), None)

    def hosts(self) -> tuple[str, ...]:
        """Return the plain hosts."""
        return tuple(name for name, node in self.topology.nodes.items() if not node.managed)

    def numbered(self, node: str, number: int) -> CableEnd | None:
        """Return the cable end in the interface of a node that bears ``number``, or None where none does."""
        found = {end.interface: end for end, _ in self._ends(node)}
        named = found.get(f"eth{number}") or next(
            (end for name, end in found.items() if name.rstrip("0123456789") + str(number) == name), None
        )
        return self._end(named) if named is not None else None

    def onts(self, olt: str) -> tuple[Ont, ...]:
        """Return what is plugged into the PON ports of an OLT."""
        labels = self.topology.nodes[olt].labels
        return tuple(
            Ont(
                serial_number=serial_number,
                port=own.device_interface,
                channel_pair=labels.get(CHANNEL_PAIR_LABEL + own.interface, ""),
            )
            for own, other in self._ends(olt)
            if (serial_number := self.topology.nodes[other.node].labels.get(ONT_LABEL))
        )

    def uplinks(self, olt: str) -> tuple[str, ...]:
        """Return the cabled interfaces of an OLT that are no PON ports."""
        pons = {ont.port for ont in self.onts(olt)}
        return tuple(port for port in self.ports(olt) if port not in pons)

    def _ends(self, node: str) -> Iterator[tuple[Endpoint, Endpoint]]:
        for link in self.topology.links:
            for own, other in ((link.a, link.b), (link.b, link.a)):
                if own.node == node:
                    yield own, other

    def _end(self, end: Endpoint) -> CableEnd:
        name = netdev(end.device_interface)
        if self.topology.nodes[end.node].platform == ROUTER_PLATFORM and name in self.split(end.node):
            name = wire(name)
        return CableEnd(namespace=self.namespace(end.node), interface=name)

    def _tagged(self, link: Link) -> bool:
        nodes: Mapping[str, Node] = self.topology.nodes
        return all(nodes[end.node].managed for end in (link.a, link.b))


def _vlan_id(node: str, label: str) -> int:
    if not label.isdigit() or not 1 <= int(label) <= HIGHEST_VLAN:
        raise LabStartError(f"{node}: label {TAG_LABEL} is {label!r}; legal: 1 to {HIGHEST_VLAN}")
    return int(label)
