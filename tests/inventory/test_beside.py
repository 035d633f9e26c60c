"""Mentions and tallies: they say what the documents say, whatever is done; filters use them."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from threading import Barrier
from typing import Any, Final

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData, event, select

from api.runtime.database import Database
from api.runtime.database import open_database as open_database_at
from api.runtime.tables import metadata as runtime_tables
from inventory import beside
from inventory.beside import Beside
from inventory.query import Condition, Query, SortKey, equals
from inventory.store import DocumentStore, Row
from inventory.tables import document_table

SCHEMA: Final = MetaData()
WRITERS: Final = 4
PATIENCE_S: Final = 60.0
TABLE: Final = document_table(SCHEMA, "letter", mentioned=("party.id", "name"))
STORE: Final = DocumentStore(table=TABLE, kind="letter", domain="service", created="sentDate")
KEPT: Final = Beside.of(TABLE)

LONG: Final = "long" * 2_000
TEXTS = st.sampled_from(
    ["Ann", "Bob", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "7", "7.0", "1e+22", "nan", "", "Änne", LONG]
)
NAMES = st.one_of(TEXTS, st.integers(6, 8), st.sampled_from([7.0, 1e22, 10**22, 10**400, True]), st.none())
STEPS = st.tuples(
    st.sampled_from(["insert", "save", "remove"]),
    st.integers(0, 3),
    st.sampled_from(["new", "sent"]),
    st.lists(TEXTS, max_size=3),
    NAMES,
)


def _document(key: str, state: str, parties: Sequence[str], name: object) -> dict[str, Any]:
    return {"id": key, "state": state, "party": [{"id": each} for each in parties], "name": name}


def _row(key: str, state: str = "new", parties: Sequence[str] = (), name: object = None) -> Row:
    return Row(id=key, state=state, correlation_id="c", document=_document(key, state, parties, name))


def _kept(connection: Connection) -> tuple[set[tuple[str, ...]], dict[str, int]]:
    assert KEPT is not None
    mentions: set[tuple[str, ...]] = {tuple(row) for row in connection.execute(select(KEPT.mentions))}
    return mentions, beside.tallies(connection, KEPT)


def _due(rows: Mapping[str, Row]) -> tuple[set[tuple[str, ...]], dict[str, int]]:
    assert KEPT is not None
    states = [row.state for row in rows.values()]
    due: set[tuple[str, ...]] = {each for row in rows.values() for each in KEPT.due(row.id, row.document)}
    return due, {state: states.count(state) for state in states}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(units=st.lists(st.lists(STEPS, max_size=4), max_size=4), asked=TEXTS)
def test_they_say_what_the_documents_say(
    open_database: Callable[..., Database], units: list[list[tuple[str, int, str, list[str], object]]], asked: str
) -> None:
    database = open_database(SCHEMA)
    stored: dict[str, Row] = {}
    for steps in units:
        with database.begin() as uow:
            for what, number, state, parties, name in steps:
                key = f"p{number}"
                before, after = stored.pop(key, None), _row(key, state, parties, name)
                if before is None:
                    STORE.insert(uow, after)
                    stored[key] = after
                elif what == "remove":
                    STORE.remove(uow, before)
                else:
                    stored[key] = STORE.save(uow, before, replace(after, version=before.version))
    with database.read() as connection:
        assert _kept(connection) == _due(stored)
        for attribute in ("party.id", "name"):
            condition = Condition(attribute=tuple(attribute.split(".")), texts=(asked,))
            found = STORE.page(connection, Query(conditions=(condition,)))
            holding = {row.id for row in stored.values() if condition.holds(row.document)}
            assert ({json.loads(text)["id"] for text in found.texts}, found.total) == (holding, len(holding))


def test_what_is_undone_leaves_nothing(open_database: Callable[..., Database]) -> None:
    database = open_database(SCHEMA)

    def write_and_fail() -> None:
        with database.begin() as uow:
            STORE.insert(uow, _row("p1", parties=["Ann"]))
            assert _kept(uow.connection)[1] == {"new": 1}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with database.read() as connection:
        assert _kept(connection) == (set(), {})


def test_writers_at_the_same_time_lose_nothing(either: Database) -> None:
    """Each takes up its own resources and moves everybody's, in an order of its own, about the same parties."""
    either.create_tables(SCHEMA)
    begun, inserted = Barrier(WRITERS), Barrier(WRITERS)

    def write(writer: int) -> None:
        begun.wait(PATIENCE_S)
        for number in range(10):
            with either.begin() as uow:
                STORE.insert(uow, _row(f"{writer}-{number}", parties=["Ann", f"C-{number}"]))
        # One that came late has nothing yet that the others could move.
        inserted.wait(PATIENCE_S)
        for number in range(10):
            with either.begin() as uow:
                row = STORE.get(uow, f"{(writer + number) % WRITERS}-0")
                parties = [f"C-{writer}", "Ann"]
                STORE.save(uow, row, replace(row, state="sent", document=_document(row.id, "sent", parties, None)))

    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write, each) for each in range(WRITERS)]:
            done.result(PATIENCE_S)
    with either.read() as connection:
        rows = {row.id: row for row in STORE.every(connection)}
        assert _kept(connection) == _due(rows)
        assert _kept(connection)[1] == {"new": 36, "sent": 4}


def test_what_ended_connections_counted_does_not_pile_up(database_url: str) -> None:
    for number in range(4):
        # Each has connections of its own.
        with closing(open_database_at(database_url, routes={})) as database:
            if number == 0:
                database.create_tables(runtime_tables, SCHEMA)
            with database.begin() as uow:
                STORE.insert(uow, _row(f"p{number}"))
        _wait_for_the_end(database_url)
    with closing(open_database_at(database_url, routes={})) as database, database.read() as connection:
        assert KEPT is not None
        assert connection.execute(select(KEPT.tally.c.n)).scalars().all() == [4]


def _wait_for_the_end(url: str) -> None:
    """Return once the server knows that all connections have ended."""
    if not url.startswith("postgresql"):
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    deadline_s = time.monotonic() + PATIENCE_S
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            assert time.monotonic() < deadline_s


def test_a_text_of_any_length_is_stored_and_found(either: Database) -> None:
    either.create_tables(SCHEMA)
    with either.begin() as uow:
        STORE.insert(uow, _row("p1", parties=[LONG], name=LONG))
    with either.read() as connection:
        found = STORE.page(connection, Query(conditions=(Condition(attribute=("party", "id"), texts=(LONG,)),)))
        assert (found.total, _kept(connection)[0]) == (1, set())


def test_a_rebuild_writes_what_is_due(open_database: Callable[..., Database]) -> None:
    assert KEPT is not None
    database = open_database(SCHEMA)
    rows = {f"p{number}": _row(f"p{number}", parties=["Ann", f"C-{number}"], name="x") for number in range(150)}
    with database.begin() as uow:
        for row in rows.values():
            STORE.insert(uow, row)
    with database.begin() as uow:
        uow.connection.execute(KEPT.mentions.delete())
        uow.connection.execute(KEPT.tally.update().values(n=7))
        beside.rebuild(uow.connection, TABLE, KEPT, ((key, row.document) for key, row in rows.items()))
    with database.read() as connection:
        assert _kept(connection) == _due(rows)


QUERIES: Final = {
    "a party": Query(conditions=(Condition(attribute=("party", "id"), texts=("C-3",)),)),
    "two parties": Query(conditions=(Condition(attribute=("party", "id"), texts=("C-3", "C-4")),)),
    "a party's in one state": Query(
        conditions=(*equals(state="new"), Condition(attribute=("party", "id"), texts=("C-3",)))
    ),
    "an id": Query(conditions=equals(id="p3")),
    "an external id": Query(conditions=equals(externalId="e3")),
    "a chain": Query(conditions=equals(correlationId="c3")),
    "a state": Query(conditions=equals(state="new")),
    "a state, newest first": Query(
        conditions=equals(state="new"), order=(SortKey(attribute=("sentDate",), descending=True),)
    ),
    "newest first": Query(order=(SortKey(attribute=("sentDate",), descending=True),)),
    "oldest first": Query(),
    "since a moment": Query(
        conditions=(Condition(attribute=("sentDate",), operator="gte", texts=("2026-01-01T00:00:00Z",)),)
    ),
}


@contextmanager
def _plans(connection: Connection) -> Iterator[list[str]]:
    """Collect how the database goes about each statement."""
    plans: list[str] = []

    def explain(_: object, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        plans.extend(row[-1] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(connection, "before_cursor_execute", explain)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_indexed_attributes_are_looked_up(open_database: Callable[..., Database], query: Query) -> None:
    database = open_database(SCHEMA)
    with database.read() as connection, _plans(connection) as plans:
        STORE.page(connection, query)
    scans = [plan for plan in plans if plan.startswith("SCAN letter") and "USING" not in plan]
    # The tally has a row per state; without a condition all of it is summed.
    assert [plan for plan in scans if plan != "SCAN letter_tally"] == []
    assert plans
    if any(each.attribute == ("party", "id") for each in query.conditions):
        assert not [plan for plan in plans if "ix_letter_state" in plan], "one state may be most of the table"
