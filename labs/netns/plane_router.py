"""What an FRR router's running configuration needs beyond FRR: VLAN sub-interfaces, VRFs, and DHCP. Pure.

FRR configures interfaces and VRFs but does not make them. A sub-interface ``eth1.100`` that appears in the
configuration becomes a port of VLAN 100, in its VRF where it names one; a host route out of it becomes that
subscriber's DHCP lease.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Final

from labs.embedded.cli_eos_language import HIGHEST_VLAN

WIDEST_PREFIX: Final = 24
HOST: Final = 32
NAMES_ITS_SPACE: Final = "netns "
"""FRR's own note of where a VRF lives; it says nothing of what the VRF is for."""
_VRF_NAME: Final = re.compile(r"(?!default$)[A-Za-z0-9][A-Za-z0-9._-]*")
"""Other names FRR takes, and no namespace can have them; the default VRF is the router's own."""
Sections = Mapping[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubInterface:
    """A VLAN of a router's interface.

    Attributes:
        up: whether the configuration leaves it in service.
        vrf: empty for the router's own table.
    """

    name: str
    parent: str
    vlan_id: int
    up: bool = True
    vrf: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The one address that DHCP hands out on a sub-interface.

    Attributes:
        prefix_length: wide enough to hold the gateway, so that the subscriber finds it.
    """

    interface: str
    address: IPv4Address
    gateway: IPv4Address
    prefix_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterNeeds:
    """What the router's configuration asks of the machine."""

    sub_interfaces: frozenset[SubInterface] = frozenset()
    leases: frozenset[Lease] = frozenset()
    vrfs: frozenset[str] = frozenset()


def router_needs(running_config: str) -> RouterNeeds:
    """Return which sub-interfaces, VRFs and leases the router's configuration asks for."""
    sections = _sections(running_config)
    made = {found.name: found for head, lines in sections.items() if (found := _sub_interface(head, lines)) is not None}
    leases = {
        lease
        for address, interface in _host_routes(running_config)
        if interface in made and made[interface].up and not made[interface].vrf
        if (lease := _lease(interface, address, sections["interface", interface]))
    }
    vrfs = {head[1] for head, lines in sections.items() if head[0] == "vrf" and _is_vrf(head[1]) and _is_used(lines)}
    return RouterNeeds(
        sub_interfaces=frozenset(made.values()),
        leases=frozenset(leases),
        vrfs=frozenset(vrfs | {each.vrf for each in made.values() if each.vrf}),
    )


def _sections(running_config: str) -> Sections:
    """Return the lines by the words of their section; each daemon tells its part of a VRF."""
    found: dict[tuple[str, ...], tuple[str, ...]] = defaultdict(tuple)
    head: tuple[str, ...] = ()
    for line in running_config.splitlines():
        if not line.startswith(" "):
            words = tuple(line.split())
            head = words if words[:1] in {("interface",), ("vrf",)} and len(words) > 1 else ()
        if head:
            found[head] += (line.strip(),) if line.startswith(" ") else ()
    return dict(found)


def _is_vrf(name: str) -> bool:
    return _VRF_NAME.fullmatch(name) is not None


def _is_used(lines: tuple[str, ...]) -> bool:
    return any(not line.startswith(NAMES_ITS_SPACE) for line in lines)


def _sub_interface(head: tuple[str, ...], lines: tuple[str, ...]) -> SubInterface | None:
    if head[0] != "interface":
        return None
    parent, _, vlan = head[1].rpartition(".")
    if not parent or not vlan.isdigit() or not 1 <= int(vlan) <= HIGHEST_VLAN:
        return None
    vrf = head[-1] if head[2:3] == ("vrf",) and _is_vrf(head[-1]) else ""
    return SubInterface(name=head[1], parent=parent, vlan_id=int(vlan), up="shutdown" not in lines, vrf=vrf)


def _host_routes(running_config: str) -> Iterator[tuple[IPv4Address, str]]:
    for line in running_config.splitlines():
        words = line.split()
        if words[:2] == ["ip", "route"] and len(words) > len(("ip", "route", "prefix")):
            network = IPv4Network(words[2])
            if network.prefixlen == HOST:
                yield network.network_address, words[3]


def _lease(interface: str, address: IPv4Address, lines: tuple[str, ...]) -> Lease | None:
    gateways = [IPv4Interface(line.split()[2]).ip for line in lines if line.startswith("ip address ")]
    if not gateways:
        return None
    return Lease(
        interface=interface, address=address, gateway=gateways[0], prefix_length=_prefix_length(address, gateways[0])
    )


def _prefix_length(address: IPv4Address, gateway: IPv4Address) -> int:
    for length in range(WIDEST_PREFIX, 0, -1):
        network = IPv4Network((address, length), strict=False)
        if gateway in network and not {address, gateway} & {network.network_address, network.broadcast_address}:
            return length
    return 0
