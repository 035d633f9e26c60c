"""The stored catalog: every process sees a change with its next transaction, and reads the entries only then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.memo import Memo
from inventory.store import DocumentStore, Row
from orders.catalog import tables
from orders.catalog.model import Catalog
from orders.catalog.stored import StoredEntry, catalog_of

DOMAIN: Final = "catalog"
_TURN: Final = 0x6C6D_6361_7461
"""PostgreSQL's advisory lock: shared by units of work that read the catalog, held alone by a change."""
_REVISION: Final = select(tables.catalog_revisions.c.revision).where(tables.catalog_revisions.c.id == 1)
_SHARED: Final = select(func.pg_advisory_xact_lock_shared(_TURN))
_ALONE: Final = select(func.pg_advisory_xact_lock(_TURN))


def entry_stores() -> Mapping[str, DocumentStore]:
    """Return the store of each kind of entry."""
    found = {
        "productOffering": tables.product_offerings,
        "productSpecification": tables.product_specifications,
        "serviceSpecification": tables.service_specifications,
        "resourceSpecification": tables.resource_specifications,
    }
    return {kind: DocumentStore(table=table, kind=kind, domain=DOMAIN) for kind, table in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogStore:
    """The rows of the catalog; whoever changes them has them alone until the transaction ends."""

    stores: Mapping[str, DocumentStore] = field(default_factory=entry_stores)

    def alone(self, uow: UnitOfWork) -> None:
        """Wait until nobody else changes the catalog, and keep everybody from it until the transaction ends."""
        if uow.reader.dialect.name == "postgresql":
            uow.reader.execute(_ALONE)

    def entries(self, connection: Connection) -> tuple[StoredEntry, ...]:
        """Return every entry, those of one id from its first version on."""
        return tuple(_entry_of(row.task) for store in self.stores.values() for row in store.every(connection))

    def add(self, uow: UnitOfWork, entry: StoredEntry, document: Document) -> None:
        """Store a new version of an entry and tell it."""
        row = Row(id=entry.row_id, state=entry.status, correlation_id=entry.id, document=document, task=_task_of(entry))
        self.stores[entry.kind].insert(uow, row)
        self._raise_revision(uow)

    def replace(self, uow: UnitOfWork, entry: StoredEntry, document: Document) -> None:
        """Store the entry where that version of it stands, and tell it."""
        store = self.stores[entry.kind]
        before = store.get(uow, entry.row_id)
        after = Row(
            id=before.id,
            state=entry.status,
            correlation_id=before.correlation_id,
            document=document,
            task=_task_of(entry),
            version=before.version,
        )
        store.save(uow, before, after)
        self._raise_revision(uow)

    def remove(self, uow: UnitOfWork, entry: StoredEntry) -> None:
        """Delete that version of the entry and tell it."""
        store = self.stores[entry.kind]
        store.remove(uow, store.get(uow, entry.row_id))
        self._raise_revision(uow)

    def file_digests(self, connection: Connection) -> dict[tuple[str, str, str], str]:
        """Return what the files held when they were last taken in."""
        here = tables.catalog_file_entries.c
        found = connection.execute(select(here.kind, here.id, here.version, here.digest))
        return {(kind, key, version): digest for kind, key, version, digest in found}

    def note_files(self, uow: UnitOfWork, digests: Mapping[tuple[str, str, str], str]) -> None:
        """Note what the files hold."""
        connection = uow.connection
        connection.execute(delete(tables.catalog_file_entries))
        rows = [
            {"kind": kind, "id": key, "version": version, "digest": digest}
            for (kind, key, version), digest in digests.items()
        ]
        if rows:
            connection.execute(insert(tables.catalog_file_entries), rows)

    def revision(self, connection: Connection) -> int:
        """Return how often the catalog was changed."""
        return connection.execute(_REVISION).scalar() or 0

    def _raise_revision(self, uow: UnitOfWork) -> None:
        here = tables.catalog_revisions
        connection = uow.connection
        raised = connection.execute(update(here).where(here.c.id == 1).values(revision=here.c.revision + 1))
        if not raised.rowcount:
            connection.execute(insert(here).values(id=1, revision=1))


class StoredCatalog:
    """The stored catalog as the order layers read it (:class:`orders.catalog.contracts.CatalogSource`).

    A transaction asks how often it was changed; the entries are read when that is not what is known here.
    """

    def __init__(self, store: CatalogStore) -> None:
        """Stand on the rows of ``store``."""
        self.store = store
        self._known: tuple[int, Catalog] | None = None

    def current(self, uow: UnitOfWork) -> Catalog:
        """Return the catalog as it is in this transaction; nobody changes it before that ends."""

        def read() -> Catalog:
            if uow.reader.dialect.name == "postgresql":
                uow.reader.execute(_SHARED)
            return self.read(uow.reader, uow.now)

        return uow.sheet(Memo).once(("catalog", id(self)), read)

    def read(self, connection: Connection, now: datetime) -> Catalog:
        """Return the catalog as it is for a reader."""
        revision = self.store.revision(connection)
        known = self._known
        if known is None or known[0] != revision:
            known = (revision, catalog_of(self.store.entries(connection)))
            self._known = known
        return known[1].at(now)


def _task_of(entry: StoredEntry) -> Document:
    return {"section": entry.section, "entry": entry.entry, "extra": entry.extra}


def _entry_of(task: Mapping[str, Any]) -> StoredEntry:
    return StoredEntry(section=task["section"], entry=task["entry"], extra=task["extra"])
