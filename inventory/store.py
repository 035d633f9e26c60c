"""Stored TMF resources: conditional updates, each with its history row and its event in the same transaction."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sqlalchemy import Connection, Select, Table, bindparam, select

from inventory.documents import json_text, urgency
from inventory.errors import UnknownResource
from inventory.ledger import Event, Move, UnitOfWork
from inventory.paging import Page, PagedTable
from inventory.query import Query
from inventory.rows import DocumentRows, Row, row_of

__all__ = ["DocumentStore", "Page", "Query", "Row", "dump"]

Source = UnitOfWork | Connection
"""Where to read: in a unit of work, seeing what it collected, or on a connection, seeing what is stored."""


dump = json_text
"""The stored form of documents and tasks."""


@lru_cache
def _text_by_id(table: Table) -> Select[tuple[str, int]]:
    # Built once: to build it takes longer than to look up the row.
    return select(table.c.document, table.c.version).where(table.c.id == bindparam("key"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStore:
    """The rows of one kind of TMF resource.

    Attributes:
        kind: lowerCamel TMF name, e.g. ``"serviceOrder"``; event types are built from it.
        domain: the layer that owns it, see :class:`inventory.ledger.Event`.
        created: the attribute that says when it was created, where there is one.
    """

    table: Table
    kind: str
    domain: str
    created: str = ""

    def insert(self, uow: UnitOfWork, row: Row) -> None:
        """Store a new resource and publish its ``…CreateEvent``."""
        uow.sheet(DocumentRows).insert(self.table, row)
        uow.record(Move(resource_kind=self.kind, resource_id=row.id, from_state="", to_state=row.state))
        self._publish(uow, row, "CreateEvent")

    def save(self, uow: UnitOfWork, before: Row, after: Row, *, reason: str = "") -> Row:
        """Store ``after`` where ``before`` still stands; publish what changed; return the stored row.

        Raises:
            StaleState: the row moved meanwhile; nothing was written.
        """
        after = replace(after, version=before.version + 1)
        uow.sheet(DocumentRows).save(self.table, self.kind, before, after)
        if after.state != before.state:
            move = Move(
                resource_kind=self.kind,
                resource_id=after.id,
                from_state=before.state,
                to_state=after.state,
                reason=reason,
            )
            uow.record(move)
            self._publish(uow, after, "StateChangeEvent")
        elif after.document != before.document:
            self._publish(uow, after, "AttributeValueChangeEvent")
        return after

    def remove(self, uow: UnitOfWork, row: Row) -> None:
        """Delete a resource and publish its ``…DeleteEvent``; the history and the events keep it."""
        uow.sheet(DocumentRows).remove(self.table, row.id)
        uow.record(Move(resource_kind=self.kind, resource_id=row.id, from_state=row.state, to_state=""))
        self._publish(uow, row, "DeleteEvent")

    def prefetch(self, uow: UnitOfWork, keys: Iterable[str], known: Iterable[Row] = ()) -> None:
        """Read these resources into the unit of work with one statement; ``known`` may still be as they were."""
        uow.sheet(DocumentRows).prefetch(self.table, keys, known)

    def find(self, source: Source, key: str) -> Row | None:
        """Return the resource with this id, or None."""
        if isinstance(source, Connection):
            return self._one(source, "id", key)
        return source.sheet(DocumentRows).find(self.table, key)

    def get(self, source: Source, key: str) -> Row:
        """Return the resource with this id.

        Raises:
            UnknownResource: nothing has this id.
        """
        row = self.find(source, key)
        if row is None:
            raise UnknownResource(self.kind, key)
        return row

    def many(self, connection: Connection, keys: Collection[str], *, states: Collection[str] = ()) -> Mapping[str, Row]:
        """Return those of the resources that exist, by id, read with one statement; those in ``states`` if given."""
        wanted = select(self.table).where(self.table.c.id.in_(keys))
        if states:
            wanted = wanted.where(self.table.c.state.in_(states))
        return {each.id: row_of(each) for each in connection.execute(wanted)}

    def every(self, connection: Connection) -> tuple[Row, ...]:
        """Return every resource, by id."""
        return tuple(row_of(each) for each in connection.execute(select(self.table).order_by(self.table.c.id)))

    def by_external_id(self, source: Source, external_id: str) -> Row | None:
        """Return the resource its client calls ``external_id``, or None."""
        if isinstance(source, Connection):
            return self._one(source, "external_id", external_id)
        return source.sheet(DocumentRows).by_external_id(self.table, external_id)

    def by_correlation_id(self, connection: Connection, correlation_id: str) -> tuple[Row, ...]:
        """Return every resource of one chain, oldest first."""
        here = self.table.c
        found = connection.execute(
            select(self.table).where(here.correlation_id == correlation_id).order_by(here.created_at, here.id)
        )
        return tuple(row_of(each) for each in found)

    def page(self, connection: Connection, query: Query) -> Page:
        """Return one page of stored texts and the exact total."""
        return PagedTable(table=self.table, created=self.created).page(connection, query)

    def found(self, connection: Connection, key: str) -> tuple[str, int]:
        """Return the document with this id as stored JSON text, and how often it was stored.

        Raises:
            UnknownResource: nothing has this id.
        """
        found = connection.execute(_text_by_id(self.table), {"key": key}).first()
        if found is None:
            raise UnknownResource(self.kind, key)
        return found.document, found.version

    def _one(self, connection: Connection, column: str, value: str) -> Row | None:
        found = connection.execute(select(self.table).where(self.table.c[column] == value)).first()
        return row_of(found) if found is not None else None

    def _publish(self, uow: UnitOfWork, row: Row, suffix: str) -> None:
        event = Event(
            event_type=self.kind[0].upper() + self.kind[1:] + suffix,
            domain=self.domain,
            resource_kind=self.kind,
            resource_id=row.id,
            correlation_id=row.correlation_id,
            document=row.document,
            priority=urgency(row.document),
        )
        uow.publish(event)
