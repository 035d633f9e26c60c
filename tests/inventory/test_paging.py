"""Pages of stored documents: what an index knows and what must be looked at give the same answer, on both databases."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData

from api.runtime.database import Database, open_database
from api.runtime.tables import events
from inventory.paging import Page
from inventory.query import Condition, Operator, Query, SortKey, equals
from inventory.store import DocumentStore, Row
from inventory.tables import document_table

SCHEMA = MetaData()
STORE = DocumentStore(table=document_table(SCHEMA, "parcel"), kind="parcel", domain="service", created="sentDate")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("new", "sent", "lost")


@pytest.fixture
def parcels(database_url: str) -> Iterator[Database]:
    minutes = count()
    database = open_database(database_url, routes={}, clock=lambda: BEGIN + timedelta(minutes=next(minutes)))
    database.create_tables(SCHEMA, events.metadata)
    for number in range(12):
        with database.begin() as uow:
            sent = uow.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            key, state = f"p{number:02}", STATES[number % 3]
            document = {
                "id": key,
                "state": state,
                "sentDate": sent,
                "weight": number % 5,
                "party": [{"id": f"C-{number % 4}"}, {"id": "S-1"}],
                "note": "Lindenstraße" if number == 7 else "",
            }
            external_id = f"e{number}" if number % 2 else None
            row = Row(
                id=key,
                state=state,
                correlation_id="c",
                external_id=external_id,
                document=document,
            )
            STORE.insert(uow, row)
    yield database
    database.close()


def _page(database: Database, query: Query) -> Page:
    with database.read() as connection:
        return STORE.page(connection, query)


def _ids(page: Page) -> list[str]:
    return [text.split('"id":"')[1][:3] for text in page.texts]


def _where(name: str, operator: Operator, *texts: str) -> tuple[Condition, ...]:
    return (Condition(attribute=tuple(name.split(".")), operator=operator, texts=texts),)


CASES: dict[str, tuple[Query, list[str], int]] = {
    "all": (Query(limit=2), ["p00", "p01"], 12),
    "by state": (Query(conditions=equals(state="sent")), ["p01", "p04", "p07", "p10"], 4),
    "by state, a page": (Query(conditions=equals(state="sent"), offset=1, limit=2), ["p04", "p07"], 4),
    "one of two states": (Query(conditions=_where("state", "eq", "sent", "lost"), limit=3), ["p01", "p02", "p04"], 8),
    "not a state": (Query(conditions=_where("state", "ne", "new"), limit=3), ["p01", "p02", "p04"], 8),
    "external id is not": (Query(conditions=_where("externalId", "ne", "e1"), limit=2), ["p00", "p02"], 11),
    "in an array": (Query(conditions=_where("party.id", "eq", "C-3")), ["p03", "p07", "p11"], 3),
    "two conditions": (
        Query(conditions=(*equals(state="lost"), *_where("weight", "gte", "2"))),
        ["p02", "p08"],
        2,
    ),
    "a page of what was looked at": (Query(conditions=_where("party.id", "eq", "S-1"), offset=10), ["p10", "p11"], 12),
    "letters beyond ASCII": (Query(conditions=_where("note", "eq", "Lindenstraße")), ["p07"], 1),
    "since a moment": (Query(conditions=_where("sentDate", "gte", "2026-01-01T00:10:00.000Z")), ["p10", "p11"], 2),
    "at a moment": (Query(conditions=_where("sentDate", "eq", "2026-01-01T01:03:00+01:00")), ["p03"], 1),
    "newest first": (Query(order=(SortKey(attribute=("sentDate",), descending=True),), limit=2), ["p11", "p10"], 12),
    "by state, newest first": (
        Query(order=(SortKey(attribute=("state",)), SortKey(attribute=("sentDate",), descending=True)), limit=2),
        ["p11", "p08"],
        12,
    ),
    "by what no index has": (
        Query(order=(SortKey(attribute=("weight",), descending=True), SortKey(attribute=("id",))), limit=3),
        ["p04", "p09", "p03"],
        12,
    ),
    "external ids first, those without last": (
        Query(order=(SortKey(attribute=("externalId",)),), offset=5, limit=2),
        ["p09", "p00"],
        12,
    ),
    "beyond the end": (Query(offset=99), [], 12),
    "nothing there": (Query(conditions=_where("colour", "eq", "red")), [], 0),
}


@pytest.mark.parametrize(("query", "ids", "total"), CASES.values(), ids=CASES)
def test_page(parcels: Database, query: Query, ids: list[str], total: int) -> None:
    page = _page(parcels, query)
    assert (_ids(page), page.total) == (ids, total)


MOMENTS = st.integers(min_value=0, max_value=4_000).map(lambda micros: BEGIN + timedelta(microseconds=micros))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(created=st.lists(MOMENTS, max_size=5), asked=MOMENTS, operator=st.sampled_from(["eq", "gt", "gte", "lt", "lte"]))
def test_the_index_and_the_documents_say_the_same_of_a_moment(
    open_database: Callable[..., Database], created: list[datetime], asked: datetime, operator: Operator
) -> None:
    clock = iter([*created, BEGIN])
    database = open_database(SCHEMA)
    database._clock = lambda: next(clock)
    condition = Condition(attribute=("sentDate",), operator=operator, texts=(asked.isoformat(),))
    holding = []
    for number in range(len(created)):
        with database.begin() as uow:
            sent = uow.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            document = {"id": f"p{number:02}", "sentDate": sent}
            STORE.insert(uow, Row(id=f"p{number:02}", state="new", correlation_id="c", document=document))
        holding += [(uow.now, document["id"])] if condition.holds(document) else []
    page = _page(database, Query(conditions=(condition,)))
    assert (_ids(page), page.total) == ([key for _, key in sorted(holding)], len(holding))
