"""Labs that live on in a process of their own, and what is left of them when things die."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from labs.contracts import DeployOptions, FaultRequest, LabNode, LabRuntime, NodeState
from labs.errors import LabGone, LabNotRunning, LabStartError, PortInUse, UnknownFault, UnknownLabNode
from labs.runtimes.processes import ProcessMark
from labs.runtimes.state import LabState
from labs.topology import Topology, load_topology

pytestmark = pytest.mark.lab

Pid = Callable[[], int]


def reachable(node: LabNode) -> bool:
    try:
        with socket.create_connection((node.address, node.port), timeout=5):
            return True
    except ConnectionRefusedError:
        return False


def mark(folder: Path) -> ProcessMark:
    state = LabState.read(folder)
    assert state is not None
    assert state.holder is not None
    return state.holder


def test_a_lab_outlives_its_deploy(runtime: LabRuntime, topology: Topology, options: DeployOptions) -> None:
    nodes = runtime.deploy(topology, options)
    assert [(node.name, node.state) for node in nodes] == [
        ("r1", NodeState.RUNNING),
        ("r2", NodeState.RUNNING),
        ("host", NodeState.DRAWN),
    ]
    assert all(reachable(node) for node in nodes[:2])
    assert mark(options.folder).pid != os.getpid()
    assert runtime.inspect(topology, options.folder) == nodes
    assert "hostname r2" in runtime.exec(topology, options.folder, "r2", "show running-config").stdout


def test_deploying_again_changes_nothing(
    runtime: LabRuntime, topology: Topology, options: DeployOptions, holder: Pid
) -> None:
    first = runtime.deploy(topology, options)
    before = holder()
    assert runtime.deploy(topology, options) == first
    assert holder() == before


def test_destroy_leaves_no_process_socket_or_file(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    nodes = runtime.deploy(topology, options)
    process = mark(options.folder)
    assert runtime.destroy(topology, options.folder, cleanup=False)
    assert not process.alive()
    assert not options.folder.exists()
    assert not any(reachable(node) for node in nodes if node.address)
    assert not runtime.destroy(topology, options.folder, cleanup=False)


def test_a_killed_lab_is_told_apart_and_comes_back(
    runtime: LabRuntime, topology: Topology, options: DeployOptions, holder: Pid
) -> None:
    runtime.deploy(topology, options)
    dead = mark(options.folder)
    os.kill(holder(), signal.SIGKILL)
    assert dead.wait(timeout_s=10)
    with pytest.raises(LabGone, match="ended unexpectedly; 'lastmile lab deploy' brings it up again"):
        runtime.inspect(topology, options.folder)
    nodes = runtime.deploy(topology, options)
    assert all(reachable(node) for node in nodes[:2])
    assert holder() != dead.pid
    os.kill(holder(), signal.SIGKILL)
    assert mark(options.folder).wait(timeout_s=10)
    assert runtime.destroy(topology, options.folder, cleanup=False)
    assert not options.folder.exists()


@pytest.mark.parametrize("after_s", [0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8])
def test_a_killed_deployer_leaves_nothing_that_the_next_one_stumbles_over(
    runtime: LabRuntime, topology: Topology, options: DeployOptions, after_s: float
) -> None:
    command = [sys.executable, "-m", "tests.labs.runtimes.deployer", str(topology.path), str(options.folder)]
    deployer = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deployer.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        deployer.kill()
    deployer.wait()
    nodes = runtime.deploy(topology, options)
    assert all(reachable(node) for node in nodes[:2])
    process = mark(options.folder)
    assert runtime.destroy(topology, options.folder, cleanup=False)
    assert not process.alive()
    assert not options.folder.exists()


def test_saved_configurations_are_the_next_start(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    runtime.deploy(topology, options)
    runtime.exec(topology, options.folder, "r1", "configure terminal\nhostname renamed\nend")
    assert {file.name for file in runtime.save(topology, options.folder)} == {"r1.cfg", "r2.cfg"}
    runtime.destroy(topology, options.folder, cleanup=False)
    assert sorted(file.name for file in options.folder.rglob("*")) == ["r1.cfg", "r2.cfg", "saved"]

    runtime.deploy(topology, options)
    assert "hostname renamed" in runtime.exec(topology, options.folder, "r1", "show running-config").stdout
    runtime.deploy(topology, replace(options, reconfigure=True))
    assert "hostname r1" in runtime.exec(topology, options.folder, "r1", "show running-config").stdout
    runtime.destroy(topology, options.folder, cleanup=True)
    assert not options.folder.exists()


def test_a_changed_topology_is_not_taken_for_the_running_one(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    runtime.deploy(topology, options)
    text = topology.path.read_text(encoding="utf-8")
    topology.path.write_text(text.replace('    - endpoints: ["r1:eth1", "r2:eth1"]\n', ""), encoding="utf-8")
    changed = load_topology(topology.path, {})
    with pytest.raises(LabStartError, match=r"another topology \(the file was changed since\); --reconf"):
        runtime.deploy(changed, options)
    runtime.deploy(changed, replace(options, reconfigure=True))


def test_a_lab_that_cannot_start_leaves_nothing(
    runtime: LabRuntime, topology: Topology, options: DeployOptions
) -> None:
    (topology.path.parent / "r2.cfg").unlink()
    with pytest.raises(LabStartError, match="r2: startup-config cannot be read"):
        runtime.deploy(topology, options)
    assert LabState.read(options.folder) is None
    with pytest.raises(LabNotRunning, match="is not deployed"):
        runtime.inspect(topology, options.folder)


def test_a_port_in_use_is_named(runtime: LabRuntime, topology: Topology, options: DeployOptions) -> None:
    (first, *_) = runtime.deploy(topology, options)
    other = replace(options, folder=options.folder.with_name("other"), ssh_port=first.ports["ssh"])
    with pytest.raises(PortInUse, match=f"r1: {first.address} port {first.ports['ssh']}"):
        runtime.deploy(topology, other)


def test_refusals_come_back_as_what_they_are(runtime: LabRuntime, topology: Topology, options: DeployOptions) -> None:
    runtime.deploy(topology, options)
    faults = runtime.faults(topology, options.folder)
    with pytest.raises(UnknownLabNode, match="unknown lab node 'r9'; managed nodes: r1, r2"):
        runtime.exec(topology, options.folder, "r9", "show version")
    with pytest.raises(UnknownFault, match="unknown fault 'fire'; known: "):
        faults.set(FaultRequest(node="r1", kind="fire"))


def test_faults_of_a_running_lab(runtime: LabRuntime, topology: Topology, options: DeployOptions) -> None:
    nodes = {node.name: node for node in runtime.deploy(topology, options)}
    faults = runtime.faults(topology, options.folder)
    assert "latency" in {kind.name for kind in faults.kinds()}
    request = FaultRequest(node="r1", kind="unreachable")
    faults.set(request)
    assert list(faults.active()) == [request]
    assert not reachable(nodes["r1"])
    states = {node.name: node.state for node in runtime.inspect(topology, options.folder)}
    assert states["r1"] is NodeState.STOPPED
    faults.set(replace(request, times=0))
    assert reachable(nodes["r1"])
    assert list(faults.active()) == []


def test_a_folder_deeper_than_a_socket_address_is_long(
    runtime: LabRuntime, topology: Topology, options: DeployOptions, tmp_path: Path
) -> None:
    deep = replace(options, folder=tmp_path / ("deep" * 20) / ("er" * 40))
    runtime.deploy(topology, deep)
    assert len(runtime.inspect(topology, deep.folder)) == 3
    assert runtime.destroy(topology, deep.folder, cleanup=True)


def test_a_number_used_again_is_no_living_lab() -> None:
    own = ProcessMark.own()
    assert own.alive()
    assert not replace(own, start_ticks=own.start_ticks + 1).alive()
