"""One statement for many rows, with next to no cost per row beside the database's own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Delete, Dialect, Insert, Update
from sqlalchemy.sql.compiler import SQLCompiler

Processors = tuple[tuple[str, Callable[[Any], Any]], ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as one database wants it.

    Attributes:
        names: the order of the parameters, where they have one.
        processors: what makes the driver's values of ours, by parameter.
    """

    text: str
    names: tuple[str, ...] | None
    processors: Processors

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Return the parameters of ``rows``: tuples or dicts, as the driver wants them."""
        if self.processors:
            rows = [{**values, **{name: process(values[name]) for name, process in self.processors}} for values in rows]
        if self.names is None:
            return list(rows)
        # One name alone is no tuple to itemgetter.
        if len(self.names) == 1:
            return [(values[self.names[0]],) for values in rows]
        return list(map(itemgetter(*self.names), rows))


class Bulk:
    """An INSERT of whole rows, or an UPDATE or DELETE with named parameters, for many rows at a time.

    SQLAlchemy works some twenty microseconds on each row's parameters; what it does there is done once here.
    """

    def __init__(self, statement: Insert | Update | Delete) -> None:
        self._statement = statement
        self._prepared: dict[str, _Prepared] = {}

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Execute for all ``rows``, one or more, and return how many rows of the database were concerned."""
        dialect = connection.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            prepared = self._prepared[dialect.name] = _prepare(self._statement, dialect, tuple(rows[0]))
        return connection.exec_driver_sql(prepared.text, prepared.rows(rows)).rowcount


def _prepare(statement: Insert | Update | Delete, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    keys = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=dialect, column_keys=keys, for_executemany=True)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError(f"{statement} is no statement for rows")
    order = tuple(compiled.positiontup) if compiled.positiontup is not None else None
    return _Prepared(str(compiled), order, tuple(_processors(compiled.binds, dialect)))


def _processors(binds: Mapping[str, BindParameter[Any]], dialect: Dialect) -> Processors:
    found = ((name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds.items())
    return tuple((name, process) for name, process in found if process is not None)
