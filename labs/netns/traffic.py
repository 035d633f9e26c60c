"""Traffic between a lab's hosts: DHCP leases, pings, measured throughput."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from labs.netns.commands import attempt, run
from labs.netns.errors import TrafficFailed

PAYLOAD_BYTES: Final = 1400
OVERHEAD_BYTES: Final = 46
"""UDP, IP and Ethernet headers and one VLAN tag: what a limit counts beside the payload."""
OFFER: Final = 1.4
"""How much more than expected is sent, so that the limit and not the sender decides."""
# Prints the lease and gives it to the interface, as the subscriber's own equipment would.
_LEASE_SCRIPT: Final = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address flush dev "$interface"
ip address add "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "lease $ip/$mask $router"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpLease:
    """What a host got."""

    address: IPv4Address
    prefix_length: int
    gateway: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """What came back."""

    sent: int
    received: int
    average_ms: float = 0.0


def obtain_lease(namespace: str, interface: str, *, attempts: int = 3) -> DhcpLease | None:
    """Ask for an address as a subscriber's equipment does, use it, and return it; None where nobody answers.

    Args:
        namespace: the host.
        interface: its interface; what address it had is dropped.
        attempts: requests, one a second.

    Raises:
        CommandFailed: there is no DHCP client.
    """
    run(["ip", "-n", namespace, "address", "flush", "dev", interface])
    with tempfile.TemporaryDirectory(prefix="lastmile-dhcp-") as folder:
        script = Path(folder) / "lease"
        script.write_text(_LEASE_SCRIPT, encoding="utf-8")
        script.chmod(0o700)
        asking: list[str | Path] = [
            "udhcpc",
            "-i",
            interface,
            "-s",
            script,
            "-n",
            "-q",
            "-f",
            "-t",
            str(attempts),
            "-T",
            "1",
            "-A",
            "1",
        ]
        said = attempt(asking, namespace=namespace).stdout
    found = re.search(r"^lease (\S+)/(\d+) (\S+)$", said, flags=re.MULTILINE)
    if found is None:
        return None
    return DhcpLease(address=IPv4Address(found[1]), prefix_length=int(found[2]), gateway=IPv4Address(found[3]))


def ping(namespace: str, address: str, *, count: int = 1, timeout_s: int = 1) -> Pings:
    """Return how many pings come back.

    Raises:
        CommandFailed: there is no ping.
        TrafficFailed: it says nothing that could be understood.
    """
    words = ["ping", "-n", "-q", "-i", "0.2", "-c", str(count), "-W", str(timeout_s), address]
    done = attempt(words, namespace=namespace)
    found = re.search(r"(\d+) packets transmitted, (\d+) received", done.stdout)
    if found is None:
        # Without an address of its own, or a route, a host does not even send.
        if "unreachable" in done.stderr:
            return Pings(sent=0, received=0)
        raise TrafficFailed(f"{namespace}: ping {address}: {done.stderr.strip() or done.stdout.strip()}")
    times = re.search(r"= [\d.]+/([\d.]+)/", done.stdout)
    return Pings(sent=int(found[1]), received=int(found[2]), average_ms=float(times[1]) if times else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Between whom throughput is measured."""

    client: str
    server: str
    server_address: str


def throughput_mbps(stretch: Stretch, *, expected_mbps: float, downstream: bool, seconds: int = 2) -> float:
    """Return how much arrives when somewhat more than ``expected_mbps`` is sent, counted as a limit counts it.

    Args:
        stretch: the client is the subscriber.
        expected_mbps: what should arrive.
        downstream: from the server to the client, else the other way.
        seconds: how long to measure.

    Raises:
        TrafficFailed: client and server do not find each other.
    """
    offered = f"{expected_mbps * OFFER:.3f}M"
    words = ["iperf3", "-c", stretch.server_address, "-u", "-b", offered, "-l", str(PAYLOAD_BYTES), "-J"]
    words += ["-t", str(seconds), "-O", "1", "--connect-timeout", "3000", *(["-R"] if downstream else [])]
    with _server(stretch):
        done = attempt(words, namespace=stretch.client, timeout_s=seconds + 20.0)
    try:
        result = json.loads(done.stdout)
        received = result["end"]["sum_received"] if "sum_received" in result["end"] else result["end"]["sum"]
        payload_bps = float(received["bits_per_second"])
    except (ValueError, KeyError):
        raise TrafficFailed(f"{stretch.client}: iperf3 with {stretch.server_address}: {done.stdout[-300:]}") from None
    return payload_bps * (PAYLOAD_BYTES + OVERHEAD_BYTES) / PAYLOAD_BYTES / 1e6


@contextmanager
def _server(stretch: Stretch) -> Iterator[None]:
    words = ["ip", "netns", "exec", stretch.server, "iperf3", "-s", "-1", "--forceflush", "-B", stretch.server_address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            _await_listening(server, stretch)
            yield
        finally:
            server.kill()


def _await_listening(server: "subprocess.Popen[str]", stretch: Stretch) -> None:
    if server.stdout is None:
        raise TrafficFailed(f"{stretch.server}: iperf3 says nothing")
    said = []
    for line in server.stdout:
        said.append(line.strip())
        if "listening" in line:
            return
    raise TrafficFailed(f"{stretch.server}: iperf3 does not listen: {' '.join(said)}")
