"""One page of a table of documents: what an index knows is asked of the database, the rest of the documents."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from inventory.beside import Beside, total
from inventory.query import Attribute, Condition, Query, SortKey, moment_of, sort_value, sorted_by

COLUMNS: Final[Mapping[str, str]] = {
    "id": "id",
    "state": "state",
    "status": "state",
    "resourceStatus": "state",
    "externalId": "external_id",
    "correlationId": "correlation_id",
}
"""Wire attribute to indexed column."""

AT_A_TIME: Final = 500
_PRECISION: Final = timedelta(milliseconds=1)
"""Documents carry whole milliseconds of the time of creation, cut off; the column carries more."""
# A database cannot compare with moments near the ends of time: they are looked for in the documents.
_EARLIEST: Final = datetime(1, 1, 2)  # noqa: DTZ001 - a bound, in UTC
_LATEST: Final = datetime(9999, 12, 30)  # noqa: DTZ001 - a bound, in UTC
# What stands in JSON text as it is, and is no number, which has several texts.
_PLAIN: Final = re.compile(r"[A-Za-z_][\w.:@/+-]{2,}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """``texts``: the documents as stored JSON text; ``total``: how many match without offset and limit."""

    texts: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedTable:
    """A table of documents (:func:`inventory.tables.document_table`) to read pages of.

    Attributes:
        created: the attribute that holds the time of creation, where documents have one.
    """

    table: Table
    created: str = ""

    def page(self, connection: Connection, query: Query) -> Page:
        """Return one page of stored texts and the exact total.

        What an index holds (ids, states, external ids, the time of creation, what is mentioned beside the table) costs
        the same at any size of the table;
        any other attribute costs a look at every document that those leave.
        """
        where = self._all_of(query.conditions)
        is_ordered = all(self._column(key.attribute) is not None for key in query.order)
        if is_ordered and all(map(self._is_exact, query.conditions)):
            return self._by_index(connection, query, where)
        return self._by_looking(connection, query, where)

    def _by_index(self, connection: Connection, query: Query, where: Sequence[ColumnElement[bool]]) -> Page:
        count = connection.execute(self._total(query, where)).scalar_one()
        if query.order:
            # Ids alone: what the database must sort by itself does not drag the documents along.
            ids = connection.execute(self._bounded(self.table.c.id, query, where)).scalars().all()
            return Page(texts=self._texts(connection, ids), total=count)
        texts = connection.execute(self._bounded(self.table.c.document, query, where)).scalars()
        return Page(texts=tuple(texts), total=count)

    def _bounded(self, column: ColumnElement[str], query: Query, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
        wanted = select(column).where(*where).order_by(*self._order(query.order))
        return wanted.offset(query.offset).limit(query.limit)

    def _all_of(self, conditions: Sequence[Condition]) -> list[ColumnElement[bool]]:
        """Return what the database can say of all of them.

        Beside a mention a state is only looked at: left to itself, SQLite reads all that are in the state.
        """
        beside = Beside.of(self.table)
        state: ColumnElement[Any] = self.table.c.state
        if beside is not None and any(map(beside.knows, conditions)):
            state = state.concat("")
        found: list[ColumnElement[bool]] = []
        for condition in conditions:
            is_state = len(condition.attribute) == 1 and COLUMNS.get(condition.attribute[0]) == "state"
            found += _of_column(state, condition) if is_state else self._where(condition)
        return found

    def _total(self, query: Query, where: Sequence[ColumnElement[bool]]) -> Select[Any]:
        """Return how many documents match, from the tally where that knows: an index would have to be read along."""
        beside = Beside.of(self.table)
        if beside is not None and all(COLUMNS.get(each.attribute[0]) == "state" for each in query.conditions):
            state = beside.tally.c.state
            return total(beside, [part for each in query.conditions for part in _of_column(state, each)])
        return select(func.count()).select_from(self.table).where(*where)

    def _by_looking(self, connection: Connection, query: Query, where: Sequence[ColumnElement[bool]]) -> Page:
        here = self.table.c
        wanted = select(here.id, here.document).where(*where).order_by(here.created_at, here.id)
        matching = []
        for key, text in connection.execute(wanted.execution_options(yield_per=AT_A_TIME)):
            document = json.loads(text)
            if query.holds(document):
                matching.append((tuple(sort_value(document, sort.attribute) for sort in query.order), key))
        ids = sorted_by(query.order, matching)[query.offset : query.offset + query.limit]
        return Page(texts=self._texts(connection, ids), total=len(matching))

    def _texts(self, connection: Connection, ids: Sequence[str]) -> tuple[str, ...]:
        here, found = self.table.c, dict[str, str]()
        for start in range(0, len(ids), AT_A_TIME):
            wanted = select(here.id, here.document).where(here.id.in_(ids[start : start + AT_A_TIME]))
            found |= {row.id: row.document for row in connection.execute(wanted)}
        return tuple(found[key] for key in ids if key in found)

    def _where(self, condition: Condition) -> Iterable[ColumnElement[bool]]:
        """Yield what the database can say of ``condition``: never more than is true."""
        column = self._column(condition.attribute)
        if column is not None and condition.attribute != (self.created,):
            yield from _of_column(column, condition)
        elif condition.attribute == (self.created,):
            yield from self._of_creation(condition)
        elif (beside := Beside.of(self.table)) is not None and beside.knows(condition):
            yield self.table.c.id.in_(beside.mentioning(condition))
        elif condition.operator == "eq" and all(map(_PLAIN.fullmatch, condition.texts)):
            parts = [self.table.c.document.contains(text, autoescape=True) for text in condition.texts]
            if len(parts) == 1:
                yield parts[0]

    def _of_creation(self, condition: Condition) -> Iterable[ColumnElement[bool]]:
        """Yield the condition on the time of creation, as its milliseconds have it."""
        if not self._is_of_creation(condition):
            return
        here, moment = self.table.c.created_at, moment_of(condition.texts[0])
        assert moment is not None  # noqa: S101 - narrows the type; the line above looked
        begin = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        end = begin + _PRECISION
        first = begin if begin == moment else end
        bounds: Mapping[str, Sequence[ColumnElement[bool]]] = {
            "gt": [here >= end],
            "gte": [here >= first],
            "lt": [here < first],
            "lte": [here < end],
            # Between two milliseconds nothing is.
            "eq": [here >= first, here < end],
        }
        yield from bounds[condition.operator]

    def _is_of_creation(self, condition: Condition) -> bool:
        told = condition.attribute == (self.created,) and len(condition.texts) == 1
        moment = moment_of(condition.texts[0]) if told else None
        return (
            moment is not None
            and condition.operator in {"eq", "gt", "gte", "lt", "lte"}
            and _EARLIEST < moment.replace(tzinfo=None) < _LATEST
        )

    def _is_exact(self, condition: Condition) -> bool:
        beside = Beside.of(self.table)
        if beside is not None and beside.knows(condition):
            return True
        name = condition.attribute[0] if len(condition.attribute) == 1 else ""
        return (name in COLUMNS and condition.operator in {"eq", "ne"}) or self._is_of_creation(condition)

    def _column(self, attribute: Attribute) -> ColumnElement[Any] | None:
        if len(attribute) != 1:
            return None
        if attribute[0] == self.created:
            return self.table.c.created_at
        name = COLUMNS.get(attribute[0])
        return self.table.c[name] if name is not None else None

    def _order(self, keys: Sequence[SortKey]) -> Iterable[ColumnElement[Any]]:
        for key in keys:
            column = self._column(key.attribute)
            assert column is not None  # noqa: S101 - narrows the type; the caller looked
            yield column.desc().nulls_last() if key.descending else column.asc().nulls_last()
        yield from (self.table.c.created_at, self.table.c.id)


def _of_column(column: ColumnElement[Any], condition: Condition) -> Iterable[ColumnElement[bool]]:
    if condition.operator == "eq":
        yield column.in_(condition.texts)
    elif condition.operator == "ne":
        yield column.is_(None) | column.not_in(condition.texts)
