"""Stored documents: guarded updates, and what is written along with them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, func, select
from sqlalchemy.exc import IntegrityError

from api.runtime.database import Database
from api.runtime.sqlite import SqliteBackend
from api.runtime.tables import events, moves
from inventory.errors import StaleState, UnknownResource
from inventory.query import Query, equals
from inventory.store import DocumentStore, Row
from inventory.tables import document_table

SCHEMA = MetaData()
STORE = DocumentStore(table=document_table(SCHEMA, "parcel"), kind="parcelOrder", domain="product")
ROW = Row(
    id="p1",
    state="new",
    correlation_id="c1",
    external_id="e1",
    document={"id": "p1", "state": "new", "note": "Lindenstraße"},
    task={"step": 1},
)


@pytest.fixture
def stored(open_database: Callable[..., Database]) -> Database:
    database = open_database(SCHEMA)
    with database.begin() as uow:
        STORE.insert(uow, ROW)
    return database


def journal(database: Database) -> tuple[list[str], list[tuple[str, str, str]]]:
    with database.read() as connection:
        types = connection.execute(select(events.c.event_type).order_by(events.c.sequence)).scalars()
        rows = connection.execute(
            select(moves.c.from_state, moves.c.to_state, moves.c.reason).order_by(moves.c.sequence)
        )
        return list(types), [tuple(row) for row in rows]


def test_a_row_comes_back_as_it_went_in(stored: Database) -> None:
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == STORE.by_external_id(connection, "e1") == ROW
        assert STORE.by_correlation_id(connection, "c1") == (ROW,)
        assert STORE.found(connection, "p1") == ('{"id":"p1","state":"new","note":"Lindenstraße"}', 1)


def test_a_new_resource_has_its_history_row_and_its_event(stored: Database) -> None:
    assert journal(stored) == (["ParcelOrderCreateEvent"], [("", "new", "")])


def test_a_move_is_written_with_its_reason(stored: Database) -> None:
    moved = replace(ROW, state="sent", document={**ROW.document, "state": "sent"})
    with stored.begin() as uow:
        saved = STORE.save(uow, ROW, moved, reason="picked up")
    assert saved.version == 2
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == saved
    types, history = journal(stored)
    assert (types[1:], history[1:]) == (["ParcelOrderStateChangeEvent"], [("new", "sent", "picked up")])


def test_a_change_without_a_move_is_an_attribute_value_change(stored: Database) -> None:
    with stored.begin() as uow:
        STORE.save(uow, ROW, replace(ROW, document={**ROW.document, "note": "ring twice"}))
    assert journal(stored)[0][1:] == ["ParcelOrderAttributeValueChangeEvent"]


def test_private_working_data_is_nobodys_business(stored: Database) -> None:
    with stored.begin() as uow:
        saved = STORE.save(uow, ROW, replace(ROW, task={"step": 2}))
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == saved
    assert journal(stored) == (["ParcelOrderCreateEvent"], [("", "new", "")])


def test_the_loser_of_a_race_writes_nothing(stored: Database) -> None:
    with stored.begin() as uow:
        winner = STORE.save(uow, ROW, replace(ROW, state="sent"))
    before = journal(stored)
    with pytest.raises(StaleState, match="parcelOrder 'p1' is no longer 'new'"), stored.begin() as uow:
        STORE.save(uow, ROW, replace(ROW, state="lost"))
    assert journal(stored) == before
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == winner


def test_a_race_within_one_state_is_lost_too(stored: Database) -> None:
    with stored.begin() as uow:
        STORE.save(uow, ROW, replace(ROW, task={"step": 2}))
    with pytest.raises(StaleState), stored.begin() as uow:
        STORE.save(uow, ROW, replace(ROW, task={"step": 3}))


def test_row_history_and_event_are_one_transaction(stored: Database) -> None:
    before = journal(stored)

    def move_and_fail() -> None:
        with stored.begin() as uow:
            STORE.save(uow, ROW, replace(ROW, state="sent"))
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        move_and_fail()
    assert journal(stored) == before
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == ROW


def test_a_removed_resource_stays_in_history_and_events(stored: Database) -> None:
    with stored.begin() as uow:
        STORE.remove(uow, ROW)
    assert journal(stored) == (
        ["ParcelOrderCreateEvent", "ParcelOrderDeleteEvent"],
        [("", "new", ""), ("new", "", "")],
    )
    with stored.read() as connection:
        assert STORE.find(connection, "p1") is None


AGAIN = replace(ROW, state="back", correlation_id="c2", document={"id": "p1", "state": "back"}, version=1)


@pytest.mark.parametrize("again", [AGAIN, replace(ROW, document={**ROW.document, "note": "again"})])
@pytest.mark.parametrize("writes_between", [False, True])
def test_an_id_is_free_again_where_it_is_removed(stored: Database, again: Row, *, writes_between: bool) -> None:
    with stored.begin() as uow:
        STORE.remove(uow, ROW)
        if writes_between:
            uow.connection.execute(select(1))
        STORE.insert(uow, again)
        assert STORE.get(uow, "p1") == again
        moved = STORE.save(uow, again, replace(again, state="sent"))
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == moved
        row = connection.execute(select(STORE.table)).one()
    assert row.created_at == row.updated_at, "it is another resource"


def test_what_came_back_can_go_again(stored: Database) -> None:
    with stored.begin() as uow:
        STORE.remove(uow, ROW)
        STORE.insert(uow, AGAIN)
        STORE.remove(uow, AGAIN)
    with stored.read() as connection:
        assert STORE.find(connection, "p1") is None


def test_an_id_that_is_taken_is_refused(stored: Database) -> None:
    def insert() -> None:
        with stored.begin() as uow:
            STORE.get(uow, "p1")
            STORE.insert(uow, AGAIN)

    with pytest.raises(IntegrityError):
        insert()
    with stored.read() as connection:
        assert STORE.get(connection, "p1") == ROW


@pytest.mark.parametrize("read", [STORE.get, STORE.found])
def test_an_unknown_id_is_named(stored: Database, read: Callable[..., object]) -> None:
    with stored.read() as connection, pytest.raises(UnknownResource, match="unknown parcelOrder 'p9'"):
        read(connection, "p9")


def test_pages_have_exact_totals_and_come_oldest_first(tmp_path: Path) -> None:
    clock = iter(datetime(2026, 1, 1, 12, minute, tzinfo=UTC) for minute in range(60))
    database = Database(SqliteBackend(tmp_path / "pages.db"), routes={}, clock=lambda: next(clock))
    database.create_tables(SCHEMA, events.metadata)
    for number in (3, 1, 2, 5, 4):
        with database.begin() as uow:
            state = "odd" if number % 2 else "even"
            STORE.insert(uow, Row(id=f"p{number}", state=state, correlation_id="c", document={"n": number}))
    with database.read() as connection:
        first = STORE.page(connection, Query(limit=2))
        second = STORE.page(connection, Query(offset=2, limit=2))
        odd = STORE.page(connection, Query(limit=1, conditions=equals(state="odd")))
        beyond = STORE.page(connection, Query(offset=9))
    database.close()
    assert (first.texts, first.total) == (('{"n":3}', '{"n":1}'), 5)
    assert (second.texts, second.total) == (('{"n":2}', '{"n":5}'), 5)
    assert (odd.texts, odd.total) == (('{"n":3}',), 3)
    assert (beyond.texts, beyond.total) == ((), 5)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 12), limit=st.integers(0, 12), state=st.sampled_from(["new", "sent", "lost"]))
def test_a_page_is_a_slice_of_what_matches(stored: Database, offset: int, limit: int, state: str) -> None:
    with stored.begin() as uow:
        number = uow.connection.execute(select(func.count()).select_from(STORE.table)).scalar_one()
        STORE.insert(uow, Row(id=f"q{number}", state=state, correlation_id="c", document={"n": number}))
    with stored.read() as connection:
        everything = STORE.page(connection, Query(conditions=equals(state=state), limit=1000))
        page = STORE.page(connection, Query(offset=offset, limit=limit, conditions=equals(state=state)))
    assert page.total == everything.total == len(everything.texts)
    assert page.texts == everything.texts[offset : offset + limit]
