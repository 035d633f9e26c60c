"""Requests that write at the same moment: each gets its own answer, after the commit, whoever it shared it with."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import MetaData, select
from sqlalchemy.exc import IntegrityError

from api.errors import DatabaseAway
from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit
from api.runtime.tables import moves
from api.runtime.together import MOST, Together
from inventory.store import DocumentStore, Row
from inventory.tables import document_table

SCHEMA: Final = MetaData()
STORE: Final = DocumentStore(table=document_table(SCHEMA, "note"), kind="note", domain="product")
PATIENCE_S: Final = 60.0

Work = Callable[[LedgerUnit], Any]


def _insert(key: str) -> Work:
    def work(uow: LedgerUnit) -> LedgerUnit:
        STORE.insert(uow, Row(id=key, state="new", correlation_id=key, document={"id": key}))
        return uow

    return work


def _refuse(key: str, *, writes: bool) -> Work:
    def work(uow: LedgerUnit) -> None:
        _insert(key)(uow)
        if writes:
            # Everything collected so far goes into the database, what others collected as well.
            uow.connection.execute(select(1))
        raise ZeroDivisionError(key)

    return work


@pytest.fixture
def noted(either: Database) -> Database:
    either.create_tables(SCHEMA)
    return either


@pytest.fixture
def file(open_database: Callable[..., Database]) -> Database:
    return open_database(SCHEMA)


@contextmanager
def _at_once(database: Database, works: dict[str, Work]) -> Iterator[dict[str, Future[Any]]]:
    """Have all of them wait for one transaction that ends when all are there."""
    together = Together(lambda actor: database.begin(actor=actor))
    with ThreadPoolExecutor(len(works)) as pool:
        with database.begin():
            found = {name: pool.submit(together.run, work, actor=f"by {name}") for name, work in works.items()}
            while together.waiting < len(works):
                assert not any(each.done() for each in found.values())
        yield found


def _ids(database: Database) -> set[str]:
    with database.read() as connection:
        return {row.id for row in STORE.every(connection)}


def _actors(database: Database) -> dict[str, str]:
    with database.read() as connection:
        return {row.resource_id: row.actor for row in connection.execute(select(moves))}


def test_each_has_its_own_answer_and_its_own_name(noted: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = {key: pool.submit(noted.run, _insert(key), actor=f"by {key}") for key in map(str, range(40))}
        for each in done.values():
            each.result(PATIENCE_S)
    assert _ids(noted) == set(done)
    assert _actors(noted) == {key: f"by {key}" for key in done}


def test_what_a_request_wrote_is_there_when_it_has_its_answer(noted: Database) -> None:
    def write(key: str) -> bool:
        noted.run(_insert(key))
        return key in _ids(noted)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, map(str, range(40)), timeout=PATIENCE_S))


def test_those_that_wait_share_a_transaction(file: Database) -> None:
    with _at_once(file, {key: _insert(key) for key in "abcdef"}) as found:
        units = {each.result(PATIENCE_S) for each in found.values()}
    assert len(units) == 1
    assert _ids(file) == set("abcdef")


def test_no_transaction_grows_without_bounds(file: Database) -> None:
    keys = [str(number) for number in range(MOST + 5)]
    with _at_once(file, {key: _insert(key) for key in keys}) as found:
        units = [each.result(PATIENCE_S) for each in found.values()]
    assert sorted(units.count(unit) for unit in set(units)) == [5, MOST]
    assert _ids(file) == set(keys)


@pytest.mark.parametrize("writes", [False, True])
def test_an_error_is_its_own_requests(file: Database, *, writes: bool) -> None:
    works = {"a": _insert("a"), "b": _refuse("b", writes=writes), "c": _insert("c"), "d": _refuse("d", writes=writes)}
    with _at_once(file, works) as found:
        errors = {name: each.exception(PATIENCE_S) for name, each in found.items()}
    assert [name for name, error in errors.items() if isinstance(error, ZeroDivisionError)] == ["b", "d"]
    assert str(errors["b"]) == "b"
    assert (errors["a"], errors["c"]) == (None, None)
    assert _ids(file) == {"a", "c"}
    assert _actors(file) == {"a": "by a", "c": "by c"}


def test_what_the_database_refuses_is_its_own_requests(file: Database) -> None:
    """It shows when all is written; the others are written without it."""
    file.run(_insert("taken"))
    with _at_once(file, {"a": _insert("a"), "b": _insert("taken"), "c": _insert("c")}) as found:
        errors = {name: each.exception(PATIENCE_S) for name, each in found.items()}
    assert isinstance(errors.pop("b"), IntegrityError)
    assert errors == {"a": None, "c": None}
    assert _ids(file) == {"taken", "a", "c"}


def test_a_commit_that_fails_is_told_to_all_and_tried_by_none(file: Database) -> None:
    ran: list[str] = []

    @contextmanager
    def begin(actor: str) -> Iterator[LedgerUnit]:
        """Lose the answer to the commit, as a disk does that goes away."""
        with file.begin(actor=actor) as unit:
            yield unit
        raise DatabaseAway("the file", "no answer to the commit")

    def work(key: str) -> Work:
        def insert(uow: LedgerUnit) -> None:
            ran.append(key)
            _insert(key)(uow)

        return insert

    together = Together(begin)
    with ThreadPoolExecutor(3) as pool:
        with file.begin():
            found = [pool.submit(together.run, work(key), actor="") for key in "abc"]
            while together.waiting < len(found):
                assert not any(each.done() for each in found)
        errors = [each.exception(PATIENCE_S) for each in found]
    assert all(isinstance(error, DatabaseAway) for error in errors)
    assert sorted(ran) == ["a", "b", "c"]


def test_a_database_that_is_away_is_told_to_all() -> None:
    def begin(_: str) -> AbstractContextManager[LedgerUnit]:
        raise DatabaseAway("the file", "is away")

    together = Together(begin)
    for _ in range(2):
        with pytest.raises(DatabaseAway):
            together.run(_insert("a"), actor="")
    assert together.waiting == 0
