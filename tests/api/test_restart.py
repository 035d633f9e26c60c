"""A process that ends, kindly or not, and is started again goes on with the orders it had."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.client import PRODUCT_ORDERS, Client
from api.demo import bodies, pictures
from api.settings import FTTH_LAB, Settings
from api.storage import storage
from api.wiring_lab import NETWORK_FILE, devices_of, links_of
from inventory.network import NetworkStore
from inventory.network_file import load_network_file
from labs.embedded.lab import EmbeddedLab
from labs.topology import load_topology
from tests.api.conftest import Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0
KILLS = 4


def test_services_and_devices_are_as_they_were_after_a_restart(start: Start, tmp_path: Path) -> None:
    with start(tmp_path / "data") as platform:
        base = platform.configurations()
        tree = platform.client.follow(platform.client.place(bodies.add()), timeout_s=PATIENCE_S)
        assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
        configured = platform.configurations()
        token = platform.system.first_token
    with start(tmp_path / "data") as platform:
        assert platform.system.first_token is None
        platform.client.http.headers["Authorization"] = f"Bearer {token}"
        assert platform.configurations() == configured
        product_id = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
        ceased = platform.client.follow(platform.client.place(bodies.cease(product_id)), timeout_s=PATIENCE_S)
        assert ceased["productOrder"]["state"] == "completed", pictures.reasons(ceased)
        assert platform.configurations() == base


@pytest.fixture
def lab() -> Iterator[EmbeddedLab]:
    with EmbeddedLab(load_topology(FTTH_LAB, os.environ), ssh_port=0, netconf_port=0) as running:
        yield running


def _know_devices(folder: Path, lab: EmbeddedLab) -> None:
    """Write the lab's devices into the inventory, as an import would."""
    folder.mkdir()
    network = load_network_file(FTTH_LAB.parent / NETWORK_FILE)
    network = replace(network, devices=devices_of(lab.nodes()), links=links_of(load_topology(FTTH_LAB, os.environ)))
    with storage(Settings.read({}, data=folder), routes={}) as database, database.begin() as uow:
        NetworkStore().load(uow, network)


@contextmanager
def _serving(folder: Path, port: int) -> Iterator[tuple[subprocess.Popen[bytes], Client]]:
    """Run ``lastmile serve`` as its own process on devices that live elsewhere; kill it at the end."""
    arguments = ["serve", "--port", str(port), "--data", str(folder), "--lab", "none", "--auth", "off"]
    command = [sys.executable, "-c", "from api.cli import main; main()", *arguments]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    client = Client.open(f"http://127.0.0.1:{port}", None)
    try:
        _await_health(process, client)
        yield process, client
    finally:
        client.close()
        process.kill()
        process.wait()


def _await_health(process: "subprocess.Popen[bytes]", client: Client) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, "the platform ended by itself"
        try:
            client.get("/health")
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("the platform did not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_killed_at_any_moment_no_order_is_lost_and_nothing_is_left(lab: EmbeddedLab, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _know_devices(folder, lab)
    base = {node.name: lab.running_config(node.name) for node in lab.nodes()}
    moments = random.Random(4711)  # noqa: S311 - no secret: the same moments in every run
    port = _free_port()
    body = bodies.add()
    for round_number in range(KILLS):
        with _serving(folder, port) as (process, client):
            order_id = client.place(body)
            time.sleep(moments.uniform(0.0, 0.25))
            process.send_signal(signal.SIGKILL)
            process.wait()
        with _serving(folder, port) as (_, client):
            tree = client.follow(order_id, timeout_s=PATIENCE_S)
            assert tree["productOrder"]["state"] == "completed", (round_number, pictures.reasons(tree))
            product_id = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
            adding = body["productOrderItem"][0]["action"] == "add"
            body = bodies.cease(product_id) if adding else bodies.add()
            if not adding:
                assert {name: lab.running_config(name) for name in base} == base, round_number
                assert [pool for pool in client.get("/lastmile/v1/pool") if pool["taken"]] == []
            assert len(client.get(PRODUCT_ORDERS)) == round_number + 1


def test_sigterm_ends_the_process_kindly(lab: EmbeddedLab, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    _know_devices(folder, lab)
    with _serving(folder, _free_port()) as (process, _):
        process.terminate()
        assert process.wait(timeout=PATIENCE_S) in {0, -signal.SIGTERM}
