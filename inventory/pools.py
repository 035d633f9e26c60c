"""The law of pools, free of I/O: a pool is a span of numbers, and what is free of it is a short list of spans.

VLAN ids, ONU ids and IPv4 addresses are all numbers here. Taking the lowest free value and giving one back touch one
or two spans, however many values are taken.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from inventory.model import AddressPool, Allocation, Network, PonPort, VlanPool


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PoolKey:
    """Which pool: VLAN and address pools by name, a PON's ONU ids by ``"<olt>/<port>"``."""

    allocation: Allocation
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A run of numbers, both ends included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return self.last - self.first + 1

    def holds(self, value: int) -> bool:
        """Say whether ``value`` lies in it."""
        return self.first <= value <= self.last


def free_spans(pool: Span, taken: Iterable[int]) -> Iterator[Span]:
    """Yield the free spans of ``pool``, lowest first; ``taken`` comes in ascending order."""
    start = pool.first
    for value in taken:
        if not pool.holds(value):
            continue
        if value > start:
            yield Span(first=start, last=value - 1)
        start = value + 1
    if start <= pool.last:
        yield Span(first=start, last=pool.last)


def take_lowest(free: Span) -> tuple[int, Span | None]:
    """Return the lowest value of the pool's lowest free span, and what stays free of that span."""
    rest = Span(first=free.first + 1, last=free.last) if free.size > 1 else None
    return free.first, rest


def give_back(value: int, below: Span | None, above: Span | None) -> Span:
    """Return the free span that ``value`` becomes part of; ``below`` and ``above`` are its free neighbours."""
    return Span(first=below.first if below else value, last=above.last if above else value)


def pon_key(olt: str, pon_port: str) -> PoolKey:
    """Return the pool of the ONU ids of one PON."""
    return PoolKey(allocation="pon", name=f"{olt}/{pon_port}")


def pon_span(port: PonPort) -> Span:
    """Return the ONU ids of the PON."""
    return Span(first=port.first_onu_id, last=port.last_onu_id)


def vlan_span(pool: VlanPool) -> Span:
    """Return the VLAN ids of the pool."""
    return Span(first=pool.first_vlan_id, last=pool.last_vlan_id)


def address_span(pool: AddressPool) -> Span:
    """Return the addresses of the pool as numbers."""
    return Span(first=int(IPv4Address(pool.first)), last=int(IPv4Address(pool.last)))


def pools_of(network: Network) -> Mapping[PoolKey, Span]:
    """Return every pool of the network with the values it holds."""
    return (
        {pon_key(port.olt, port.name): pon_span(port) for port in network.pon_ports}
        | {PoolKey(allocation="vlan", name=pool.name): vlan_span(pool) for pool in network.vlan_pools}
        | {PoolKey(allocation="address", name=pool.name): address_span(pool) for pool in network.address_pools}
    )
