"""Probes of a lab in network namespaces: what a subscriber gets and how fast. They work from any process of root."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labs.netns import namespaces
from labs.netns.commands import attempt
from labs.netns.errors import NetnsError, TrafficFailed
from labs.netns.hearing import who_hears
from labs.netns.probe import this_machine
from labs.netns.site import ONT_LABEL, Site
from labs.netns.traffic import Stretch, obtain_lease, ping, throughput_mbps

CORE_ROLE: Final = "core"
HOST_INTERFACE: Final = "eth1"
ATTEMPTS: Final = 5
END_PINGS: Final = 3
WAY_S: Final = 8.0
MEASUREMENTS: Final = 3
TOLERANCE: Final = 0.2
"""Of the ordered speed: the limits' own, and that of a busy machine."""
TOOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "dhcp-lease": ("udhcpc",),
    "ping-core": ("ping",),
    "isolation": ("ping",),
    "throughput-down": ("iperf3",),
    "throughput-up": ("iperf3",),
    "ends-reach": ("ping",),
    "ends-isolation": (),
    "ends-throughput": ("iperf3",),
}
"""The probes, and the programs each needs."""

Found = tuple[bool, str, str]
"""Whether it is good, what was found, and what was measured."""


@dataclass(frozen=True, slots=True)
class NetnsProbes:
    """Looks at the traffic of a running lab, as a subscriber's equipment would."""

    site: Site
    _measuring: threading.Lock = field(default_factory=threading.Lock)

    def lacks(self, probe: str) -> str:
        """Return why ``probe`` cannot be run here; empty where it can."""
        if probe not in TOOLS:
            return f"the netns lab has no probe {probe}; it has {', '.join(TOOLS)}"
        machine = this_machine()
        if not machine.is_root:
            return "probes in network namespaces need root"
        missing = [program for program in TOOLS[probe] if not machine.has(program)]
        return f"not installed: {', '.join(missing)}" if missing else ""

    def run(self, probe: str, arguments: Mapping[str, Any]) -> Found:
        """Return whether what ``probe`` finds is good, what it found and what it measured."""
        try:
            return _PROBES[probe](self, self._looking(arguments), arguments)
        except NetnsError as trouble:
            return False, str(trouble), ""

    def lease(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Ask for an address and compare it with the reserved one."""
        lease = obtain_lease(host, HOST_INTERFACE, attempts=ATTEMPTS)
        if lease is None:
            return False, f"no DHCP answer to {ATTEMPTS} requests", ""
        got, reserved = (str(lease.address), str(lease.gateway)), (str(wanted["address"]), str(wanted["gateway"]))
        words = f"address {got[0]} behind {got[1]}; reserved: {reserved[0]} behind {reserved[1]}"
        return got == reserved, words, got[0]

    def core(self, host: str, _wanted: Mapping[str, Any]) -> Found:
        """Ping the core."""
        _, address = self._core()
        pings = ping(host, address, count=ATTEMPTS)
        words = f"{pings.received} of {pings.sent} pings to {address} came back"
        return pings.received > 0, words, f"{pings.average_ms:g} ms" if pings.received else ""

    def isolation(self, host: str, _wanted: Mapping[str, Any]) -> Found:
        """Ping every neighbour; none may answer."""
        neighbours = [address for each in self._subscribers() if each != host for address in _addresses(each)]
        reached = [address for address in neighbours if ping(host, address, count=2).received]
        if reached:
            return False, f"reaches {', '.join(reached)}", ""
        return True, f"none of {len(neighbours)} neighbours' addresses answers", ""

    def down(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Measure what arrives from the core."""
        return self._speed(host, float(wanted["mbps"]), downstream=True)

    def up(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Measure what arrives at the core."""
        return self._speed(host, float(wanted["bps"]) / 1e6, downstream=False)

    def _speed(self, host: str, ordered_mbps: float, *, downstream: bool) -> Found:
        server, address = self._core()
        stretch = Stretch(client=host, server=server, server_address=address)
        # One measurement at a time: they would share the machine's processors, and the server's port.
        with self._measuring:
            measured = self._measured(stretch, ordered_mbps, downstream=downstream)
        good = abs(measured - ordered_mbps) <= TOLERANCE * ordered_mbps
        return good, f"{ordered_mbps:g} Mbit/s ordered, {TOLERANCE:.0%} tolerated", f"{measured:.1f} Mbit/s"

    def _measured(self, stretch: Stretch, ordered_mbps: float, *, downstream: bool) -> float:
        """Return the best of a few: a busy machine makes a line slower than it is, and never faster."""
        best = 0.0
        for _ in range(MEASUREMENTS):
            best = max(best, throughput_mbps(stretch, expected_mbps=ordered_mbps, downstream=downstream))
            if best >= (1 - TOLERANCE) * ordered_mbps:
                break
        return best

    # Between two customer ports, of switches or routers.

    def reach(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Ping the host at the other end, from both ends."""
        other = self._far(wanted)
        _await_way(host, _address(other))
        found = [(ping(a, _address(b), count=END_PINGS), b) for a, b in ((host, other), (other, host))]
        told = [f"{pings.received} of {pings.sent} pings to {self._node(to)} came back" for pings, to in found]
        good = all(pings.received for pings, _ in found)
        return good, "; ".join(told), f"{max(pings.average_ms for pings, _ in found):g} ms" if good else ""

    def apart(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Let both ends speak to everybody; the other end hears it, and nobody else."""
        other = self._far(wanted)
        everybody = list(self._running())
        addresses = sorted({address for each in everybody if each != host for address in _addresses(each)})
        for speaker, partner in ((host, other), (other, host)):
            listeners = [each for each in everybody if each != speaker]
            heard = who_hears(speaker, addresses, listeners, HOST_INTERFACE)
            if heard != {partner}:
                said = ", ".join(sorted(map(self._node, heard))) or "nobody"
                return False, f"{self._node(speaker)} is heard by {said}, not by {self._node(partner)} alone", ""
        words = f"each hears the other, and none of {len(everybody) - 2} other hosts at {len(addresses)} addresses does"
        return True, words, ""

    def both_ways(self, host: str, wanted: Mapping[str, Any]) -> Found:
        """Measure what arrives in each direction."""
        other, ordered_mbps = self._far(wanted), float(wanted["mbps"])
        stretch = Stretch(client=host, server=other, server_address=_address(other))
        with self._measuring:
            there, back = (self._measured(stretch, ordered_mbps, downstream=way) for way in (False, True))
        good = all(abs(each - ordered_mbps) <= TOLERANCE * ordered_mbps for each in (there, back))
        words = f"{ordered_mbps:g} Mbit/s ordered, {TOLERANCE:.0%} tolerated"
        return good, words, f"{there:.1f} Mbit/s, back {back:.1f} Mbit/s"

    def _looking(self, arguments: Mapping[str, Any]) -> str:
        """Return the host that looks."""
        if "ont" in arguments:
            return self._host(str(arguments["ont"]))
        return self._at(str(arguments["aDevice"]), str(arguments["aInterface"]))

    def _far(self, arguments: Mapping[str, Any]) -> str:
        return self._at(str(arguments["zDevice"]), str(arguments["zInterface"]))

    def _at(self, device: str, interface: str) -> str:
        name = self.site.host_at(device, interface)
        if name is None or not namespaces.existing([self.site.namespace(name)]):
            raise TrafficFailed(f"no host of the lab stands behind {device} {interface}")
        return self.site.namespace(name)

    def _running(self) -> Iterator[str]:
        yield from namespaces.existing(map(self.site.namespace, self.site.hosts()))

    def _node(self, namespace: str) -> str:
        return next(name for name in self.site.hosts() if self.site.namespace(name) == namespace)

    def _host(self, serial_number: str) -> str:
        for node in self.site.topology.nodes.values():
            if node.labels.get(ONT_LABEL, "").upper() == serial_number.upper():
                return self.site.namespace(node.name)
        raise TrafficFailed(f"no host of the lab stands behind ONT {serial_number} (label {ONT_LABEL})")

    def _subscribers(self) -> Iterator[str]:
        for node in self.site.topology.nodes.values():
            if ONT_LABEL in node.labels and namespaces.existing([self.site.namespace(node.name)]):
                yield self.site.namespace(node.name)

    def _core(self) -> tuple[str, str]:
        for node in self.site.topology.nodes.values():
            if node.role == CORE_ROLE and (found := _addresses(self.site.namespace(node.name))):
                return self.site.namespace(node.name), found[0]
        raise TrafficFailed(f"no host of role {CORE_ROLE} with an address in lab {self.site.topology.name}")


def _await_way(host: str, address: str) -> None:
    """Return when an address answers, or does not for long: who asked too early takes a while to ask again."""
    ends_s = time.monotonic() + WAY_S
    while time.monotonic() < ends_s and not ping(host, address).received:
        continue


def _address(namespace: str) -> str:
    found = _addresses(namespace)
    if not found:
        raise TrafficFailed(f"{namespace}: has no address")
    return found[0]


def _addresses(namespace: str) -> list[str]:
    shown = attempt(["ip", "-n", namespace, "-o", "-4", "address", "show", "scope", "global"]).stdout
    return [line.split()[3].partition("/")[0] for line in shown.splitlines()]


_PROBES: Final[Mapping[str, Callable[[NetnsProbes, str, Mapping[str, Any]], Found]]] = {
    "dhcp-lease": NetnsProbes.lease,
    "ping-core": NetnsProbes.core,
    "isolation": NetnsProbes.isolation,
    "throughput-down": NetnsProbes.down,
    "throughput-up": NetnsProbes.up,
    "ends-reach": NetnsProbes.reach,
    "ends-isolation": NetnsProbes.apart,
    "ends-throughput": NetnsProbes.both_ways,
}
