"""``lastmile inventory import`` from every source, into a data folder."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.errors import ImportRefused
from api.runtime.database import open_database
from api.settings import Settings
from api.storage import DATABASE_FILE, storage
from inventory.model import Network
from inventory.network import NetworkStore
from labs.artefacts import NORNIR
from labs.contracts import DeployOptions
from labs.runtimes.places import shipped_labs
from labs.runtimes.registry import runtime_named
from labs.topology import load_topology

pytestmark = pytest.mark.db


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "data"
    with storage(Settings.read({}, data=folder), routes={}):
        pass
    return folder


def run(data: Path, *words: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["inventory", "import", *words, "--data", str(data)], input=answer)


def said(data: Path, *words: str) -> str:
    done = run(data, *words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def stored(data: Path) -> Network:
    database = open_database(data / DATABASE_FILE, routes={})
    with database.read() as reader:
        network = NetworkStore().network(reader)
    database.close()
    return network


def test_a_topology_with_its_network_file(data: Path) -> None:
    source = str(shipped_labs()["ftth"])
    dry = said(data, source, "--dry-run")
    assert "+ device sw1: arista_eos switch at 172.20.20.12:22" in dry
    assert "+ device olt1: bbf_olt olt at 172.20.20.11:830" in dry
    assert "nothing was imported (--dry-run)" in dry
    assert stored(data) == Network()

    assert "! node sub1: not managed" in said(data, source, "--yes")
    network = stored(data)
    assert [device.name for device in network.devices] == ["olt1", "r1", "sw1"]
    assert len(network.links) == len(load_topology(shipped_labs()["ftth"], {}).links)
    assert "ADDR-1015" in {place.place_id for place in network.premises}
    assert "nothing to import" in said(data, source)


@pytest.mark.lab
def test_a_running_lab(data: Path, tmp_path: Path) -> None:
    topology = load_topology(shipped_labs()["ftth"], {})
    runtime, folder = runtime_named("embedded"), tmp_path / "clab-ftth"
    nodes = runtime.deploy(topology, DeployOptions(folder=folder, ssh_port=0, netconf_port=0))
    try:
        said(data, str(folder), "--yes")
        assert "nothing to import" in said(data, str(folder))
        ports = {device.name: device.port for device in stored(data).devices}
        assert ports == {node.name: node.port for node in nodes if node.platform}
        assert "nothing to import" in said(data, str(folder / NORNIR))
    finally:
        runtime.destroy(topology, folder, cleanup=True)


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    file = tmp_path / NORNIR
    file.write_text(
        "---\n"
        "sw1: {username: admin, password: admin, platform: ceos, hostname: 172.20.20.5}\n"
        "sw2: {username: admin, password: admin, platform: eos, hostname: 172.20.20.6/24}\n"
        "pc1: {username: '', password: '', platform: linux, hostname: 172.20.20.7}\n",
        encoding="utf-8",
    )
    return file


def test_the_inventory_that_containerlab_writes(data: Path, hosts: Path) -> None:
    assert "! host pc1: not managed" in said(data, str(hosts), "--yes")
    found = [(device.name, device.platform, device.address, device.port) for device in stored(data).devices]
    assert found == [("sw1", "arista_eos", "172.20.20.5", 22), ("sw2", "arista_eos", "172.20.20.6", 22)]


def test_how_a_host_is_logged_in_to_comes_along(data: Path, tmp_path: Path) -> None:
    file = tmp_path / NORNIR
    host = "{username: admin, platform: eos, hostname: 172.20.20.5, data: {lastmile: %s}}"
    file.write_text(f"sw1: {host % '{password: {file: sw1.secret}, maxSessions: 2}'}\n", encoding="utf-8")
    said(data, str(file), "--yes")
    (switch,) = stored(data).devices
    assert (switch.password, switch.password_from, switch.max_sessions) == ("", f"file:{tmp_path / 'sw1.secret'}", 2)

    file.write_text(f"sw1: {host % '{sessions: 2}'}\n", encoding="utf-8")
    refused = run(data, str(file), "--yes").exception
    assert isinstance(refused, ImportRefused)
    assert "host sw1: lastmile: unknown key 'sessions'; legal: password, driver" in str(refused)


def test_it_asks_before_it_imports(data: Path, hosts: Path) -> None:
    assert isinstance(run(data, str(hosts), answer="n\n").exception, ImportRefused)
    assert stored(data) == Network()
    assert run(data, str(hosts), answer="y\n").exit_code == 0
    assert len(stored(data).devices) == 2


REFUSED = {
    "unknown-platform": (
        "x: {username: a, password: b, platform: junos, hostname: h}",
        "unknown platform of x (junos); legal: arista_eos",
    ),
    "no-password": ("x: {username: a, platform: eos, hostname: h}", "host x has no password"),
    "no-mapping": ("x: 1", "host x is no mapping"),
    "empty": ("", "holds no hosts"),
    "no-yaml": ("[", "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_imported_says_why(data: Path, tmp_path: Path, case: str) -> None:
    text, expected = REFUSED[case]
    file = tmp_path / "hosts.yml"
    file.write_text(text, encoding="utf-8")
    done = run(data, str(file), "--yes")
    assert isinstance(done.exception, ImportRefused)
    assert expected in str(done.exception)


def test_what_is_no_source(data: Path, tmp_path: Path) -> None:
    done = run(data, str(tmp_path / "nowhere"))
    assert "is nothing that can be imported; legal: a lab's folder or name" in str(done.exception)
