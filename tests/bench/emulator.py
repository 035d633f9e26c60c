"""What the emulated devices cost: they must never be what a measurement of the platform measures."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from importlib.resources import files
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import jinja2

from labs.embedded.edit import apply_edit
from labs.embedded.lab import EmbeddedLab
from labs.embedded.netconf_messages import parse
from labs.embedded.rpc_error import NETCONF_NS
from labs.embedded.subtree import select
from labs.embedded.tree_xml import inner_xml
from labs.embedded.validation import Validator
from labs.topology import Topology, load_topology
from tests.bench.report import UNDER, Figure, median_of, rounded
from tests.labs.conftest import FTTH
from tests.labs.embedded.olt_configs import NAMESPACES, SCHEMA, startup

ONTS: Final = 1000
DEVICES: Final = 200
INTERFACES: Final = ("vani", "venet", "vsi-user", "vsi-network")


def big_edit(runs: int) -> list[Figure]:
    """Return the processor time of one edit of 1,000 ONTs, from bytes to a validated tree, and of reading them back."""
    edit, wanted = _activations(), parse(_filter())

    def change() -> float:
        validator, before = Validator(SCHEMA), startup()
        validator.violations(before)
        started_s = time.process_time()
        found = validator.violations(apply_edit(before, parse(edit), SCHEMA))
        took_s = time.process_time() - started_s
        if found:
            raise AssertionError(found)
        return took_s

    after = apply_edit(startup(), parse(edit), SCHEMA)

    def read_back() -> float:
        started_s = time.process_time()
        inner_xml(select(after, [wanted]), SCHEMA)
        return time.process_time() - started_s

    return [
        Figure(name="emulated_edit_1000", value=median_of(runs, change), unit="s", goal=0.5, sense=UNDER),
        Figure(name="emulated_get_1000", value=median_of(runs, read_back), unit="s", goal=0.5, sense=UNDER),
    ]


def fleet(runs: int) -> list[Figure]:
    """Return how long 200 OLTs take to start in one process that has never seen one, and what each weighs."""
    found = [_deployed() for _ in range(runs)]
    took_s, each_kb = (rounded(sorted(values)[len(values) // 2]) for values in zip(*found, strict=True))
    return [
        Figure(name="emulated_deploy_200", value=took_s, unit="s", goal=1, sense=UNDER),
        Figure(name="emulated_device", value=each_kb, unit="kB", goal=100, sense=UNDER),
    ]


def fleet_topology(size: int) -> Topology:
    """Return a topology of so many OLTs, ``olt1`` to ``olt<size>``."""
    ftth = load_topology(FTTH, os.environ)
    one = ftth.nodes["olt1"]
    first = IPv4Address("172.21.0.1")
    nodes = {f"olt{n + 1}": replace(one, name=f"olt{n + 1}", mgmt_ipv4=first + n) for n in range(size)}
    return replace(ftth, nodes=nodes, links=())


def _deployed() -> tuple[float, float]:
    # In a process of its own: memory that an earlier run has given back would be taken for none.
    command = [sys.executable, "-m", "tests.bench.emulator"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    took_s, each_kb = map(float, printed.split())
    return took_s, each_kb


def _deploy() -> None:
    topology = fleet_topology(DEVICES)
    before_kb = _rss_kb()
    started_s = time.perf_counter()
    with EmbeddedLab(topology, ssh_port=0, netconf_port=0):
        took_s = time.perf_counter() - started_s
        sys.stdout.write(f"{took_s} {(_rss_kb() - before_kb) / DEVICES}\n")


def _rss_kb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def activation(number: int) -> str:
    """Return the configuration of one ONT, as the platform's own template has it."""
    template = files("templates").joinpath("bbf_olt/gpon-access.xml.j2").read_text(encoding="utf-8")
    text: str = jinja2.Template(template).render(
        subscriber=f"sub-{number:05d}",
        channel_partition="cpart1",
        channel_pair="cpair1",
        onu_id=number % 128,
        ont_serial_number=f"ABCD{number:08X}",
        vlan_id=100 + number % 3900,
        uplink_interface="uplink1",
        upstream_bps=50_000_000,
        upstream_mbps=50,
        assured_bps=1_000_000,
        alloc_id=1024 + number % 3000,
        gemport_id=1024 + number,
    )
    return text


def _activations() -> bytes:
    return f'<config xmlns="{NETCONF_NS}">{"".join(map(activation, range(ONTS)))}</config>'.encode()


def _filter() -> bytes:
    names = (f"{kind}-sub-{number:05d}" for number in range(ONTS) for kind in INTERFACES)
    wanted = "".join(f"<interface><name>{name}</name></interface>" for name in names)
    return f'<filter><interfaces xmlns="{NAMESPACES["if"]}">{wanted}</interfaces></filter>'.encode()


if __name__ == "__main__":
    _deploy()
