import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labs.contracts import DeployOptions, LabRuntime
from labs.runtimes.registry import runtime_named
from labs.runtimes.state import LabState
from labs.topology import Topology, load_topology

RING = """\
name: {name}
mgmt: {{ipv4-subnet: 172.31.{octet}.0/24}}
topology:
  nodes:
    r1: {{kind: linux, image: "frrouting/frr:v8.4.1", startup-config: r1.cfg}}
    r2: {{kind: linux, image: "frrouting/frr:v8.4.1", startup-config: r2.cfg}}
    host: {{kind: linux}}
  links:
    - endpoints: ["r1:eth1", "r2:eth1"]
    - endpoints: ["r2:eth2", "host:eth1"]
"""
_OCTETS = iter(range(1, 250))


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    """A lab of two routers, of a name and on addresses nobody else has."""
    octet = (next(_OCTETS) + os.getpid()) % 250
    file = tmp_path / "ring.clab.yml"
    file.write_text(RING.format(name=f"ring-{os.getpid()}-{octet}", octet=octet), encoding="utf-8")
    for name in ("r1", "r2"):
        (tmp_path / f"{name}.cfg").write_text(f"hostname {name}\n", encoding="utf-8")
    return load_topology(file, {})


@pytest.fixture
def options(tmp_path: Path, topology: Topology) -> DeployOptions:
    """The lab's folder, and any free ports."""
    return DeployOptions(folder=tmp_path / f"clab-{topology.name}", ssh_port=0, netconf_port=0)


@pytest.fixture
def runtime(topology: Topology, options: DeployOptions) -> Iterator[LabRuntime]:
    """The embedded runtime; whatever a test left running is destroyed."""
    embedded = runtime_named("embedded")
    yield embedded
    embedded.destroy(topology, options.folder, cleanup=True)


@pytest.fixture
def holder(options: DeployOptions) -> Callable[[], int]:
    """The number of the process that holds the lab."""

    def pid() -> int:
        state = LabState.read(options.folder)
        assert state is not None
        assert state.holder is not None
        return state.holder.pid

    return pid
