"""Probes of a lab in network namespaces: what a subscriber gets and how fast. They work from any process of root."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from labs.netns import namespaces
from labs.netns.commands import attempt
from labs.netns.errors import NetnsError, TrafficFailed
from labs.netns.probe import this_machine
from labs.netns.site import ONT_LABEL, Site
from labs.netns.traffic import Stretch, obtain_lease, ping, throughput_mbps

CORE_ROLE: Final = "core"
HOST_INTERFACE: Final = "eth1"
ATTEMPTS: Final = 5
MEASUREMENTS: Final = 3
TOLERANCE: Final = 0.2
"""Of the ordered speed: the limits' own, and that of a busy machine."""
TOOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "dhcp-lease": ("udhcpc",),
    "ping-core": ("ping",),
    "isolation": ("ping",),
    "throughput-down": ("iperf3",),
    "throughput-up": ("iperf3",),
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
            return _PROBES[probe](self, self._host(str(arguments["ont"])), arguments)
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


def _addresses(namespace: str) -> list[str]:
    shown = attempt(["ip", "-n", namespace, "-o", "-4", "address", "show", "scope", "global"]).stdout
    return [line.split()[3].partition("/")[0] for line in shown.splitlines()]


_PROBES: Final[Mapping[str, Callable[[NetnsProbes, str, Mapping[str, Any]], Found]]] = {
    "dhcp-lease": NetnsProbes.lease,
    "ping-core": NetnsProbes.core,
    "isolation": NetnsProbes.isolation,
    "throughput-down": NetnsProbes.down,
    "throughput-up": NetnsProbes.up,
}
