"""The embedded lab as a whole: start, addresses, outages."""

import socket
import threading
import time
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from ncclient import manager
from ncclient.transport.errors import SSHError

from labs.embedded.lab import EmbeddedLab, RunningNode, loopback_address
from labs.errors import LabStartError, PortInUse, StartupConfigError, UnknownLabNode
from labs.topology import Topology

pytestmark = pytest.mark.lab


def reachable(node: RunningNode) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((node.address, node.port)) == 0


def with_node(topology: Topology, **changes: Any) -> Topology:
    return replace(topology, nodes={"olt1": replace(topology.nodes["olt1"], **changes)})


def test_the_shipped_lab_runs_its_three_managed_nodes(ftth: Topology) -> None:
    with EmbeddedLab(ftth, ssh_port=0, netconf_port=0) as lab:
        nodes = lab.nodes()
        found = [(node.name, node.role, node.platform, node.address, node.protocol) for node in nodes]
        assert found == [
            ("olt1", "olt", "bbf_olt", "127.20.20.11", "netconf"),
            ("sw1", "switch", "arista_eos", "127.20.20.12", "ssh"),
            ("r1", "router", "frr", "127.20.20.13", "ssh"),
        ]
        assert all(reachable(node) for node in nodes)
        assert all(lab.running_config(node.name) for node in nodes)
        assert {node.username for node in nodes} == {"admin"}
        assert "admin'" not in repr(nodes[0]).partition("username='admin'")[2]
    assert not any(reachable(node) for node in nodes)
    assert not [thread for thread in threading.enumerate() if thread.name == "lab-ftth"]


def test_a_lab_starts_again_after_stop(olt_only: Topology) -> None:
    lab = EmbeddedLab(olt_only, netconf_port=0)
    lab.stop()
    for _ in range(2):
        (node,) = lab.start()
        with pytest.raises(LabStartError, match="lab ftth is already running"):
            lab.start()
        assert reachable(node)
        lab.stop()
        assert not reachable(node)


def test_cut_and_restore(olt_lab: EmbeddedLab) -> None:
    (node,) = olt_lab.nodes()
    before = olt_lab.running_config("olt1")
    olt_lab.restore("olt1")

    def connect() -> Any:
        return manager.connect(
            host=node.address,
            port=node.port,
            username=node.username,
            password=node.password,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
            timeout=5,
        )

    session = connect()
    session.lock("candidate")
    olt_lab.cut("olt1")
    assert not reachable(node)
    deadline = time.monotonic() + 5
    while session.connected and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not session.connected
    with pytest.raises(SSHError):
        connect()
    olt_lab.restore("olt1")
    assert olt_lab.nodes() == (node,)
    assert olt_lab.running_config("olt1") == before
    session = connect()
    session.lock("candidate")
    session.close_session()


def test_busy_port_is_named_and_nothing_keeps_running(olt_only: Topology) -> None:
    with EmbeddedLab(olt_only, netconf_port=0) as first:
        (node,) = first.nodes()
        second = EmbeddedLab(olt_only, netconf_port=node.port)
        expected = rf"olt1: 127\.20\.20\.11 port {node.port} \(netconf\) is already in use; .*another netconf_port"
        with pytest.raises(PortInUse, match=expected):
            second.start()
        assert reachable(node)
    assert not reachable(node)
    with second:
        assert reachable(node)


def test_unknown_names_are_answered_with_the_known(olt_lab: EmbeddedLab) -> None:
    for ask in (olt_lab.running_config, olt_lab.faults.clear, olt_lab.cut, olt_lab.restore):
        with pytest.raises(UnknownLabNode, match="unknown lab node 'sub1'; managed nodes: olt1"):
            ask("sub1")


def test_a_stopped_lab_says_so(olt_only: Topology) -> None:
    lab = EmbeddedLab(olt_only, netconf_port=0)
    with lab:
        pass
    with pytest.raises(LabStartError, match="lab ftth is not running"):
        lab.cut("olt1")


def test_unusable_nodes_are_refused_before_anything_starts(olt_only: Topology, tmp_path: Path) -> None:
    labels = {**olt_only.nodes["olt1"].labels, "lastmile.platform": "toaster"}
    broken = tmp_path / "broken.xml"
    cases: list[tuple[dict[str, Any], str]] = [
        ({"labels": labels}, "olt1: unknown lastmile.platform 'toaster'; known: arista_eos, bbf_olt, frr"),
        ({"mgmt_ipv4": None}, "olt1: has no mgmt-ipv4"),
        ({"startup_config": tmp_path / "none.xml"}, "olt1: startup-config cannot be read"),
    ]
    for changes, expected in cases:
        with pytest.raises(LabStartError, match=expected):
            EmbeddedLab(with_node(olt_only, **changes), netconf_port=0).start()
    for text, expected in (("<config>", "not well-formed"), ("<config><x/></config>", "unknown namespace")):
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(StartupConfigError, match=f"olt1: startup configuration: {expected}"):
            EmbeddedLab(with_node(olt_only, startup_config=broken), netconf_port=0).start()


def test_a_node_may_start_empty(olt_only: Topology) -> None:
    with EmbeddedLab(with_node(olt_only, startup_config=None), netconf_port=0) as lab:
        assert "<interface>" not in lab.running_config("olt1")


def test_management_addresses_move_below_127() -> None:
    assert loopback_address(IPv4Address("172.20.20.11")) == "127.20.20.11"
    assert loopback_address(IPv4Address("10.0.0.1")) == "127.0.0.1"
