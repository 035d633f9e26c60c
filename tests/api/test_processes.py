"""The platform as processes: all in one, or shared out over one PostgreSQL database."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.client import Client
from api.demo import bodies, pictures
from api.runtime.batch import MAX_FAILURES, failed
from api.runtime.contracts import Claim
from api.runtime.database import Database
from api.settings import Settings
from api.storage import storage
from inventory.ledger import NewJob
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 60.0
_MAIN = "from api.cli import main; main()"
_ENVIRON = {"LASTMILE_LAB_SSH_PORT": "0", "LASTMILE_LAB_NETCONF_PORT": "0"}


@contextmanager
def _running(*arguments: str, **environ: str) -> Iterator["Running"]:
    command = [sys.executable, "-u", "-c", _MAIN, *arguments]
    around = {name: value for name, value in os.environ.items() if not name.startswith("LASTMILE_")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**around, **_ENVIRON, **environ, "COLUMNS": "200"}
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


class Running:
    """A process of the platform that has said that it runs."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        self.first_line = process.stdout.readline()

    @contextmanager
    def client(self) -> Iterator[Client]:
        found = re.search(r"http://\S+", self.first_line)
        assert found, self.first_line
        client = Client.open(found[0], None)
        try:
            yield client
        finally:
            client.close()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


def _lastmile(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LASTMILE_")}
    return subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**environ, "COLUMNS": "200"},
        timeout=60,
    )


def _complete(client: Client, order_id: str) -> None:
    tree = client.follow(order_id, timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)


def test_sigterm_ends_serve_in_an_orderly_way_and_the_next_one_goes_on(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with _running("serve", "--port", "0", "--data", data, "--auth", "off") as first:
        with first.client() as client:
            order_id = client.place(bodies.add())
        assert first.terminate() == 0
    with _running("serve", "--port", "0", "--data", data, "--auth", "off") as second:
        with second.client() as client:
            _complete(client, order_id)
        assert second.terminate() == 0


def test_api_and_workers_share_a_database_and_a_killed_worker_costs_no_order(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    shared = ("--database", url)
    # The lab lives in this one; it works on no orders.
    with (
        _running("serve", "--port", "0", "--auth", "off", *shared, LASTMILE_KINDS="hub") as lab,
        _running("api", "--port", "0", "--auth", "off", *shared) as front,
        _running("api", "--port", "0", "--auth", "off", *shared) as other_front,
        _running("worker", "--concurrency", "4", *shared) as worker,
        _running("worker", "--kinds", "product,service,resource", *shared) as orders_only,
    ):
        with front.client() as client, other_front.client() as other:
            product = _ordered_product(client)
            worker.process.kill()
            order_id = other.place(bodies.upgrade(product))
            with _running("worker", "--kinds", "activation", *shared) as last:
                _complete(client, order_id)
                assert last.terminate() == 0
        for running in (orders_only, front, other_front, lab):
            assert running.terminate() == 0


def test_a_client_of_one_process_waits_for_the_work_of_another(postgres: PostgresServer) -> None:
    shared = ("--database", postgres.new_database())
    values = {"router": "r1", "routerInterface": "eth1", "vlanId": 3000, "address": "10.9.9.9", "gateway": "10.9.9.1"}
    body = {
        "id": "far-1",
        "state": "inactive",
        "serviceSpecification": {"id": "ip-edge"},
        "serviceCharacteristic": [{"name": name, "value": value} for name, value in values.items()],
    }
    services = "/tmf-api/ServiceActivationAndConfiguration/v4/service"
    with (
        _running("serve", "--port", "0", "--auth", "off", *shared, LASTMILE_KINDS="hub"),
        _running("api", "--port", "0", "--auth", "off", *shared) as front,
        _running("worker", "--kinds", "activation", *shared),
        front.client() as client,
    ):
        waiting = {"Prefer": "wait=30"}
        assert client.http.post(services, json=body, headers=waiting).status_code == 201
        active = client.http.patch(f"{services}/far-1", json={"state": "active"}, headers=waiting)
        assert (active.status_code, active.json()["state"]) == (200, "active")
        assert client.http.delete(f"{services}/far-1", headers=waiting).status_code == 204


def _ordered_product(client: Client) -> str:
    order_id = client.place(bodies.add())
    _complete(client, order_id)
    return str(client.tree(order_id)["productOrder"]["productOrderItem"][0]["product"]["id"])


def test_processes_cannot_share_sqlite() -> None:
    for command in ("api", "worker"):
        refused = _lastmile(command)
        assert refused.returncode == 1
        assert "--database postgresql://" in refused.stderr


def test_an_unknown_kind_is_refused_with_those_there_are(postgres: PostgresServer) -> None:
    refused = _lastmile("worker", "--kinds", "coffee", "--database", postgres.new_database())
    assert "unknown job kind 'coffee'" in refused.stderr
    assert "activation.run" in refused.stderr


def test_an_absent_server_is_one_line() -> None:
    refused = _lastmile("worker", "--database", "postgresql://lastmile:secret@127.0.0.1:1/lastmile")
    assert refused.returncode == 1
    assert refused.stderr.startswith("lastmile: the database postgresql://lastmile:***@127.0.0.1:1/lastmile is away")
    assert len(refused.stderr.splitlines()) == 1


@pytest.fixture(params=["sqlite", "postgresql"])
def named(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Settings, str, str]:
    """Return settings that name a database, and how it is named on the command line."""
    if request.param == "sqlite":
        return Settings.read({}, data=tmp_path), "--data", str(tmp_path)
    url = request.getfixturevalue("postgres").new_database()
    return Settings.read({}, database=url), "--database", url


def _park(database: Database, lane: str) -> None:
    with database.begin() as uow:
        uow.enqueue(NewJob(kind="coffee.brew", lane=lane))
    with database.begin() as uow:
        (claim,) = database.queue.claim(uow.reader, ["coffee.brew"], limit=1)
        tried = Claim(job=claim.job, failures=MAX_FAILURES - 1)
        database.queue.settle(uow.reader, [failed(tried, ValueError("no water [1]"))])


def test_parked_jobs_are_listed_and_run_again_by_command(named: tuple[Settings, str, str]) -> None:
    settings, *option = named
    with storage(settings, routes={}) as database:
        _park(database, "a")
        _park(database, "b")
    listed = _lastmile("jobs", "list", *option).stdout
    assert "coffee.brew  a  1 attempts  ValueError: no water [1]" in listed
    assert "2 parked, 0 pending" in listed
    number = listed.split()[0]
    assert _lastmile("jobs", "retry", number, *option).stdout == f"ready again: {number}\n"
    assert f"job {number} is not parked" in _lastmile("jobs", "retry", number, *option).stderr
    assert _lastmile("jobs", "retry", "all", *option).stdout.startswith("ready again: ")
    assert "0 parked, 2 pending" in _lastmile("jobs", "list", *option).stdout
