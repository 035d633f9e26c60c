"""The laws of the unit of work, on every kind of database: what is collected is one with what is stored."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table, func, insert, select
from sqlalchemy import update as update_of
from sqlalchemy.event import listen

from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit
from api.runtime.tables import events, moves
from inventory.errors import StaleState
from inventory.ledger import Event, Job, Move, NewJob
from inventory.store import DocumentStore, Row
from inventory.tables import free_ranges, products

STORE = DocumentStore(table=products, kind="product", domain="inventory")


class Bug(Exception):
    """A handler's."""


def thing(key: str = "p1", state: str = "created", **document: Any) -> Row:
    return Row(id=key, state=state, correlation_id="c1", external_id=f"ext-{key}", document={"id": key, **document})


def moved(row: Row, state: str) -> Row:
    return replace(row, state=state, document={**row.document, "state": state})


def count(database: Database, *tables: Table) -> list[int]:
    with database.read() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def stored(database: Database, *keys: str) -> list[tuple[str, str, int]]:
    with database.read() as connection:
        found = STORE.many(connection, keys)
    return [(key, found[key].state, found[key].version) for key in keys if key in found]


def events_of(database: Database, key: str) -> list[tuple[str, str]]:
    here = events.c
    wanted = select(here.event_type, here.document).where(here.resource_id == key).order_by(here.sequence)
    with database.read() as connection:
        return [(event_type, document) for event_type, document in connection.execute(wanted)]


def run(unit: LedgerUnit, work: Callable[[], object]) -> None:
    with unit.step():
        work()


def fail(unit: LedgerUnit, work: Callable[[], object]) -> None:
    def then_fail() -> None:
        work()
        raise Bug

    with pytest.raises(Bug):
        run(unit, then_fail)


def statements(unit: LedgerUnit) -> list[str]:
    """Return the list of what is executed on the unit's database from now on."""
    said: list[str] = []
    listen(unit.reader.engine, "before_cursor_execute", lambda _c, _u, text, *_: said.append(text))
    return said


@pytest.fixture
def kept(either: Database) -> Row:
    """Return a product that is stored."""
    with either.begin() as unit:
        STORE.insert(unit, thing("kept"))
    return thing("kept")


def test_a_unit_reads_what_it_wrote(either: Database) -> None:
    with either.begin() as unit:
        STORE.insert(unit, thing())
        assert STORE.get(unit, "p1") == thing()
        assert STORE.by_external_id(unit, "ext-p1") == thing()
        after = STORE.save(unit, thing(), moved(thing(), "active"))
        assert STORE.get(unit, "p1") == after
        assert after.version == 2
        STORE.remove(unit, after)
        assert STORE.find(unit, "p1") is None
        assert STORE.by_external_id(unit, "ext-p1") is None
    assert stored(either, "p1") == []
    assert [kind for kind, _ in events_of(either, "p1")] == [
        "ProductCreateEvent",
        "ProductStateChangeEvent",
        "ProductDeleteEvent",
    ]


def test_many_changes_of_one_row_are_one_write(either: Database, kept: Row) -> None:
    with either.begin() as unit:
        row = STORE.get(unit, kept.id)
        for state in ("pendingActive", "active", "suspended"):
            row = STORE.save(unit, row, moved(row, state))
    assert stored(either, "kept") == [("kept", "suspended", 4)]
    assert count(either, moves) == [4]


def test_a_plain_statement_sees_what_was_collected(either: Database) -> None:
    with either.begin() as unit:
        STORE.insert(unit, thing())
        state = unit.connection.execute(select(products.c.state).where(products.c.id == "p1")).scalar_one()
        assert state == "created"
        STORE.save(unit, thing(), moved(thing(), "active"))
        state = unit.connection.execute(select(products.c.state).where(products.c.id == "p1")).scalar_one()
        assert state == "active"
    assert stored(either, "p1") == [("p1", "active", 2)]


def test_a_step_that_fails_leaves_nothing(either: Database, kept: Row) -> None:
    before = count(either, products, events, moves)
    with either.begin() as unit:

        def work() -> None:
            STORE.insert(unit, thing())
            STORE.save(unit, kept, moved(kept, "active"))
            unit.enqueue(NewJob(kind="k", lane="l"))

        fail(unit, work)
        assert STORE.find(unit, "p1") is None
        assert STORE.get(unit, "kept") == kept
        assert unit.take(("k",), "l") is None
    assert count(either, products, events, moves) == before
    with either.read() as connection:
        assert either.queue.pending(connection) == 0


def test_a_step_that_fails_takes_its_plain_statements_along_and_no_others(either: Database, kept: Row) -> None:
    span = {"allocation": "vlan", "pool": "x", "last": 9}
    with either.begin() as unit:
        with unit.step():
            STORE.insert(unit, thing("early"))
            unit.connection.execute(insert(free_ranges).values(span | {"first": 1}))

        def work() -> None:
            STORE.save(unit, kept, moved(kept, "active"))
            unit.connection.execute(insert(free_ranges).values(span | {"first": 2}))

        with unit.step():
            STORE.insert(unit, thing("collected"))
        fail(unit, work)
        with unit.step():
            STORE.save(unit, kept, moved(kept, "suspended"))
    assert stored(either, "early", "collected", "kept") == [
        ("early", "created", 1),
        ("collected", "created", 1),
        ("kept", "suspended", 2),
    ]
    with either.read() as connection:
        assert list(connection.execute(select(free_ranges.c.first)).scalars()) == [1]


def test_a_lost_race_is_the_steps_own(either: Database, kept: Row) -> None:
    with either.begin() as unit:
        STORE.save(unit, kept, moved(kept, "active"))
    with either.begin() as unit:
        with unit.step():
            STORE.insert(unit, thing("other"))

        def lose() -> None:
            STORE.insert(unit, thing("mine"))
            STORE.save(unit, kept, moved(kept, "suspended"))

        with pytest.raises(StaleState, match="no longer 'created'"):
            run(unit, lose)
    assert stored(either, "kept", "other", "mine") == [("kept", "active", 2), ("other", "created", 1)]


def test_two_steps_of_one_unit_race_as_two_transactions_would(either: Database, kept: Row) -> None:
    with either.begin() as unit:
        with unit.step():
            STORE.save(unit, kept, moved(kept, "active"))
        with pytest.raises(StaleState), unit.step():
            STORE.save(unit, kept, moved(kept, "suspended"))
    assert stored(either, "kept") == [("kept", "active", 2)]


def test_a_write_behind_the_units_back_stops_the_whole_unit(either: Database, kept: Row) -> None:
    """The last guard: the UPDATE itself carries id, state and version."""

    def write() -> None:
        with either.begin() as unit:
            STORE.save(unit, kept, moved(kept, "active"))
            unit.reader.execute(update_of(products).where(products.c.id == "kept").values(version=7))

    with pytest.raises(StaleState):
        write()
    assert stored(either, "kept") == [("kept", "created", 1)]


def test_events_of_one_resource_keep_their_order(either: Database) -> None:
    keys = [f"p{number}" for number in range(20)]
    states = ["pendingActive", "active", "suspended", "active"]
    for _ in range(2):
        with either.begin() as unit:
            for key in keys:
                if STORE.find(unit, key) is None:
                    STORE.insert(unit, thing(key))
            for state in states:
                for key in keys:
                    row = STORE.get(unit, key)
                    STORE.save(unit, row, moved(row, state))
    for key in keys:
        told = [document.partition('"state":"')[2].partition('"')[0] for _, document in events_of(either, key)]
        assert told == ["", *states, *states]


def test_a_prefetch_is_one_statement_and_knows_what_is_not_there(either: Database) -> None:
    keys = [f"p{number}" for number in range(50)]
    with either.begin() as unit:
        for key in keys[:40]:
            STORE.insert(unit, thing(key))
    with either.begin() as unit:
        said = statements(unit)
        STORE.prefetch(unit, keys)
        assert [STORE.find(unit, key) is not None for key in keys] == [True] * 40 + [False] * 10
        assert len([text for text in said if "FROM product" in text]) == 1


def test_what_was_read_before_is_read_again_only_where_it_moved(either: Database) -> None:
    keys = ["same", "moved", "gone"]
    with either.begin() as unit:
        for key in keys:
            STORE.insert(unit, thing(key))
    with either.read() as connection:
        known = STORE.many(connection, keys)
    with either.begin() as unit:
        STORE.save(unit, STORE.get(unit, "moved"), moved(known["moved"], "active"))
        STORE.remove(unit, STORE.get(unit, "gone"))
    with either.begin() as unit:
        STORE.prefetch(unit, keys, known.values())
        said = statements(unit)
        assert STORE.get(unit, "same") is known["same"]
        assert STORE.get(unit, "moved").state == "active"
        assert STORE.find(unit, "gone") is None
        assert not said


def test_the_number_of_statements_does_not_grow_with_the_orders(either: Database) -> None:
    with either.begin() as unit:
        said = statements(unit)
    lengths = []
    # The first one of a state begins to count.
    for size in (1, 5, 50):
        said.clear()
        with either.begin() as unit:
            for number in range(size):
                STORE.insert(unit, thing(f"{size}-{number}"))
        lengths.append(len(said))
    assert lengths[1] == lengths[2]


def test_jobs_of_a_lane_are_taken_in_order_and_only_if_due(either: Database) -> None:
    with either.begin() as unit:
        for kind, lane, delay_s in (("a", "l", 0.0), ("b", "l", 0.0), ("c", "l", 60.0), ("d", "l", 0.0)):
            unit.enqueue(NewJob(kind=kind, lane=lane, delay_s=delay_s))
        unit.enqueue(NewJob(kind="a", lane="other"))
        kinds = ("a", "b", "c", "d")
        taken = [unit.take(kinds, "l"), unit.take(kinds, "l"), unit.take(kinds, "l")]
        assert [job and job.kind for job in taken] == ["a", "b", None]
        assert unit.take((), "other") is None
    with either.read() as connection:
        assert either.queue.pending(connection) == 3


def test_a_job_put_back_keeps_its_place(either: Database) -> None:
    with either.begin() as unit:
        unit.enqueue(NewJob(kind="first", lane="l"))
        unit.enqueue(NewJob(kind="second", lane="l"))
        job = unit.take(("first", "second"), "l")
        assert isinstance(job, Job)
        unit.put_back(job, delay_s=0.0)
        again = unit.take(("first", "second"), "l")
        assert again == job
        unit.put_back(job, delay_s=0.0)
    with either.begin() as unit:
        [claim] = either.queue.claim(unit.reader, ("first", "second"), limit=10)
        assert (claim.job.kind, claim.job.attempt) == ("first", 1)


def test_a_follower_gets_the_event_that_caused_it(either: Database) -> None:
    event = Event(
        event_type="ThingEvent",
        domain="inventory",
        resource_kind="thing",
        resource_id="t1",
        correlation_id="c1",
        document={"id": "t1"},
    )
    routed = Database(either.backend, routes={"ThingEvent": ("follow",)})
    with routed.begin() as unit:
        unit.publish(event)
        job = unit.take(("follow",), "c1")
        assert job is not None
        assert job.event == event
        unit.put_back(job, delay_s=0.0)
    with routed.begin() as unit:
        [claim] = routed.queue.claim(unit.reader, ("follow",), limit=10)
        assert claim.job.event == event


def test_an_exception_outside_a_step_rolls_everything_back(either: Database, kept: Row) -> None:
    before = count(either, products, events, moves)

    def write() -> None:
        with either.begin() as unit:
            STORE.save(unit, kept, moved(kept, "active"))
            unit.record(Move(resource_kind="x", resource_id="x", from_state="", to_state="y"))
            raise Bug

    with pytest.raises(Bug):
        write()
    assert count(either, products, events, moves) == before
