"""Waiting for monitors: woken by commits, whoever makes them, and never for longer than the patience."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from activation.service_activation import RUN
from activation.states import MonitorState
from activation.store import MONITORS
from activation.tables import metadata as activation_tables
from api.monitor_watch import UNHEARD_S, MonitorWatch
from api.runtime.database import Database, open_database
from api.runtime.tables import metadata as runtime_tables
from inventory.store import Row
from tests.postgres import PostgresServer

pytestmark = pytest.mark.db
ROUTES = {"MonitorStateChangeEvent": [RUN]}


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path:
    if request.param == "sqlite":
        return tmp_path / "watch.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def database(target: str | Path) -> Iterator[Database]:
    found = open_database(target, routes=ROUTES)
    found.create_tables(runtime_tables, activation_tables)
    yield found
    found.close()


@pytest.fixture
def watch(database: Database) -> Iterator[MonitorWatch]:
    found = MonitorWatch(database, database.signals, [RUN])
    yield found
    found.close()


def _begun(database: Database, monitor_id: str) -> None:
    document = {"id": monitor_id, "state": MonitorState.IN_PROGRESS.value}
    row = Row(id=monitor_id, state=MonitorState.IN_PROGRESS, correlation_id="c", document=document)
    with database.begin() as uow:
        MONITORS.insert(uow, row)


def _end(database: Database, *monitor_ids: str) -> None:
    for monitor_id in monitor_ids:
        with database.begin() as uow:
            row = MONITORS.get(uow, monitor_id)
            MONITORS.save(uow, row, replace(row, state=MonitorState.COMPLETED))


def test_patience_has_an_end(database: Database, watch: MonitorWatch) -> None:
    _begun(database, "m-1")
    assert asyncio.run(watch.ended("m-1", 0.05)) is None


def test_what_has_ended_already_is_told_at_once(database: Database, watch: MonitorWatch) -> None:
    _begun(database, "m-1")
    _end(database, "m-1")
    found = asyncio.run(watch.ended("m-1", 10))
    assert found is not None
    assert found.state == MonitorState.COMPLETED


def test_everybody_who_waits_is_told_by_one_thread(database: Database, watch: MonitorWatch) -> None:
    names = [f"m-{number}" for number in range(20)]
    for name in names:
        _begun(database, name)

    async def all_of_them() -> list[Row | None]:
        waiting = [asyncio.ensure_future(watch.ended(name, 10)) for name in (*names, *names)]
        await asyncio.sleep(0)
        threads = threading.active_count()
        ending = threading.Thread(target=_end, args=(database, *names))
        ending.start()
        found = await asyncio.gather(*waiting)
        ending.join()
        assert threading.active_count() <= threads
        return list(found)

    found = asyncio.run(all_of_them())
    assert [row.id for row in found if row is not None] == [*names, *names]


@pytest.mark.parametrize("target", ["postgresql"], indirect=True)
def test_an_end_in_another_process_is_heard(target: str, database: Database, watch: MonitorWatch) -> None:
    elsewhere = open_database(target, routes=ROUTES)
    _begun(database, "m-1")
    assert asyncio.run(watch.ended("m-1", 0.5)) is None, "it listens by now"

    async def heard() -> tuple[Row | None, float]:
        waiting = asyncio.ensure_future(watch.ended("m-1", 10))
        began_s = time.monotonic()
        await asyncio.to_thread(_end, elsewhere, "m-1")
        return await waiting, time.monotonic() - began_s

    found, took_s = asyncio.run(heard())
    elsewhere.close()
    assert found is not None
    assert took_s < UNHEARD_S / 2, "told by the signal, not by the look that makes up for lost ones"
