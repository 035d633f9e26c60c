"""Plain Nornir with the platform's inventory and runner, found by their entry points."""

import threading
from pathlib import Path

import pytest
from nornir import InitNornir
from nornir.core import Nornir
from nornir.core.task import Result, Task

from api.errors import StartRefused
from api.settings import Settings
from api.storage import storage
from inventory.model import Device, Network
from inventory.network import NetworkStore

pytestmark = pytest.mark.db

OLT = Device(
    name="olt1",
    platform="bbf_olt",
    role="olt",
    address="192.0.2.1",
    port=830,
    username="admin",
    password="",
    password_from="env:OLT_PASSWORD",
)
SWITCH = Device(
    name="sw1", platform="arista_eos", role="switch", address="192.0.2.2", port=22, username="admin", password="word"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with storage(Settings.read({}, data=tmp_path), routes={}) as opened, opened.begin() as uow:
        NetworkStore().load(uow, Network(devices=(OLT, SWITCH)))
    return tmp_path


def nornir(data: Path, deadline_s: float = 5.0) -> Nornir:
    return InitNornir(
        runner={"plugin": "lastmile-deadline", "options": {"deadline_s": deadline_s}},
        inventory={"plugin": "lastmile", "options": {"data": str(data)}},
        logging={"enabled": False},
    )


def test_devices_are_hosts_with_groups_passwords_and_the_names_of_others(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLT_PASSWORD", "from-outside")
    hosts = nornir(data).inventory.hosts
    assert {name: (host.hostname, host.port, host.password) for name, host in hosts.items()} == {
        "olt1": ("192.0.2.1", 830, "from-outside"),
        "sw1": ("192.0.2.2", 22, "word"),
    }
    assert hosts["sw1"].get_connection_parameters("netmiko").platform == "arista_eos"
    assert hosts["sw1"].get_connection_parameters("napalm").platform == "eos"
    assert list(nornir(data).filter(lambda host: "olt" in host.groups).inventory.hosts) == ["olt1"]


def test_a_password_that_is_not_there_hinders_nobody_else(data: Path) -> None:
    assert not nornir(data).inventory.hosts["olt1"].password


def test_a_task_runs_and_a_host_that_hangs_stalls_nobody(data: Path) -> None:
    never = threading.Event()

    def ask(task: Task) -> Result:
        if task.host.name == "olt1":
            never.wait(20)
        return Result(task.host, result=task.host.platform)

    results = nornir(data, deadline_s=0.2).run(ask)
    never.set()
    assert results["sw1"].result == "arista_eos"
    assert isinstance(results["olt1"].exception, TimeoutError)


def test_a_folder_without_a_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="holds no lastmile database"):
        nornir(tmp_path / "elsewhere")
