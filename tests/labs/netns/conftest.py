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
from labs.netns import register
from labs.netns.frr_daemons import FrrDaemons
from labs.netns.held import NetnsHeld, sweep
from labs.netns.probe import netns_gaps
from labs.netns.probes import NetnsProbes
from labs.netns.site import Site as LabSite
from labs.netns.traffic import obtain_lease, ping
from labs.topology import Topology, load_topology

LABS = Path(__file__).parents[3] / "labs"
FTTH = LABS / "ftth"
METRO = LABS / "metro"
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


@pytest.fixture(scope="session")
def own_metro() -> Topology:
    """The other shipped topology, under such a name as well."""
    return replace(load_topology(METRO / "metro.clab.yml", os.environ), name=f"m{os.getpid()}")


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

    def daemons(self, router: str) -> FrrDaemons:
        """Return the FRR of a router."""
        folder = register.RUN / self.lab_topology.name / router / "frr"
        return FrrDaemons(name=router, namespace=self.namespace(router), folder=folder)

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
        return {each["device"] if each["level"] == "L1" else each["name"]: each for each in self.results(key)}

    def results(self, key: str) -> list[dict[str, Any]]:
        """Return all results of the test of a service."""
        self.client.http.timeout = TESTING_S
        found: list[dict[str, Any]] = self.client.post(f"/lastmile/v1/serviceTest/{key}", {})["result"]
        return found

    def dark(self, subscriber: str) -> bool:
        """Say whether a subscriber gets no address and reaches nobody."""
        host = self.namespace(subscriber)
        return obtain_lease(host, "eth1", attempts=1) is None and not ping(host, CORE, count=3).received


@contextmanager
def _platform(lab: NetnsHeld, topology: Topology, folder: Path) -> Iterator[Site]:
    home = topology.path.parent
    beside = home / "catalog"
    catalog = {"catalog": beside} if beside.is_dir() else {}
    settings = Settings.read({}, port=0, lab="none", data=folder, **catalog)
    devices = tuple(_device(node) for node in lab.nodes() if node.platform)
    network = replace(load_network_file(home / "network.yml"), devices=devices, links=links_of(topology))
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
    """One lab ftth with a platform for all tests of a module."""
    request.getfixturevalue("able")
    with _site(own_ftth, tmp_path_factory.mktemp("clab")) as running:
        yield running


@pytest.fixture(scope="module")
def metro(
    request: pytest.FixtureRequest, own_metro: Topology, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """One lab metro with a platform for all tests of a module."""
    request.getfixturevalue("able")
    with _site(own_metro, tmp_path_factory.mktemp("clab")) as running:
        yield running


@contextmanager
def _site(topology: Topology, folder: Path) -> Iterator[Site]:
    lab = NetnsHeld(topology, DeployOptions(folder=folder, ssh_port=0, netconf_port=0))
    lab.start()
    try:
        with _platform(lab, topology, folder / "data") as running:
            yield running
    finally:
        lab.stop()
        sweep(topology)
