"""The stored resources that one unit of work reads and writes: kept together, written with a statement per table.

Reads see what was written before them in the same unit. A row that was read stays as it is until the unit ends (its
database row is locked where the database knows row locks), so that a lost race is found when it is lost.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row as TableRow
from sqlalchemy import Select, Table, bindparam, delete, insert, select
from sqlalchemy import update as update_of

from inventory.beside import Beside, Change, note
from inventory.bulk import Bulk
from inventory.documents import Document
from inventory.entries import Entries
from inventory.errors import StaleState
from inventory.ledger import Open

PREFETCH: Final = 500
"""Ids that go into one SELECT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One stored resource.

    Attributes:
        document: the TMF body as it goes out.
        task: private working data of the layer that owns the resource; never goes out.
        version: counts updates; an update expects the version it read.
    """

    id: str
    state: str
    correlation_id: str
    document: Document
    external_id: str | None = None
    task: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is known of one id.

    Attributes:
        stored: state and version of the database's row; None where there is none.
        row: the resource as it stands now; None where there is none.
        document: what the database's row has.
        is_replaced: another resource of the same id took its place: the database's row goes, and a new one comes.
    """

    stored: tuple[str, int] | None
    row: Row | None
    document: Document | None
    is_replaced: bool = False

    @property
    def is_written(self) -> bool:
        """Whether the database has exactly this."""
        return not self.is_replaced and self.stored == (
            (self.row.state, self.row.version) if self.row is not None else None
        )


_Key = tuple[Table, str]


class DocumentRows:
    """A :class:`inventory.ledger.Sheet` of document rows."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._entries: Entries[_Key, _Entry] = Entries()
        self._names: dict[tuple[Table, str], str] = {}
        self.mark, self.undo = self._entries.mark, self._entries.undo

    def find(self, table: Table, key: str) -> Row | None:
        """Return the resource as it stands in this unit, or None."""
        entry = self._entries.get((table, key))
        if entry is None:
            entry = self._take_in(table, key, self._unit.reader.execute(_statements(table).by_id, {"key": key}).first())
        return entry.row

    def by_external_id(self, table: Table, external_id: str) -> Row | None:
        """Return the resource its client calls ``external_id``, or None."""
        key = self._names.get((table, external_id))
        if key is not None and (row := self.find(table, key)) is not None:
            return row
        found = self._unit.reader.execute(_statements(table).by_external_id, {"key": external_id}).first()
        if found is None:
            return None
        known = self._entries.get((table, found.id))
        return (known or self._take_in(table, found.id, found)).row

    def prefetch(self, table: Table, keys: Iterable[str], known: Iterable[Row] = ()) -> None:
        """Read these resources with one statement, those that are not known yet.

        ``known`` were read before; of those that are still the same no document is read again.
        """
        before = {row.id: row for row in known}
        wanted = sorted({key for key in keys if self._entries.get((table, key)) is None})
        old = [key for key in wanted if key in before]
        for found in self._found(_statements(table).versions, old):
            row = before[found.id]
            if (row.state, row.version) == (found.state, found.version):
                self._entries.put((table, row.id), _written(row))
        rest = [key for key in wanted if self._entries.get((table, key)) is None]
        rows = {each.id: each for each in self._found(_statements(table).by_ids, rest)}
        for key in rest:
            self._take_in(table, key, rows.get(key))

    def _found(self, statement: Select[Any], keys: Sequence[str]) -> Iterator[TableRow[Any]]:
        for start in range(0, len(keys), PREFETCH):
            yield from self._unit.reader.execute(statement, {"keys": keys[start : start + PREFETCH]})

    def insert(self, table: Table, row: Row) -> None:
        """Note a new resource."""
        known = self._entries.get((table, row.id))
        if known is not None and known.row is None and known.stored is not None:
            entry = _Entry(known.stored, row, known.document, is_replaced=True)
        else:
            entry = _Entry(None, row, None)
        self._entries.put((table, row.id), entry)
        if row.external_id is not None:
            self._names[table, row.external_id] = row.id

    def save(self, table: Table, kind: str, before: Row, after: Row) -> None:
        """Note ``after`` where ``before`` still stands.

        Raises:
            StaleState: the row moved meanwhile; nothing was noted.
        """
        current = self.find(table, before.id)
        if current is None or (current.state, current.version) != (before.state, before.version):
            raise StaleState(kind, before.id, before.state)
        self._become(table, before.id, after)

    def remove(self, table: Table, key: str) -> None:
        """Note that the resource goes."""
        if self.find(table, key) is not None:
            self._become(table, key, None)

    def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            StaleState: a row moved although it was locked; nothing of the unit may be committed.
        """
        changed: dict[Table, list[_Entry]] = defaultdict(list)
        gone: dict[Table, list[tuple[str, _Entry]]] = defaultdict(list)
        moved: dict[Table, list[Change]] = defaultdict(list)
        for (table, key), entry in self._entries.unwritten():
            moved[table].append(_change(key, entry))
            if entry.row is None or entry.is_replaced:
                gone[table].append((key, entry))
            if entry.row is not None:
                changed[table].append(entry)
            self._entries.put((table, key), _written(entry.row))
        for table, keys in gone.items():
            self._execute(table, _statements(table).delete, [_expected(key, entry) for key, entry in keys])
        for table, entries in changed.items():
            self._write(table, entries)
        for table, changes in moved.items():
            if (beside := Beside.of(table)) is not None:
                note(self._unit.reader, beside, changes)

    def _write(self, table: Table, entries: Iterable[_Entry]) -> None:
        new, moved = [], []
        for entry in entries:
            assert entry.row is not None  # noqa: S101 - narrows the type; removed rows go elsewhere
            columns = _columns(entry.row, self._unit)
            if entry.stored is None or entry.is_replaced:
                new.append(columns | {"id": entry.row.id, "created_at": self._unit.now})
            else:
                moved.append(columns | _expected(entry.row.id, entry))
        if new:
            _statements(table).insert.execute(self._unit.reader, new)
        self._execute(table, _statements(table).update, moved)

    def _execute(self, table: Table, statement: Bulk, values: list[dict[str, Any]]) -> None:
        if values and statement.execute(self._unit.reader, values) != len(values):
            one = values[0]
            raise StaleState(table.name, one["_id"], one["_state"])

    def _become(self, table: Table, key: str, row: Row | None) -> None:
        entry = self._entries.get((table, key))
        if entry is not None:
            is_replaced = entry.is_replaced and row is not None
            self._entries.put((table, key), _Entry(entry.stored, row, entry.document, is_replaced=is_replaced))

    def _take_in(self, table: Table, key: str, found: TableRow[Any] | None) -> _Entry:
        entry = _written(row_of(found) if found is not None else None)
        self._entries.put((table, key), entry)
        return entry


def _written(row: Row | None) -> _Entry:
    return _Entry((row.state, row.version), row, row.document) if row is not None else _Entry(None, None, None)


def _change(key: str, entry: _Entry) -> Change:
    state_before = entry.stored[0] if entry.stored is not None else None
    row = entry.row
    return Change(
        key, state_before, entry.document, str(row.state) if row else None, row.document if row is not None else None
    )


def row_of(found: TableRow[Any]) -> Row:
    """Return the resource that a table row holds."""
    return Row(
        id=found.id,
        state=found.state,
        external_id=found.external_id,
        correlation_id=found.correlation_id,
        document=json.loads(found.document),
        task=json.loads(found.task),
        version=found.version,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statements:
    """The statements of one table, built once: SQLAlchemy then compiles them once."""

    by_id: Select[Any]
    by_ids: Select[Any]
    versions: Select[Any]
    by_external_id: Select[Any]
    insert: Bulk
    update: Bulk
    delete: Bulk


@lru_cache
def _statements(table: Table) -> _Statements:
    here = table.c
    expected = (
        here.id == bindparam("_id"),
        here.state == bindparam("_state"),
        here.version == bindparam("_version"),
    )
    wanted = select(
        here.id, here.state, here.external_id, here.correlation_id, here.document, here.task, here.version
    ).with_for_update()
    seen = select(here.id, here.state, here.version).with_for_update()
    changed = [column.name for column in here if column.name not in {"id", "created_at"}]
    return _Statements(
        by_id=wanted.where(here.id == bindparam("key")),
        by_ids=wanted.where(here.id.in_(bindparam("keys", expanding=True))).order_by(here.id),
        versions=seen.where(here.id.in_(bindparam("keys", expanding=True))).order_by(here.id),
        by_external_id=wanted.where(here.external_id == bindparam("key")),
        insert=Bulk(insert(table)),
        update=Bulk(update_of(table).where(*expected).values({name: bindparam(name) for name in changed})),
        delete=Bulk(delete(table).where(*expected)),
    )


def _expected(key: str, entry: _Entry) -> dict[str, Any]:
    state, version = entry.stored or ("", 0)
    return {"_id": key, "_state": state, "_version": version}


def _columns(row: Row, unit: Open) -> dict[str, Any]:
    return {
        "state": str(row.state),
        "external_id": row.external_id,
        "correlation_id": row.correlation_id,
        "document": unit.text(row.document),
        "task": unit.text(row.task),
        "version": row.version,
        "updated_at": unit.now,
    }
