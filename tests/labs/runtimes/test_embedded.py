"""The embedded lab behind the contract of held labs."""

from collections.abc import Iterator

import pytest

from labs.contracts import DeployOptions, FaultRequest, HeldLab, NodeState
from labs.errors import NotOnThisNode, UnknownFault, UnknownLabNode
from labs.runtimes.embedded import EmbeddedHeld
from labs.topology import Topology

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def held(ftth: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldLab]:
    lab = EmbeddedHeld(ftth, DeployOptions(folder=tmp_path_factory.mktemp("lab"), ssh_port=0, netconf_port=0))
    lab.start()
    yield lab
    lab.stop()


def test_every_node_is_there_and_hosts_are_drawn(held: HeldLab) -> None:
    states = {node.name: node.state for node in held.nodes()}
    assert states == {
        "olt1": NodeState.RUNNING,
        "sw1": NodeState.RUNNING,
        "r1": NodeState.RUNNING,
        "sub1": NodeState.DRAWN,
        "sub2": NodeState.DRAWN,
        "core1": NodeState.DRAWN,
    }
    assert {node.name: set(node.ports) for node in held.nodes() if node.platform} == {
        "olt1": {"netconf"},
        "sw1": {"ssh"},
        "r1": {"ssh"},
    }


def test_a_command_runs_on_the_devices_own_command_line(held: HeldLab) -> None:
    done = held.exec("r1", "show running-config")
    assert "hostname r1" in done.stdout
    assert done.return_code == 0


def test_the_olt_has_a_command_line_beside_netconf(held: HeldLab) -> None:
    assert held.exec("olt1", "show lock").stdout == "nothing is locked\n"


def test_what_has_no_command_line_says_so(held: HeldLab) -> None:
    with pytest.raises(NotOnThisNode, match=r"^core1: a plain host is only drawn"):
        held.exec("core1", "show version")


def test_unknown_node(held: HeldLab) -> None:
    with pytest.raises(UnknownLabNode, match="unknown lab node 'zz'; managed nodes: olt1, r1, sw1"):
        held.exec("zz", "show version")


@pytest.mark.parametrize(
    "request_",
    [
        FaultRequest(node="sw1", kind="refuse_commit", times=2),
        FaultRequest(node="sw1", kind="latency", value=0.5),
        FaultRequest(node="olt1", kind="unreachable"),
    ],
    ids=lambda request: str(request.kind),
)
def test_a_fault_goes_on_and_off(held: HeldLab, request_: FaultRequest) -> None:
    held.fault(request_)
    assert held.faults() == (request_,)
    held.fault(FaultRequest(node=request_.node, kind=request_.kind, times=0))
    assert held.faults() == ()


def test_an_unknown_fault_lists_the_kinds(held: HeldLab) -> None:
    with pytest.raises(UnknownFault, match=r"unknown fault 'fire'; known: .*latency.*refuse_commit.*unreachable"):
        held.fault(FaultRequest(node="sw1", kind="fire"))
