"""A lab of network namespaces, and a platform that takes orders for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from api.client import Client
from api.demo import pictures
from api.http.app import create_app
from api.http.server import bind, serving
from api.lab_probes import LabProbes
from api.settings import Settings
from api.wiring import running_system
from api.wiring_lab import links_of
from inventory.model import Device
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from labs.contracts import DeployOptions, LabNode
from labs.netns.held import NetnsHeld, sweep
from labs.netns.probe import netns_gaps
from labs.netns.probes import NetnsProbes
from labs.netns.site import Site as LabSite
from labs.netns.traffic import obtain_lease, ping
from labs.topology import Topology, load_topology

FTTH = Path(__file__).parents[3] / "labs" / "ftth"
PATIENCE_S = 30.0
TESTING_S = 60.0
CORE = "192.0.2.1"


@pytest.fixture(scope="session")
def able() -> None:
    """Skip, with the reason, where this machine cannot run labs in network namespaces."""
    lacks = netns_gaps()
    if lacks:
        pytest.skip("; ".join(map(str, lacks)))


@pytest.fixture(scope="session")
def own_ftth() -> Topology:
    """The shipped topology under a name of this process's own, so that two test runs do not meet."""
    return replace(load_topology(FTTH / "ftth.clab.yml", os.environ), name=f"t{os.getpid()}")


@pytest.fixture
def options(tmp_path: Path) -> DeployOptions:
    """Free ports, and a folder of the test's own."""
    return DeployOptions(folder=tmp_path, ssh_port=0, netconf_port=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running lab and a platform on it."""

    lab: NetnsHeld
    client: Client
    lab_topology: Topology

    def namespace(self, node: str) -> str:
        """Return the name of a node's namespace."""
        return f"lm-{self.lab_topology.name}-{node}"

    def configurations(self) -> dict[str, str]:
        """Return the running configuration of every device."""
        return {node.name: self.lab.running_config(node.name) for node in self.lab.nodes() if node.platform}

    def order(self, body: dict[str, Any], state: str = "completed") -> dict[str, Any]:
        """Place an order, see it end in ``state`` and the data plane follow."""
        tree = self.client.follow(self.client.place(body), timeout_s=PATIENCE_S)
        assert tree["productOrder"]["state"] == state, pictures.reasons(tree)
        self.lab.settle()
        return tree

    def tested(self, key: str) -> dict[str, dict[str, Any]]:
        """Return the results of the test of a service by the checks' names; L1 by its device."""
        self.client.http.timeout = TESTING_S
        found = self.client.post(f"/lastmile/v1/serviceTest/{key}", {})
        return {each["device"] if each["level"] == "L1" else each["name"]: each for each in found["result"]}

    def dark(self, subscriber: str) -> bool:
        """Say whether a subscriber gets no address and reaches nobody."""
        host = self.namespace(subscriber)
        return obtain_lease(host, "eth1", attempts=1) is None and not ping(host, CORE, count=3).received


@contextmanager
def _platform(lab: NetnsHeld, topology: Topology, folder: Path) -> Iterator[Site]:
    settings = Settings.read({}, port=0, lab="none", data=folder)
    devices = tuple(_device(node) for node in lab.nodes() if node.platform)
    network = replace(load_network_file(FTTH / "network.yml"), devices=devices, links=links_of(topology))
    probes = LabProbes(NetnsProbes(LabSite(topology)))
    with running_system(settings, probes=probes) as system, serving(create_app(system), bind("127.0.0.1", 0)) as url:
        with system.database.begin() as uow:
            NetworkStore().load(uow, network)
        client = Client.open(url, system.first_token)
        yield Site(lab=lab, client=client, lab_topology=topology)
        client.close()


def _device(node: LabNode) -> Device:
    assert node.port is not None
    return Device(
        name=node.name,
        platform=node.platform,
        role=node.role,
        address=node.address,
        port=node.port,
        username=node.username,
        password=node.password,
    )


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, own_ftth: Topology, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One lab with a platform for all tests of a module."""
    request.getfixturevalue("able")
    options = DeployOptions(folder=tmp_path_factory.mktemp("clab"), ssh_port=0, netconf_port=0)
    lab = NetnsHeld(own_ftth, options)
    lab.start()
    try:
        with _platform(lab, own_ftth, tmp_path_factory.mktemp("data")) as running:
            yield running
    finally:
        lab.stop()
        sweep(own_ftth)
