"""What this machine lacks to run labs in network namespaces."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labs.contracts import Lack
from labs.netns.commands import attempt
from labs.netns.errors import CommandFailed
from labs.netns.frr_daemons import PROGRAMS
from labs.topology import Topology

TRIAL: Final = "lm-probe"
WITH_DATA_PLANE: Final = ("arista_eos", "bbf_olt", "frr")
_SBIN: Final = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program, and the Debian package that brings it.

    Attributes:
        fatal: no lab runs without it.
    """

    program: str
    package: str
    what: str
    fatal: bool = True


TOOLS: Final = (
    Tool(program="ip", package="iproute2", what="network namespaces"),
    Tool(program="sysctl", package="procps", what="routing in a namespace"),
    Tool(program="ethtool", package="ethtool", what="frames that a userspace switch can pass on"),
    Tool(program="ovs-vsctl", package="openvswitch-switch", what="switches and the OLT's forwarding"),
    Tool(program="ovs-vswitchd", package="openvswitch-switch", what="switches and the OLT's forwarding"),
    Tool(program=str(PROGRAMS / "zebra"), package="frr", what="routers"),
    Tool(program="vtysh", package="frr", what="routers"),
    Tool(program="nsenter", package="util-linux", what="VRFs of routers", fatal=False),
    Tool(program="dnsmasq", package="dnsmasq-base", what="DHCP at the edge"),
    Tool(program="udhcpc", package="udhcpc", what="checks of DHCP leases", fatal=False),
    Tool(program="ping", package="iputils-ping", what="checks with ping", fatal=False),
    Tool(program="iperf3", package="iperf3", what="checks of throughput", fatal=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a probe asks.

    Attributes:
        is_root: whether this process may do everything.
        has: whether a program is installed.
        has_tun: whether the kernel makes tun/tap devices.
        cable_refusal: what the kernel says to a veth pair in a namespace of its own; empty where it makes one.
    """

    is_root: bool
    has: Callable[[str], bool]
    has_tun: bool
    cable_refusal: Callable[[], str]


def netns_gaps(topology: Topology | None = None) -> tuple[Lack, ...]:
    """Return what this machine lacks to run labs in network namespaces, and what of ``topology`` does not run there."""
    left_out = () if topology is None else left_undone(topology)
    return (*gaps(this_machine()), *left_out)


def left_undone(topology: Topology) -> Iterator[Lack]:
    """Yield what of a topology has no data plane in this runtime; nothing of it forbids the deploy."""
    for node in topology.nodes.values():
        if node.managed and node.platform not in WITH_DATA_PLANE:
            why = f"platform {node.platform} has no data plane here; those that have one: {', '.join(WITH_DATA_PLANE)}"
            yield Lack(what=f"packets through {node.name}", why=why, fatal=False)
    if topology.outside:
        why = "they lead out of the lab, which stays on this machine's namespaces"
        yield Lack(what=f"{len(topology.outside)} link(s)", why=why, fatal=False)


def this_machine() -> Machine:
    """Return this machine as it is."""
    return Machine(
        is_root=os.geteuid() == 0,
        has=lambda program: shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_SBIN}") is not None,
        has_tun=Path("/dev/net/tun").exists(),
        cable_refusal=_cable_refusal,
    )


def gaps(machine: Machine) -> Iterator[Lack]:
    """Yield what ``machine`` lacks."""
    if not machine.is_root:
        yield Lack(what="network namespaces", why="they need root; run as root, or use --runtime embedded")
    missing = [tool for tool in TOOLS if not machine.has(tool.program)]
    for tool in missing:
        why = f"{tool.program} is not installed: apt-get install {tool.package}"
        yield Lack(what=tool.what, why=why, fatal=tool.fatal)
    if not machine.has_tun:
        why = "there is no /dev/net/tun; the kernel needs CONFIG_TUN"
        yield Lack(what="Open vSwitch's userspace datapath", why=why)
    if machine.is_root and not any(tool.program == "ip" for tool in missing):
        refusal = machine.cable_refusal()
        if refusal:
            why = f"the kernel needs CONFIG_NET_NS and CONFIG_VETH, and says: {refusal}"
            yield Lack(what="namespaces and cables between them", why=why)


def _cable_refusal() -> str:
    name = f"{TRIAL}-{os.getpid()}"
    try:
        made = attempt(["ip", "netns", "add", name])
        if made.return_code:
            return made.stderr.strip()
        cable = ["ip", "-n", name, "link", "add", "name", "a", "type", "veth", "peer", "name", "b"]
        refused = attempt(cable).stderr.strip()
        attempt(["ip", "netns", "delete", name])
    except CommandFailed as failed:
        return str(failed)
    return refused
