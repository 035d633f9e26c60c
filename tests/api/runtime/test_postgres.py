"""PostgreSQL goes away and comes back; devices have one change at a time wherever the workers are."""

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from api.errors import DatabaseAway, StartRefused
from api.http import problems
from api.runtime.database import Database, open_database
from api.runtime.device_locks import SharedDeviceLocks
from api.runtime.presence import Presence
from api.runtime.tables import metadata
from tests.api.runtime.work import enqueue, pending, traces, until, worker_on
from tests.postgres import PostgresServer, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server(is_durable=True) as server:
        yield server


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.new_database()


@pytest.fixture
def shared(url: str) -> Iterator[Database]:
    database = open_database(url, routes={})
    database.create_tables(metadata)
    yield database
    database.close()


def test_callers_are_told_that_the_server_is_away_and_go_on_when_it_is_back(
    server: PostgresServer, shared: Database
) -> None:
    assert pending(shared) == 0
    server.stop()
    with pytest.raises(DatabaseAway, match="is away") as told, shared.read():
        pass
    with pytest.raises(DatabaseAway), shared.begin():
        pass
    assert "lastmile@" in str(told.value)
    server.start()
    assert pending(shared) == 0
    enqueue(shared, "count", "a", {"n": 1})
    assert pending(shared) == 1


def test_a_transaction_that_loses_its_server_is_an_absent_database_and_leaves_nothing(
    server: PostgresServer, shared: Database
) -> None:
    def lose() -> None:
        with shared.begin() as uow:
            server.kill()
            uow.connection.exec_driver_sql("SELECT 1")

    with pytest.raises(DatabaseAway):
        lose()
    server.start()
    assert traces(shared) == []


def test_away_is_a_503_with_a_time_to_come_back() -> None:
    answer = problems.answer(DatabaseAway("postgresql://db/lastmile", "connection refused"), "GET", "/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_worker_outlives_its_server_and_nothing_is_lost(server: PostgresServer, shared: Database, how: str) -> None:
    worker = worker_on(shared)
    worker.start()
    for lane in range(30):
        enqueue(shared, "count", f"l{lane}", *({"n": n} for n in range(20)))
        enqueue(shared, "touch", f"d{lane}", {"n": 0, "for_s": 0.1})
    until(lambda: len(traces(shared)) > 50)
    getattr(server, how)()
    threading.Event().wait(1.5)
    server.start()
    until(lambda: pending(shared) == 0)
    enqueue(shared, "count", "after", {"n": 1})
    assert until(lambda: pending(shared) == 0) < 2.0
    worker.stop()
    assert Counter(traces(shared, "counted")) == Counter(
        {("after", 1): 1} | {(f"l{lane}", n): 1 for lane in range(30) for n in range(20)}
    )
    assert set(traces(shared, "ended")) == {(f"d{lane}", 0) for lane in range(30)}


def test_a_device_job_waits_for_the_server_in_the_middle_of_its_work(server: PostgresServer, shared: Database) -> None:
    worker = worker_on(shared)
    worker.start()
    enqueue(shared, "touch", "a", {"n": 1, "for_s": 1.0})
    until(lambda: bool(traces(shared, "began")))
    server.stop()
    threading.Event().wait(2.0)
    server.start()
    until(lambda: pending(shared) == 0)
    worker.stop()
    assert (traces(shared, "began"), traces(shared, "ended")) == ([("a", 1)], [("a", 1)])


def test_a_device_is_one_workers_at_a_time(url: str, shared: Database) -> None:
    other = open_database(url, routes={})
    here, there = (_locks(database) for database in (shared, other))
    holders: list[str] = []
    overlaps: list[tuple[str, ...]] = []
    guard = threading.Lock()

    def change(locks: SharedDeviceLocks, *devices: str) -> None:
        for _ in range(10):
            with locks.held(devices):
                with guard:
                    overlaps.extend([(*holders, device) for device in devices if device in holders])
                    holders.extend(devices)
                threading.Event().wait(0.005)
                with guard:
                    for device in devices:
                        holders.remove(device)

    wanted = [(here, "olt1", "sw1"), (there, "sw1", "olt1"), (here, "sw1"), (there, "r1", "olt1")]
    threads = [threading.Thread(target=change, args=arguments) for arguments in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    other.close()
    assert (holders, overlaps) == ([], [])


def _locks(database: Database) -> SharedDeviceLocks:
    presence = Presence(database)
    presence.start()
    return SharedDeviceLocks(database, presence)


_HOLD = """
import sys, threading
from api.runtime.database import open_database
from api.runtime.device_locks import SharedDeviceLocks
from api.runtime.presence import Presence
database = open_database(sys.argv[1], routes={})
presence = Presence(database)
presence.start()
with SharedDeviceLocks(database, presence).held(["olt1"]):
    print("holds", flush=True)
    threading.Event().wait()
"""


def test_a_killed_workers_devices_are_free_again(url: str, shared: Database) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, url], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        locks = _locks(shared)
        free = threading.Event()
        thread = threading.Thread(target=lambda: _touch(locks, free))
        thread.start()
        assert not free.wait(6.5), "a live worker keeps its devices"
        holder.send_signal(signal.SIGKILL)
        assert free.wait(10.0)
        thread.join()


def _touch(locks: SharedDeviceLocks, free: threading.Event) -> None:
    with locks.held(["olt1"]):
        free.set()


def test_a_connection_given_back_after_the_end_is_closed(url: str, shared: Database) -> None:
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with shared.read() as late:
        late.execute(text("SELECT 1"))
        shared.close()
    observer = open_database(url, routes={})

    def left() -> int:
        with observer.read() as connection:
            return int(connection.execute(others).scalar_one())

    try:
        until(lambda: left() == 0)
    finally:
        observer.close()


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(StartRefused, match="postgresql://"):
        open_database("mysql://localhost/lastmile", routes={})
