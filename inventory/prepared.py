"""Statements whose text is made once: most of what a small read costs is making its text anew."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select


class PreparedSelect:
    """A SELECT of columns that the driver returns as they are (text and numbers), with plain parameters."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Row[Any] | None:
        """Return the first row, or None."""
        text, order = self._texts.get(connection.dialect.name) or self._prepare(connection)
        given = tuple(values[name] for name in order) if order is not None else dict(values)
        return connection.exec_driver_sql(text, given).first()

    def _prepare(self, connection: Connection) -> tuple[str, tuple[str, ...] | None]:
        compiled = self._statement.compile(dialect=connection.dialect)
        positions = getattr(compiled, "positiontup", None)
        prepared = (str(compiled), tuple(positions) if positions is not None else None)
        self._texts[connection.dialect.name] = prepared
        return prepared
