"""What makes network data usable: names that exist, ranges in order, nothing claimed twice. Free of I/O."""

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from inventory.model import AddressPool, Device, Link, Network, PonPort, Premises
from inventory.pools import Span, pon_span, vlan_span

ROLES: Final = ("olt", "router", "switch")
VLAN_IDS: Final = Span(first=1, last=4094)
ONU_IDS: Final = Span(first=0, last=1022)
"""ITU-T G.9807.1: 1023 is the broadcast id."""
PORTS: Final = Span(first=1, last=65535)
_SHOWN: Final = 8
_Ranged = tuple[str, str, Span]


def check_network(network: Network) -> tuple[str, ...]:
    """Return what is wrong with the network, each problem with its place in the file and what is legal; empty if good.

    Devices and links are checked only where there are any: a network file alone has none.
    """
    return tuple(
        problem
        for problems in (
            _duplicates(network),
            _device_problems(network.devices),
            _link_problems(network.links),
            _pon_problems(network),
            _premises_problems(network.premises, network.pon_ports),
            _vlan_problems(network),
            _address_problems(network.address_pools),
        )
        for problem in problems
    )


def _duplicates(network: Network) -> Iterator[str]:
    named = {
        "devices": [device.name for device in network.devices],
        "ponPorts": [f"{port.olt}/{port.name}" for port in network.pon_ports],
        "premises": [premises.place_id for premises in network.premises],
        "vlanPools": [pool.name for pool in network.vlan_pools],
        "addressPools": [pool.name for pool in network.address_pools],
    }
    for where, names in named.items():
        yield from (f"{where}: {name!r} stands there {n} times" for name, n in Counter(names).items() if n > 1)


def _device_problems(devices: tuple[Device, ...]) -> Iterator[str]:
    for index, device in enumerate(devices):
        where = f"devices[{index}] {device.name!r}"
        if device.role not in ROLES:
            yield f"{where}: unknown role {device.role!r}; legal: {', '.join(ROLES)}"
        if not PORTS.holds(device.port):
            yield f"{where}: port {device.port} is not one; legal: {_range(PORTS)}"


def _link_problems(links: tuple[Link, ...]) -> Iterator[str]:
    for index, link in enumerate(links):
        if link.a_device == link.b_device:
            yield f"links[{index}]: both ends are on {link.a_device!r}"
    ends = Counter(
        end for link in links for end in ((link.a_device, link.a_interface), (link.b_device, link.b_interface))
    )
    for (device, interface), times in ends.items():
        if times > 1:
            yield f"links: interface {interface!r} of {device!r} is the end of {times} links; an interface has one"


def _pon_problems(network: Network) -> Iterator[str]:
    olts = {device.name for device in network.devices if device.role == "olt"}
    for index, port in enumerate(network.pon_ports):
        where = f"ponPorts[{index}] '{port.olt}/{port.name}'"
        yield from _span_problems(f"{where}.onuIds", pon_span(port), ONU_IDS)
        if network.devices and port.olt not in olts:
            yield f"{where}: no OLT is called {port.olt!r}; known OLTs: {_known(olts)}"


def _premises_problems(premises: tuple[Premises, ...], ports: tuple[PonPort, ...]) -> Iterator[str]:
    known = {(port.olt, port.name) for port in ports}
    for index, place in enumerate(premises):
        if (place.olt, place.pon_port) not in known:
            names = _known(f"{olt}/{name}" for olt, name in known)
            yield (
                f"premises[{index}] {place.place_id!r}: no PON port is called '{place.olt}/{place.pon_port}'; "
                f"known: {names}"
            )


def _vlan_problems(network: Network) -> Iterator[str]:
    ranged = [(f"vlanPools[{i}]", pool.name, vlan_span(pool)) for i, pool in enumerate(network.vlan_pools)]
    for where, name, span in ranged:
        yield from _span_problems(f"{where} {name!r}.vlanIds", span, VLAN_IDS)
    yield from _overlaps(ranged)


def _address_problems(pools: tuple[AddressPool, ...]) -> Iterator[str]:
    ranged: list[_Ranged] = []
    for index, pool in enumerate(pools):
        where = f"addressPools[{index}]"
        try:
            prefix = IPv4Network(pool.prefix)
            first, last, gateway = (IPv4Address(text) for text in (pool.first, pool.last, pool.gateway))
        except ValueError as error:
            yield f"{where} {pool.name!r}: {error}; legal: an IPv4 prefix, and IPv4 addresses of it"
            continue
        span = Span(first=int(first), last=int(last))
        ranged.append((where, pool.name, span))
        yield from _prefix_problems(f"{where} {pool.name!r}", prefix, span, gateway)
    yield from _overlaps(ranged, as_address=True)


def _prefix_problems(where: str, prefix: IPv4Network, span: Span, gateway: IPv4Address) -> Iterator[str]:
    hosts = _hosts(prefix)
    legal = f"legal in {prefix}: {_range(hosts, as_address=True)}"
    if span.size < 1:
        yield f"{where}.addresses: {_range(span, as_address=True)} is not in ascending order"
    elif not (hosts.holds(span.first) and hosts.holds(span.last)):
        yield f"{where}.addresses: {_range(span, as_address=True)} reaches out of its prefix; {legal}"
    if not hosts.holds(int(gateway)):
        yield f"{where}.gateway: {gateway} is not a host of its prefix; {legal}"
    if span.holds(int(gateway)):
        yield f"{where}.gateway: {gateway} lies among the addresses to be handed out; legal: one outside of them"


def _hosts(prefix: IPv4Network) -> Span:
    # RFC 3021: a /31 has no network and no broadcast address, and neither has a single /32.
    edge = 0 if prefix.prefixlen >= prefix.max_prefixlen - 1 else 1
    return Span(first=int(prefix.network_address) + edge, last=int(prefix.broadcast_address) - edge)


def _span_problems(where: str, span: Span, legal: Span) -> Iterator[str]:
    if span.size < 1:
        yield f"{where}: {_range(span)} is not in ascending order"
    elif not (legal.holds(span.first) and legal.holds(span.last)):
        yield f"{where}: {_range(span)} is out of range; legal: {_range(legal)}"


def _overlaps(ranged: list[_Ranged], *, as_address: bool = False) -> Iterator[str]:
    in_order = sorted((each for each in ranged if each[2].size > 0), key=lambda each: each[2].first)
    reaching: _Ranged | None = None
    for each in in_order:
        where, name, span = each
        if reaching is not None and span.first <= reaching[2].last:
            shared = Span(first=span.first, last=min(reaching[2].last, span.last))
            yield f"{where} {name!r} overlaps {reaching[1]!r} in {_range(shared, as_address=as_address)}"
        if reaching is None or span.last > reaching[2].last:
            reaching = each


def _range(span: Span, *, as_address: bool = False) -> str:
    ends = (str(IPv4Address(end) if as_address else end) for end in (span.first, span.last))
    return "-".join(ends)


def _known(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return (", ".join(ordered[:_SHOWN]) + (", …" if len(ordered) > _SHOWN else "")) or "none"
