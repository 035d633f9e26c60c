"""A database of an old version with a row in every table."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Connection, MetaData, insert, select

from api.migrations.schema import versions

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def fill(connection: Connection) -> None:
    """Write two rows into every table that stands in the database."""
    for table in _reflected(connection).sorted_tables:
        for number in (1, 2):
            connection.execute(insert(table).values({column.name: _value(column, number) for column in table.columns}))


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables."""
    found = {}
    for table in _reflected(connection).sorted_tables:
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        found[table.name] = [dict(row) for row in rows]
    return found


def lost(before: dict[str, list[dict[str, Any]]], after: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the tables whose rows did not all come through, as far as their columns still exist."""
    return [
        name
        for name, rows in before.items()
        if name in after and [_common(old, new) for old, new in zip(rows, after[name], strict=True)] != rows
    ]


def _common(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {name: new.get(name, value) for name, value in old.items()}


def _reflected(connection: Connection) -> MetaData:
    tables = MetaData()
    tables.reflect(connection, only=lambda name, _: name != versions.name and not name.startswith("procrastinate"))
    return tables


def _value(column: Column[Any], number: int) -> object:
    kind = column.type.python_type
    if kind is datetime:
        # SQLite gives back what it got without the zone.
        return AT.replace(tzinfo=None)
    values: dict[type, object] = {
        int: number,
        float: float(number),
        str: f"{column.name}-{number}",
        bool: False,
        object: {},
    }
    return values[kind]
