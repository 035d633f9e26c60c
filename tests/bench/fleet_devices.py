"""Emulated devices in a process of their own: ``python -m tests.bench.fleet_devices PLATFORM COUNT [KIND=SECONDS …]``.

Prints one JSON line that says where each listens, and ends with its input. With ``e_lines=COUNT`` the last of them, a
switch, carries that many E-Lines.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Final

from api.collector import settle_heap
from inventory.model import Device
from labs.embedded.faults import Fault
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology
from tests.bench.full_switch import fill_with_e_lines

START: Final = {"bbf_olt": Path("labs/ftth/olt1.xml").absolute(), "arista_eos": Path("labs/ftth/sw1.cfg").absolute()}
ROLE: Final = {"bbf_olt": "olt", "arista_eos": "switch"}
PER_NET: Final = 200
E_LINES: Final = "e_lines"


@contextmanager
def fleet(platform: str, count: int, **faults: float) -> Iterator[list[Device]]:
    """Start ``count`` devices of ``platform`` in another process, yield them, end the process.

    Args:
        platform: the platform of all of them.
        count: how many.
        faults: what all of them do wrong, with its parameter: ``latency=0.02, commit_time=0.2``; or ``e_lines``.
    """
    wrongs = [f"{kind}={value}" for kind, value in faults.items()]
    command = [sys.executable, "-m", "tests.bench.fleet_devices", platform, str(count), *wrongs]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the fleet has no pipes")
        try:
            nodes = json.loads(process.stdout.readline())
            yield [Device(**node) for node in nodes]
        finally:
            process.stdin.close()
            process.wait()


def main() -> None:
    """Serve until standard input ends."""
    logging.basicConfig(level=logging.ERROR)
    platform, count = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="lastmile-fleet-") as folder:
        file = Path(folder) / "fleet.clab.yml"
        file.write_text(_topology(platform, count), encoding="utf-8")
        with EmbeddedLab(load_topology(file, environ={}), ssh_port=0, netconf_port=0) as lab:
            wrongs = dict(fault.split("=") for fault in sys.argv[3:])
            fill_with_e_lines(lab, int(wrongs.pop(E_LINES, "0")))
            for kind, value in wrongs.items():
                for node in lab.nodes():
                    lab.faults.set(node.name, Fault(kind, value=float(value)))
            settle_heap()
            sys.stdout.write(json.dumps([_node(node) for node in lab.nodes()]) + "\n")
            sys.stdout.flush()
            sys.stdin.read()


def _topology(platform: str, count: int) -> str:
    nodes = "".join(
        f"    n{number}:\n      kind: linux\n      mgmt-ipv4: 172.20.{20 + number // PER_NET}.{1 + number % PER_NET}\n"
        f"      startup-config: {START[platform]}\n"
        f"      labels: {{lastmile.platform: {platform}, lastmile.role: {ROLE[platform]}}}\n"
        for number in range(count)
    )
    return f"name: fleet\ntopology:\n  nodes:\n{nodes}"


def _node(node: object) -> dict[str, object]:
    names = ("name", "platform", "role", "address", "port", "username", "password")
    return {name: getattr(node, name) for name in names}


if __name__ == "__main__":
    main()
