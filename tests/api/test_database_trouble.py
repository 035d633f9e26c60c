"""The database file in trouble: a full disk, a file that may not be written, one that is none; clocks that jump."""

import multiprocessing
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import httpx
import pytest

from api.backups.sqlite import SqliteVault
from api.client import PRODUCT_ORDERS, Client
from api.demo import bodies, pictures
from api.errors import DatabaseAway
from api.fsck.check import check
from api.migrations.schema import Fit, look, prepare, stamp
from api.runtime.contracts import QueuedJob
from api.runtime.database import Database
from api.runtime.database import open_database as open_at
from api.runtime.queue_sqlite import SqliteQueue
from api.runtime.steady import SteadyClock
from api.storage import DATABASE_FILE
from api.wiring import CATALOG
from orders.catalog.load import load_catalog
from tests.orders.chain import SERIAL, add_item, build_chain, delete_item, modify_item, order_of
from tests.postgres import PostgresServer

PATIENCE_S = 60.0
NOBODY = 65534
HOUR_S = 3600.0


@contextmanager
def _serving(data: Path) -> Iterator[tuple["subprocess.Popen[str]", Client]]:
    """Run ``lastmile serve`` as people do, on free ports; give the process and a client."""
    environ = {**os.environ, "LASTMILE_LAB_SSH_PORT": "0", "LASTMILE_LAB_NETCONF_PORT": "0", "COLUMNS": "200"}
    command = (
        str(Path(sys.executable).parent / "lastmile"),
        "serve",
        "--port",
        "0",
        "--auth",
        "off",
        "--data",
        str(data),
    )
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found is not None
        client = Client.open(found.group(), None)
        try:
            yield process, client
        finally:
            client.close()
            process.terminate()
            process.wait(PATIENCE_S)


def _limit_files(process: "subprocess.Popen[str]", size_bytes: int) -> None:
    """Let no file of the process grow, as a full disk does."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def _add(number: int) -> dict[str, object]:
    return bodies.add(serial_number=f"LMLE{number:08X}", place_id="ADDR-1015")


@pytest.mark.e2e
@pytest.mark.lab
def test_a_full_disk_refuses_orders_loses_none_and_all_goes_on_with_room(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _serving(data) as (process, client):
        orders = [client.place(_add(1))]
        client.follow(orders[0], timeout_s=PATIENCE_S)
        orders += [client.place(_add(number)) for number in range(2, 5)]
        _limit_files(process, 4096)
        refused = client.http.post(PRODUCT_ORDERS, json=_add(5))
        assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE, refused.text
        assert int(refused.headers["retry-after"]) > 0
        assert refused.json()["code"] == "serviceUnavailable"
        assert DATABASE_FILE in refused.json()["message"]
        assert client.tree(orders[0])["productOrder"]["state"] == "completed"
        _limit_files(process, resource.RLIM_INFINITY)
        orders.append(client.place(_add(5)))
        trees = [client.follow(order, timeout_s=PATIENCE_S) for order in orders]
        assert [tree["productOrder"]["state"] for tree in trees] == ["completed"] * 5, [*map(pictures.reasons, trees)]
        assert client.get("/health")["jobs"]["parked"] == 0
    with SqliteVault(path=data / DATABASE_FILE).read() as connection:
        assert check(connection) == []


def _try_to_write(path: Path, answer: Pipe) -> None:
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    try:
        with open_at(path, routes={}).begin() as uow:
            prepare(uow.connection, option="")
    except DatabaseAway as error:
        answer.send(str(error))
    else:
        answer.send("written")


def _answer_of_a_process_that_writes(path: Path) -> str:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_try_to_write, args=(path, there))
    process.start()
    try:
        assert here.poll(PATIENCE_S)
        return str(here.recv())
    finally:
        process.join()
        process.close()
        here.close()
        there.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that anybody may walk into, as pytest's own may not."""
    with tempfile.TemporaryDirectory(prefix="lastmile-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_read_only_file_is_named_with_what_to_look_at(open_folder: Path) -> None:
    path = open_folder / DATABASE_FILE
    database = open_at(path, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
    database.close()
    path.chmod(0o444)
    open_folder.chmod(0o555)
    answer = _answer_of_a_process_that_writes(path)
    open_folder.chmod(0o755)
    assert str(path) in answer
    assert "mode" in answer


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / DATABASE_FILE
    path.write_bytes(b"what is this? " * 1000)
    database = open_at(path, routes={})
    with pytest.raises(DatabaseAway, match=r"not a database.*restore"), database.begin():
        pass
    database.close()


def test_a_read_only_server_is_away_for_writers_and_serves_readers(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    database = open_at(url, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
        name = url.rpartition("/")[2]
        uow.connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database.close()
    with pytest.raises(DatabaseAway, match="read-only"), database.begin() as uow:
        stamp(uow.connection, "0001")
    with database.read() as connection:
        assert look(connection).fit is Fit.CURRENT
    database.close()


def test_a_statement_that_is_wrong_is_not_taken_for_a_missing_database(tmp_path: Path) -> None:
    database = open_at(tmp_path / DATABASE_FILE, routes={})
    with pytest.raises(Exception, match="syntax error") as raised, database.begin() as uow:
        uow.connection.exec_driver_sql("SELEKT 1")
    assert not isinstance(raised.value, DatabaseAway)
    database.close()


class Clocks:
    """The machine's clock, which people set, and the time that really passes."""

    def __init__(self) -> None:
        self.told_s, self.passed_s = 1_000_000.0, 5.0

    def pass_by(self, seconds: float) -> None:
        self.told_s += seconds
        self.passed_s += seconds

    def steady(self) -> SteadyClock:
        return SteadyClock(lambda: self.told_s, lambda: self.passed_s)


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_delay_is_as_long_as_it_is_whatever_the_clock_says(database: Database, jump_s: float) -> None:
    clocks = Clocks()
    queue = SqliteQueue(time_s=clocks.steady())
    with database.begin() as uow:
        queue.enqueue(
            uow.reader, [QueuedJob(kind="note", lane="later", delay_s=60.0), QueuedJob(kind="note", lane="now")]
        )

    def ready() -> list[str]:
        with database.begin() as uow:
            return sorted(claim.job.lane for claim in queue.claim(uow.reader, ["note"], limit=9))

    clocks.told_s += jump_s
    assert ready() == ["now"]
    clocks.pass_by(61.0)
    assert ready() == ["later", "now"]


def test_a_job_without_a_delay_is_due_even_if_the_next_start_is_in_the_past(database: Database) -> None:
    with database.begin() as uow:
        SqliteQueue(time_s=lambda: 2 * HOUR_S).enqueue(uow.reader, [QueuedJob(kind="note", lane="now")])
    with database.begin() as uow:
        assert len(SqliteQueue(time_s=lambda: HOUR_S).claim(uow.reader, ["note"], limit=9)) == 1


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_jump_of_the_clock_makes_no_worker_look_silent(database: Database, jump_s: float) -> None:
    clocks = Clocks()
    queue = SqliteQueue(time_s=clocks.steady())
    with database.begin() as uow:
        worker_id = queue.register(uow.reader)
        clocks.told_s += jump_s
        queue.reap(uow.reader, silent_for_s=5.0, max_failures=3)
        assert queue.beat(uow.reader, worker_id)


def test_orders_end_well_under_a_clock_that_jumps_back_and_forth(
    open_database: Callable[..., Database],
) -> None:
    chain = build_chain(open_database, load_catalog(CATALOG))
    jumps = cycle([0.0, HOUR_S, -HOUR_S, 24 * HOUR_S, -48 * HOUR_S])
    chain.database._clock = lambda: datetime.now(UTC) + timedelta(seconds=next(jumps))
    added = chain.order(order_of(add_item(serial=SERIAL)))
    product_id = str(added["productOrderItem"][0]["product"]["id"])
    changed = chain.order(order_of(modify_item(product_id, offering="fibre-500")))
    ended = chain.order(order_of(delete_item(product_id)))
    assert [order["state"] for order in (added, changed, ended)] == ["completed"] * 3
    assert chain.moves(str(added["id"])) == [
        ("", "acknowledged"),
        ("acknowledged", "inProgress"),
        ("inProgress", "completed"),
    ]
