"""The lab itself: up in seconds, gone without a trace, whatever ended it."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import netmiko
import pytest

from labs.contracts import DeployOptions, NodeState
from labs.errors import LabError
from labs.netns import namespaces, register
from labs.netns.commands import run
from labs.netns.errors import NamesTaken
from labs.netns.held import NetnsHeld, sweep
from labs.topology import Topology

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.slow, pytest.mark.usefixtures("able")]

DEPLOY_S = 10.0
LEAVE_IT = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
from labs.contracts import DeployOptions
from labs.netns.held import NetnsHeld
from labs.topology import load_topology
# As the process that holds a lab has it.
os.umask(0o077)
topology = replace(load_topology(Path(sys.argv[1]), os.environ), name=sys.argv[2])
NetnsHeld(topology, DeployOptions(folder=Path(sys.argv[3]), ssh_port=0, netconf_port=0)).start()
print("up", flush=True)
time.sleep(600)
"""


def _traces(topology: Topology) -> list[str]:
    names = [f"lm-{topology.name}-{node}" for node in topology.nodes]
    held = namespaces.existing(names)
    folder = register.RUN / topology.name
    files = [str(folder)] if folder.exists() else []
    return held + files + _mentions(str(folder))


def _mentions(text: str) -> list[str]:
    """Return the command lines of living processes that name ``text``."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found += [line] if text in line else []
    return found


def test_it_comes_up_in_seconds_and_goes_without_a_trace(own_ftth: Topology, options: DeployOptions) -> None:
    lab = NetnsHeld(own_ftth, options)
    started_s = time.monotonic()
    nodes = lab.start()
    took_s = time.monotonic() - started_s
    try:
        assert took_s < DEPLOY_S
        assert {node.state for node in nodes} == {NodeState.RUNNING}
        assert lab.exec("core1", "ping -c 1 -W 2 192.0.2.2").return_code == 0
    finally:
        lab.stop()
    assert _traces(own_ftth) == []


def test_what_a_killed_process_left_is_cleaned_up(own_ftth: Topology, options: DeployOptions, tmp_path: Path) -> None:
    words = [sys.executable, "-c", LEAVE_IT, str(own_ftth.path), own_ftth.name, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        with pytest.raises(NamesTaken, match="held by process"):
            NetnsHeld(own_ftth, options).start()
        os.kill(holder.pid, signal.SIGKILL)
    assert _traces(own_ftth) != []
    lab = NetnsHeld(own_ftth, options)
    lab.start()
    lab.stop()
    assert _traces(own_ftth) == []
    assert not sweep(own_ftth)


def test_what_is_not_ours_stays(own_ftth: Topology, options: DeployOptions) -> None:
    foreign = f"lm-{own_ftth.name}-core1"
    namespaces.make(foreign)
    try:
        with pytest.raises(NamesTaken, match="not this lab's"):
            NetnsHeld(own_ftth, options).start()
        assert not sweep(own_ftth)
        assert namespaces.existing([foreign]) == [foreign]
    finally:
        namespaces.remove([foreign])


def test_a_start_that_fails_leaves_nothing(own_ftth: Topology, options: DeployOptions) -> None:
    core = replace(own_ftth.nodes["core1"], exec=("false",))
    broken = replace(own_ftth, nodes={**own_ftth.nodes, "core1": core})
    with pytest.raises(LabError, match="false"):
        NetnsHeld(broken, options).start()
    assert _traces(own_ftth) == []


def test_stock_netmiko_finds_a_real_frr(own_ftth: Topology, options: DeployOptions) -> None:
    lab = NetnsHeld(own_ftth, options)
    router = next(node for node in lab.start() if node.name == "r1")
    try:
        session = netmiko.ConnectHandler(
            device_type="cisco_ios",
            host=router.address,
            port=router.port,
            username=router.username,
            password=router.password,
        )
        with session:
            session.send_config_set(["interface eth1.77", "ip address 10.7.0.1/32", "exit"])
            lab.settle()
            assert "10.7.0.1/32" in lab.exec("r1", "show interface brief").stdout
            said = session.send_config_set(["no interface eth1.77"])
            assert "only inactive interfaces can be deleted" in said
            assert "eth1.77" in session.send_command("show running-config")
            session.send_config_set(["interface eth1.77", "no ip address 10.7.0.1/32"])
            assert "eth1.77" not in session.send_command("show running-config")
        lab.settle()
        assert "eth1.77" not in run(["ip", "-n", f"lm-{own_ftth.name}-r1", "link"])
    finally:
        lab.stop()
