"""How a topology lies on the machine: namespaces, cables, and what is plugged into what. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from labs.netns.names import namespace_name, netdev, wire
from labs.netns.namespaces import CableEnd
from labs.netns.plane_olt import Ont
from labs.topology import Endpoint, Link, Node, Topology

ONT_LABEL: Final = "lastmile.ont"
"""On a subscriber's host: serial number of the ONT between it and the OLT."""
CHANNEL_PAIR_LABEL: Final = "lastmile.channel-pair."
"""On an OLT, followed by the interface as containerlab knows it: which channel pair serves that PON port."""
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
        return tuple(
            netdev(own.device_interface) for own, other in self._ends(node) if self.topology.nodes[other.node].managed
        )

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
