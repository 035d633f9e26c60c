"""The way from an OLT to the router that serves it, over links, by the roles of their ends. Free of I/O."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from inventory.errors import NotServed
from inventory.model import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPath:
    """The devices that carry a subscriber's traffic and the interfaces they use, in the devices' own names.

    Attributes:
        olt_uplink: the OLT's interface towards the switch.
        access_interface: the switch's interface towards the OLT.
        uplink_interface: the switch's interface towards the router.
        router_interface: the router's interface towards the switch.
    """

    olt: str
    olt_uplink: str
    switch: str
    access_interface: str
    uplink_interface: str
    router: str
    router_interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The part of a network around one OLT: links one and two steps away, and the roles of the devices they join.

    A node without a role (a subscriber, a core host) is not managed, and no path runs over it.
    """

    roles: Mapping[str, str]
    links: Sequence[Link]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hop:
    interface: str
    neighbour: str
    neighbour_interface: str


def access_path(place_id: str, olt: str, around: Surroundings) -> AccessPath:
    """Return the path OLT → switch → router; of several, always the same one: the first by device and interface name.

    Raises:
        NotServed: there is no such path; says what is missing.
    """
    paths = sorted(_paths(olt, around), key=lambda path: (path.switch, path.router, path.olt_uplink))
    if not paths:
        raise NotServed(place_id, _reason(olt, around))
    return paths[0]


def _paths(olt: str, around: Surroundings) -> Iterator[AccessPath]:
    for up in _hops(olt, around, "switch"):
        for out in _hops(up.neighbour, around, "router"):
            yield AccessPath(
                olt=olt,
                olt_uplink=up.interface,
                switch=up.neighbour,
                access_interface=up.neighbour_interface,
                uplink_interface=out.interface,
                router=out.neighbour,
                router_interface=out.neighbour_interface,
            )


def _hops(device: str, around: Surroundings, role: str) -> list[_Hop]:
    hops = [
        _Hop(interface=interface, neighbour=neighbour, neighbour_interface=neighbour_interface)
        for link in around.links
        for at, interface, neighbour, neighbour_interface in (
            (link.a_device, link.a_interface, link.b_device, link.b_interface),
            (link.b_device, link.b_interface, link.a_device, link.a_interface),
        )
        if at == device and around.roles.get(neighbour) == role
    ]
    return sorted(hops, key=lambda hop: (hop.neighbour, hop.interface))


def _reason(olt: str, around: Surroundings) -> str:
    switches = _names(olt, around, "switch")
    if not switches:
        routers = ", ".join(_names(olt, around, "router"))
        straight = f" (it is cabled straight to router {routers}; a switch must stand between them)" if routers else ""
        return f"OLT {olt!r} has no link to a switch{straight}"
    beyond = {name: [far for far in _names(name, around, "switch") if far != name] for name in switches}
    chains = [f"{name} → {far}" for name, fars in beyond.items() for far in fars]
    if chains:
        return (
            f"the way from OLT {olt!r} to a router runs over several switches ({', '.join(chains)}); "
            "exactly one switch between OLT and router is supported"
        )
    return f"switch {', '.join(switches)}, behind OLT {olt!r}, has no link to a router"


def _names(device: str, around: Surroundings, role: str) -> list[str]:
    return sorted({hop.neighbour for hop in _hops(device, around, role)})
