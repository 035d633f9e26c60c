"""What an FRR router's running configuration needs beyond FRR: VLAN sub-interfaces, and DHCP for its subscribers. Pure.

FRR configures interfaces but does not make them. A sub-interface ``eth1.100`` that appears in the configuration becomes
a port of VLAN 100; a host route out of it becomes that subscriber's DHCP lease.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Final

from labs.embedded.cli_eos_language import HIGHEST_VLAN

WIDEST_PREFIX: Final = 24
HOST: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SubInterface:
    """A VLAN of a router's interface.

    Attributes:
        up: whether the configuration leaves it in service.
    """

    name: str
    parent: str
    vlan_id: int
    up: bool = True


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


def router_needs(running_config: str) -> RouterNeeds:
    """Return which sub-interfaces and leases the router's configuration asks for."""
    sections = dict(_sections(running_config))
    made = {name: found for name, lines in sections.items() if (found := _sub_interface(name, lines)) is not None}
    leases = {
        lease
        for address, interface in _host_routes(running_config)
        if interface in made and made[interface].up and (lease := _lease(interface, address, sections[interface]))
    }
    return RouterNeeds(sub_interfaces=frozenset(made.values()), leases=frozenset(leases))


def _sections(running_config: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    name, lines = "", []
    for line in [*running_config.splitlines(), "!"]:
        if line.startswith(" ") and name:
            lines.append(line.strip())
            continue
        if name:
            yield name, tuple(lines)
        words = line.split()
        name, lines = (words[1] if words[:1] == ["interface"] and len(words) > 1 else ""), []


def _sub_interface(name: str, lines: tuple[str, ...]) -> SubInterface | None:
    parent, _, vlan = name.rpartition(".")
    if not parent or not vlan.isdigit() or not 1 <= int(vlan) <= HIGHEST_VLAN:
        return None
    return SubInterface(name=name, parent=parent, vlan_id=int(vlan), up="shutdown" not in lines)


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
