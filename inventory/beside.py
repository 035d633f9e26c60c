"""What is kept beside a table of documents so that a filter does not look at each of them: mentions and tallies.

A mention says that a document has a text at an attribute; a tally says how many documents are in a state. Both are
written with the documents, in the same transaction. Each database connection that writes at the same time as others
counts in rows of its own (``slot``), so that none waits for another's end; the sum is the number of documents. What
connections counted that have ended goes into the row of the next one that begins to count.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Integer,
    Select,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy import column as named_column
from sqlalchemy import table as named_table
from sqlalchemy import update as update_of

from inventory.bulk import Bulk
from inventory.documents import Document
from inventory.query import Attribute, Condition, is_plain, plain_text, values_at

Mention = tuple[str, str, str]
"""Attribute with dots, text, and the id of the document that has it there."""

_BESIDE: Final = "beside"
_ACTIVITY: Final = named_table("pg_stat_activity", named_column("pid", Integer))
_AT_A_TIME: Final = 200
LONGEST: Final = 200
"""Characters of a text that is kept: a database's index takes no long ones, and nobody filters by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The tables beside one table of documents.

    Attributes:
        attributes: those whose texts are in ``mentions``, each by its name with dots.
    """

    mentions: Table
    tally: Table
    attributes: Mapping[str, Attribute]

    @classmethod
    def of(cls, table: Table) -> "Beside | None":
        """Return what is kept beside ``table``, or None where nothing is."""
        found: Beside | None = table.info.get(_BESIDE)
        return found

    def attach(self, table: Table) -> None:
        """Keep these beside ``table``."""
        table.info[_BESIDE] = self

    def due(self, key: str, document: Document | None) -> frozenset[Mention]:
        """Return the mentions that ``document`` makes; None: it is not there."""
        if document is None:
            return frozenset()
        return frozenset(
            (name, text, key)
            for name, attribute in self.attributes.items()
            if attribute[0] in document
            for value in values_at(document, attribute)
            if not isinstance(value, Mapping) and len(text := plain_text(value)) <= LONGEST
        )

    def knows(self, condition: Condition) -> bool:
        """Say whether the mentions answer ``condition`` wholly."""
        return (
            condition.operator == "eq"
            and ".".join(condition.attribute) in self.attributes
            and all(len(text) <= LONGEST and is_plain(text) for text in condition.texts)
        )

    def mentioning(self, condition: Condition) -> Select[Any]:
        """Return the ids of the documents that fulfil a ``condition`` that is known."""
        here = self.mentions.c
        named = here.attribute == ".".join(condition.attribute)
        return select(here.id).where(named, here.value.in_(condition.texts))


@dataclass(frozen=True, slots=True)
class Change:
    """One written document: state and document before (None: it was not there) and now (None: it is gone)."""

    key: str
    state_before: str | None
    before: Document | None
    state: str | None
    now: Document | None


def note(connection: Connection, beside: Beside, changes: Sequence[Change]) -> None:
    """Write what these changes mean for mentions and tallies."""
    stale, new = set[Mention](), set[Mention]()
    counts: Counter[str] = Counter()
    for change in changes:
        if change.before is not change.now:
            before, now = beside.due(change.key, change.before), beside.due(change.key, change.now)
            stale |= before - now
            new |= now - before
        if change.state_before != change.state:
            _count(counts, change)
    statements = _statements(beside.mentions, beside.tally, connection.dialect.name)
    if stale:
        statements.forget.execute(connection, [_named(mention, "_") for mention in sorted(stale)])
    if new:
        statements.mention.execute(connection, [_named(mention) for mention in sorted(new)])
    for state, by in sorted(counts.items()):
        if by and not statements.add.execute(connection, [{"_state": state, "_by": by}]):
            connection.execute(statements.begin, {"_state": state, "_by": by})


def mentioned(connection: Connection, beside: Beside, due: Iterable[Mention]) -> int:
    """Return how many of the mentions that are ``due`` are there."""
    here = beside.mentions.c
    key, found, wanted = tuple_(here.attribute, here.value, here.id), 0, sorted(due)
    for start in range(0, len(wanted), _AT_A_TIME):
        some = wanted[start : start + _AT_A_TIME]
        found += connection.execute(select(func.count()).where(key.in_(some))).scalar_one()
    return found


def tallies(connection: Connection, beside: Beside) -> dict[str, int]:
    """Return how many documents are in each state, as the tally has it; states without any are left out."""
    here = beside.tally.c
    counted = select(here.state, func.sum(here.n)).group_by(here.state).having(func.sum(here.n) != 0)
    return {state: int(number) for state, number in connection.execute(counted)}


def total(beside: Beside, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return how many documents are in the states that ``where`` leaves."""
    return select(func.coalesce(func.sum(beside.tally.c.n), 0)).where(*where)


def rebuild(connection: Connection, table: Table, beside: Beside, documents: Iterable[tuple[str, Document]]) -> None:
    """Write mentions and tallies anew from all ``documents`` of ``table``, by id; nobody else may be writing."""
    here = table.c
    connection.execute(delete(beside.mentions))
    connection.execute(delete(beside.tally))
    for some in _portions(beside, documents):
        connection.execute(insert(beside.mentions), some)
    counted = select(here.state, literal(0), func.count()).group_by(here.state)
    connection.execute(insert(beside.tally).from_select(["state", "slot", "n"], counted))


def _portions(beside: Beside, documents: Iterable[tuple[str, Document]]) -> Iterator[list[dict[str, str]]]:
    waiting: list[dict[str, str]] = []
    for key, document in documents:
        waiting += [_named(mention) for mention in sorted(beside.due(key, document))]
        if len(waiting) >= _AT_A_TIME:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _named(mention: Mention, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}{name}": value for name, value in zip(("attribute", "value", "id"), mention, strict=True)}


def _count(counts: Counter[str], change: Change) -> None:
    if change.state_before is not None:
        counts[change.state_before] -= 1
    if change.state is not None:
        counts[change.state] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    mention: Bulk
    forget: Bulk
    add: Bulk
    begin: Insert


@lru_cache
def _statements(mentions: Table, tally: Table, dialect: str) -> _Statements:
    there, here = mentions.c, tally.c
    slot: ColumnElement[int] = func.pg_backend_pid() if dialect == "postgresql" else literal_column("0", Integer)
    mine = (here.state == bindparam("_state"), here.slot == slot)
    wanted = [column == bindparam(f"_{column.name}") for column in (there.attribute, there.value, there.id)]
    return _Statements(
        mention=Bulk(insert(mentions)),
        forget=Bulk(delete(mentions).where(*wanted)),
        add=Bulk(update_of(tally).where(*mine).values(n=here.n + bindparam("_by"))),
        begin=_begin(tally, slot) if dialect == "postgresql" else insert(tally).values(_first(slot)),
    )


def _first(slot: ColumnElement[int]) -> dict[str, ColumnElement[Any]]:
    return {"state": bindparam("_state", type_=Text()), "slot": slot, "n": bindparam("_by", type_=Integer())}


def _begin(tally: Table, slot: ColumnElement[int]) -> Insert:
    """Return the statement with which a connection begins to count, from what others counted that have ended."""
    here, first = tally.c, _first(slot)
    alive = select(_ACTIVITY.c.pid).where(_ACTIVITY.c.pid.is_not(None))
    of_state = here.state == first["state"]
    # What another one folds at this moment is left to it. Who is taken for ended and is not begins anew: none is lost.
    ended = select(here.slot).where(of_state, here.slot.not_in(alive)).with_for_update(skip_locked=True)
    folded = delete(tally).where(of_state, here.slot.in_(ended)).returning(here.n).cte("folded")
    counted = first["n"] + func.coalesce(select(func.sum(folded.c.n)).scalar_subquery(), 0)
    return insert(tally).from_select(["state", "slot", "n"], select(first["state"], slot, counted))
