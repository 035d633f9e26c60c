"""One page of rows that are no documents in the database: events, letters, mails, transactions.

What stands in a column is asked of the database; anything else is looked for in the documents made of the rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func

from inventory.documents import Document
from inventory.paging import AT_A_TIME
from inventory.query import Condition, Query, sort_value, sorted_by

T = TypeVar("T")
Columns = Mapping[str, ColumnElement[Any]]
"""Attributes (with dots) that are, as they stand, the text of a column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPages(Generic[T]):
    """What can be read of some rows.

    Attributes:
        rows: all of them, with everything that is needed, in no order.
        key: the text column that tells one row from another.
        order: how they come where nobody asks for another order.
        read: what the rows are; may look further into the database.
        tell: the document of one, as it goes out.
    """

    rows: Select[Any]
    key: ColumnElement[str]
    order: Sequence[ColumnElement[Any]]
    columns: Columns
    read: Callable[[Connection, Sequence[RowMapping]], Sequence[T]]
    tell: Callable[[T], Document]

    def page(self, connection: Connection, query: Query) -> tuple[list[T], int]:
        """Return one page, and how many there are without offset and limit."""
        rows = self.rows.where(*(part for each in query.conditions for part in self._where(each)))
        if query.order or not all(map(self._is_exact, query.conditions)):
            return self._by_looking(connection, query, rows)
        total = connection.execute(rows.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
        some = rows.order_by(*self.order).offset(query.offset).limit(query.limit)
        return list(self.read(connection, connection.execute(some).mappings().all())), total

    def _by_looking(self, connection: Connection, query: Query, rows: Select[Any]) -> tuple[list[T], int]:
        matching = []
        for key, value in self._each(connection, rows):
            document = self.tell(value)
            if query.holds(document):
                matching.append((tuple(sort_value(document, sort.attribute) for sort in query.order), key))
        keys = sorted_by(query.order, matching)[query.offset : query.offset + query.limit]
        found: dict[str, T] = {}
        for start in range(0, len(keys), AT_A_TIME):
            these = rows.where(self.key.in_(keys[start : start + AT_A_TIME]))
            found |= dict(self._read(connection, connection.execute(these).mappings().all()))
        return [found[key] for key in keys if key in found], len(matching)

    def _each(self, connection: Connection, rows: Select[Any]) -> Iterator[tuple[str, T]]:
        some = rows.order_by(*self.order).execution_options(yield_per=AT_A_TIME)
        for part in connection.execute(some).mappings().partitions():
            yield from self._read(connection, part)

    def _read(self, connection: Connection, rows: Sequence[RowMapping]) -> Iterator[tuple[str, T]]:
        return zip((row[self.key] for row in rows), self.read(connection, rows), strict=True)

    def _is_exact(self, condition: Condition) -> bool:
        return condition.operator in {"eq", "ne"} and ".".join(condition.attribute) in self.columns

    def _where(self, condition: Condition) -> Iterator[ColumnElement[bool]]:
        if not self._is_exact(condition):
            return
        column = self.columns[".".join(condition.attribute)]
        yield column.in_(condition.texts) if condition.operator == "eq" else column.not_in(condition.texts)
