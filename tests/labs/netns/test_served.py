"""The platform serves a lab of network namespaces: it deploys it, leaves it, and finds it again."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from api.client import Client
from api.demo import bodies
from api.demo.story import Story, tell
from api.errors import StartRefused
from api.http.app import create_app
from api.http.server import bind, serving
from api.settings import Settings
from api.system import System
from api.wiring import running_system
from labs.contracts import NodeState
from labs.netns import namespaces
from labs.runtimes.places import Places
from labs.runtimes.registry import runtime_named
from labs.topology import load_topology
from tests.labs.netns.conftest import FTTH, PATIENCE_S, TESTING_S

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.e2e, pytest.mark.slow, pytest.mark.usefixtures("able")]

NAME = f"s{os.getpid()}"


@pytest.fixture
def topology_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the shipped lab under a name of this process's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("CLAB_LABDIR_BASE", str(tmp_path))
    folder = shutil.copytree(FTTH, tmp_path / "topology")
    file = folder / "ftth.clab.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("name: ftth\n", f"name: {NAME}\n"), encoding="utf-8")
    yield file
    topology, places = load_topology(file, os.environ), Places.of(os.environ, tmp_path)
    runtime_named("netns").destroy(topology, places.folder(topology.name), cleanup=True)
    assert namespaces.existing([f"lm-{NAME}-{node}" for node in topology.nodes]) == []


@contextmanager
def platform(settings: Settings, token: str | None = None) -> Iterator[tuple[System, Client]]:
    with running_system(settings) as system, serving(create_app(system), bind("127.0.0.1", 0)) as url:
        client = Client.open(url, system.first_token or token)
        client.http.timeout = TESTING_S
        yield system, client
        client.close()


def test_the_lab_lives_on_and_is_joined_with_what_it_carries(topology_file: Path, tmp_path: Path) -> None:
    settings = Settings.read(
        {},
        port=0,
        lab=topology_file,
        runtime="netns",
        data=tmp_path / "data",
        lab_ssh_port=0,
        lab_netconf_port=0,
    )
    with platform(settings) as (system, client):
        assert system.served is not None
        assert "is deployed and lives on" in system.served.notice
        tree = client.follow(client.place(bodies.add("fibre-10")), timeout_s=PATIENCE_S)
        assert tree["productOrder"]["state"] == "completed"
        product = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
        token = system.first_token
    with platform(settings, token) as (system, client):
        assert system.served is not None
        assert "was running and lives on" in system.served.notice
        found = client.post(f"/lastmile/v1/serviceTest/{product}", {})
        assert {each["level"]: each["state"] for each in found["result"]} == dict.fromkeys(("L1", "L2", "L3"), "passed")
    topology = load_topology(topology_file, os.environ)
    nodes = runtime_named("netns").inspect(topology, Places.of(os.environ, tmp_path).folder(topology.name))
    assert {node.state for node in nodes} == {NodeState.RUNNING}
    story = Story(console=Console(quiet=True), settings=settings)
    with pytest.raises(StartRefused, match="wants a lab of its own"):
        tell(story)


def test_the_demo_measures_what_is_sold_and_leaves_nothing(topology_file: Path) -> None:
    settings = Settings.read(
        {},
        port=0,
        lab=topology_file,
        runtime="netns",
        lab_ssh_port=0,
        lab_netconf_port=0,
    )
    console = Console(file=StringIO(), record=True, width=200)
    assert tell(Story(console=console, settings=settings)), console.export_text()
    told = console.export_text()
    assert "Fibre 50 measured" in told
    assert "the line is dark" in told
    assert namespaces.existing([f"lm-{NAME}-{node}" for node in load_topology(topology_file, os.environ).nodes]) == []
