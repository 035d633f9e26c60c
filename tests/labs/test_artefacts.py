"""The files beside a lab: containerlab's names and shapes, and plain Nornir and Ansible can use them."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from napalm import get_network_driver
from netmiko import ConnectHandler
from nornir.core import Nornir
from nornir.core.task import MultiResult, Result, Task
from nornir.init_nornir import InitNornir

from labs.artefacts import ANSIBLE, DATA, NORNIR, inspect_data, write_artefacts
from labs.contracts import DeployOptions, LabNode, NodeState
from labs.runtimes.embedded import EmbeddedHeld
from labs.topology import Topology, load_topology

TEXT = """\
name: shapes
topology:
  nodes:
    sw1: {kind: ceos, labels: {ansible-group: edge, nornir-group: core}}
    xr1: {kind: cisco_xrd}
    pc1: {kind: linux}
  links:
    - endpoints: ["sw1:eth1", "xr1:Gi0-0-0-0"]
"""


@pytest.fixture
def lab(tmp_path: Path) -> tuple[Topology, tuple[LabNode, ...]]:
    file = tmp_path / "shapes.clab.yml"
    file.write_text(TEXT, encoding="utf-8")
    topology = load_topology(file, {})
    addresses = {"sw1": "172.20.20.2", "xr1": "172.20.20.3"}
    nodes = tuple(
        LabNode(
            name=node.name,
            kind=node.kind,
            state=NodeState.RUNNING if node.name in addresses else NodeState.DRAWN,
            platform=node.platform,
            address=addresses.get(node.name, ""),
            ports={"ssh": 22} if node.name in addresses else {},
            username=node.username,
            password=node.password,
            labels=node.labels,
        )
        for node in topology.nodes.values()
    )
    write_artefacts(topology, nodes, tmp_path)
    return topology, nodes


@pytest.mark.usefixtures("lab")
def test_the_nornir_inventory(tmp_path: Path) -> None:
    inventory = yaml.safe_load((tmp_path / NORNIR).read_text(encoding="utf-8"))
    assert list(inventory) == ["sw1", "xr1"]
    sw1, xr1 = inventory["sw1"], inventory["xr1"]
    assert (sw1["hostname"], sw1["username"], sw1["password"]) == ("172.20.20.2", "admin", "admin")
    assert (sw1["platform"], sw1["port"], sw1["groups"]) == ("arista_eos", 22, ["core"])
    assert (xr1["platform"], xr1["username"], xr1["password"]) == ("cisco_xrd", "clab", "clab@123")
    assert "groups" not in xr1


@pytest.mark.usefixtures("lab")
def test_the_ansible_inventory(tmp_path: Path) -> None:
    groups = yaml.safe_load((tmp_path / ANSIBLE).read_text(encoding="utf-8"))["all"]["children"]
    assert {name: list(group["hosts"]) for name, group in groups.items()} == {
        "ceos": ["clab-shapes-sw1"],
        "cisco_xrd": ["clab-shapes-xr1"],
        "edge": ["clab-shapes-sw1"],
    }
    host = groups["ceos"]["hosts"]["clab-shapes-sw1"]
    assert (host["ansible_host"], host["ansible_port"], host["ansible_network_os"]) == (
        "172.20.20.2",
        22,
        "arista.eos.eos",
    )


@pytest.mark.usefixtures("lab")
@pytest.mark.skipif(shutil.which("ansible-inventory") is None, reason="Ansible is not installed")
def test_ansible_reads_its_inventory(tmp_path: Path) -> None:
    command = ["ansible-inventory", "-i", str(tmp_path / ANSIBLE), "--list"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["ceos"]["hosts"] == ["clab-shapes-sw1"]


@pytest.mark.usefixtures("lab")
def test_the_topology_data(tmp_path: Path) -> None:
    data = json.loads((tmp_path / DATA).read_text(encoding="utf-8"))
    assert (data["name"], data["type"]) == ("shapes", "clab")
    assert data["nodes"]["sw1"]["longname"] == "clab-shapes-sw1"
    assert data["nodes"]["xr1"]["mgmt-ipv4-address"] == "172.20.20.3"
    (link,) = data["links"]
    assert link["endpoints"]["a"] == {"node": "sw1", "interface": "eth1", "mac": "", "peer": "z"}


def test_inspect_has_containerlabs_shape(lab: tuple[Topology, tuple[LabNode, ...]], tmp_path: Path) -> None:
    (containers,) = inspect_data(*lab, tmp_path).values()
    expected = {"lab_name", "labPath", "absLabPath", "name", "container_id", "image", "kind", "state", "status"}
    assert expected <= set(containers[0])
    assert [(each["name"], each["state"], each["ipv4_address"]) for each in containers] == [
        ("clab-shapes-sw1", "running", "172.20.20.2"),
        ("clab-shapes-xr1", "running", "172.20.20.3"),
        ("clab-shapes-pc1", "drawn", "N/A"),
    ]


@pytest.fixture(scope="module")
def nornir(ftth: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nornir]:
    """Plain Nornir on what a running lab wrote."""
    folder = tmp_path_factory.mktemp("ftth")
    lab = EmbeddedHeld(ftth, DeployOptions(folder=folder, ssh_port=0, netconf_port=0))
    write_artefacts(ftth, lab.start(), folder)
    inventory = {
        "plugin": "SimpleInventory",
        "options": {
            "host_file": str(folder / NORNIR),
            "group_file": str(folder / "none"),
            "defaults_file": str(folder / "none"),
        },
    }
    started = InitNornir(inventory=inventory, logging={"enabled": False})
    yield started
    started.close_connections()
    lab.stop()


@pytest.mark.lab
def test_plain_nornir_talks_to_the_devices(nornir: Nornir) -> None:
    assert sorted(nornir.inventory.hosts) == ["olt1", "r1", "sw1"]
    answers = nornir.filter(filter_func=lambda host: host.name != "olt1").run(_ask_with_netmiko)
    assert not answers.failed, answers["sw1"].exception
    assert "arista" in str(answers["sw1"][0].result).lower()
    assert "FRRouting" in str(answers["r1"][0].result)


@pytest.mark.lab
def test_plain_nornir_talks_to_the_switch_with_napalm(nornir: Nornir) -> None:
    answer: MultiResult = nornir.filter(name="sw1").run(_ask_with_napalm)["sw1"]
    assert not answer.failed, answer.exception
    assert "hostname sw1" in str(answer[0].result)


def _ask_with_netmiko(task: Task) -> Result:
    host = task.host
    return Result(host=host, result=_netmiko(host).send_command("show version"))


def _netmiko(host: Any) -> Any:
    from_inventory = {"host": host.hostname, "port": host.port, "username": host.username, "password": host.password}
    return ConnectHandler(device_type=host.platform, **from_inventory)


def _ask_with_napalm(task: Task) -> Result:
    host, options = task.host, task.host.get_connection_parameters("napalm")
    driver = get_network_driver(options.platform)
    with driver(host.hostname, host.username, host.password, **(options.extras or {})) as device:
        return Result(host=host, result=device.get_config(retrieve="running")["running"])
