"""containerlab topology files as values: nodes with all they inherit, links of every type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path
from typing import Any, Final, Literal

from labs.kinds import kind_named, names_of, platform_of

LinkType = Literal["mgmt-net", "host", "macvlan", "dummy", "vxlan", "vxlan-stitch"]
PLATFORM_LABEL: Final = "lastmile.platform"
ROLE_LABEL: Final = "lastmile.role"
DEFAULT_SUBNET: Final = IPv4Network("172.20.20.0/24")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node, with all it inherits.

    Attributes:
        mgmt_ipv4: management address; None when containerlab would choose one.
        startup_config: file with the start configuration.
        exec: commands to run on the node once it is up.
        ports: published ports as the file has them, e.g. ``"8080:80/tcp"``.
        settings: everything else the file says about the node, as it stands there.
    """

    name: str
    kind: str
    image: str
    group: str
    mgmt_ipv4: IPv4Address | None
    startup_config: Path | None
    labels: Mapping[str, str]
    env: Mapping[str, str]
    settings: Mapping[str, Any]
    mgmt_ipv6: IPv6Address | None = None
    exec: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()

    @property
    def platform(self) -> str:
        """The folder below ``templates/`` that speaks to it; empty for what lastmile does not manage."""
        return platform_of(self.kind, self.image, self.labels)

    @property
    def managed(self) -> bool:
        """Whether lastmile configures it."""
        return bool(self.platform)

    @property
    def role(self) -> str:
        """What it is for, e.g. olt, switch, router or subscriber: its label says it, else its platform's usual role."""
        return self.labels.get(ROLE_LABEL) or names_of(self.platform).role

    @property
    def username(self) -> str:
        """Who logs in: its labels say it, else its ``credentials``, else the kind's images."""
        return self._credential("username")

    @property
    def password(self) -> str:
        """The password of ``username``."""
        return self._credential("password")

    def _credential(self, which: Literal["username", "password"]) -> str:
        own = self.settings.get("credentials")
        written = own.get(which) if isinstance(own, Mapping) else None
        of_kind = getattr(kind_named(self.kind), which)
        return self.labels.get(f"lastmile.{which}") or str(written or of_kind or ("admin" if self.managed else ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One end of a link.

    Attributes:
        interface: as containerlab names it.
        device_interface: as the device itself names it.
        mac: its address; empty where the file names none.
        ipv4: address with prefix length that a plain host gets; empty for none.
    """

    node: str
    interface: str
    device_interface: str
    mac: str = ""
    ipv4: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable between two nodes."""

    a: Endpoint
    b: Endpoint
    mtu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLink:
    """A link of one node to something that is no node.

    Attributes:
        host_interface: the other end on this machine; empty for the types that have none.
        settings: the rest, e.g. ``remote`` and ``vni`` of a VXLAN, as it stands in the file.
    """

    type: LinkType
    end: Endpoint
    host_interface: str = ""
    mtu: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole topology file.

    Attributes:
        remarks: what was read but is not understood, e.g. a kind this version does not know.
        prefix: begins the long names of the nodes; empty: they are the short ones.
        mgmt: the management network's settings, as they stand in the file.
    """

    name: str
    path: Path
    nodes: Mapping[str, Node]
    links: tuple[Link, ...]
    remarks: tuple[str, ...]
    outside: tuple[OutsideLink, ...] = ()
    prefix: str = "clab"
    mgmt: Mapping[str, Any] = field(default_factory=dict)

    def long_name(self, node: str) -> str:
        """Return what containerlab calls a node outside the lab, e.g. ``clab-ftth-olt1``."""
        if self.prefix == "__lab-name":
            return f"{self.name}-{node}"
        return f"{self.prefix}-{self.name}-{node}" if self.prefix else node

    @property
    def subnet(self) -> IPv4Network:
        """The management subnet; containerlab's own where the file names none."""
        given = self.mgmt.get("ipv4-subnet", "auto")
        return DEFAULT_SUBNET if given == "auto" else IPv4Network(str(given), strict=False)


def only(topology: Topology, names: Collection[str]) -> Topology:
    """Return the topology with these nodes and the links between them."""
    wanted = set(names)
    return replace(
        topology,
        nodes={name: node for name, node in topology.nodes.items() if name in wanted},
        links=tuple(link for link in topology.links if {link.a.node, link.b.node} <= wanted),
        outside=tuple(link for link in topology.outside if link.end.node in wanted),
    )


def prepared(topology: Topology) -> Topology:
    """Return the topology with what containerlab would fill in for devices: a platform by kind, a management address.

    The addresses are the first free ones of the management subnet, so that the same file gives the same addresses.
    """
    taken = {node.mgmt_ipv4 for node in topology.nodes.values()}
    # The first address is the gateway's.
    free = (address for number, address in enumerate(topology.subnet.hosts()) if number and address not in taken)
    nodes = {
        name: replace(
            node,
            labels={**node.labels, PLATFORM_LABEL: node.platform, ROLE_LABEL: node.role},
            mgmt_ipv4=node.mgmt_ipv4 or next(free, None),
        )
        if node.managed
        else node
        for name, node in topology.nodes.items()
    }
    return replace(topology, nodes=nodes)
