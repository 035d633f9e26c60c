"""One catalog, several processes: every one sees a change with its next transaction, and reads entries only then."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from api.migrations.models import create_all
from api.runtime.database import Database
from api.runtime.database import open_database as open_at
from api.wiring import CATALOG, TEMPLATES
from api.wiring_catalog import catalog_editor, take_in_catalog
from orders.catalog.editing import CatalogEditor
from orders.catalog.load import load_catalog
from orders.catalog.store import StoredCatalog
from orders.errors import CatalogConflict

NEW = {
    "id": "fibre-2000",
    "name": "Fibre 2000",
    "lifecycleStatus": "Active",
    "lastmile": {"productSpecification": "broadband", "fixes": {"downstreamMbps": 2000, "upstreamMbps": 1000}},
}


class Process:
    """What one process knows of the catalog."""

    def __init__(self, url: str) -> None:
        self.database: Database = open_at(url, routes={})
        with self.database.backend.write() as connection:
            create_all(connection)
        self.editor: CatalogEditor = catalog_editor(TEMPLATES)
        self.source = StoredCatalog(self.editor.store)

    def start(self, *, is_reader: bool = False) -> None:
        take_in_catalog(self.database, self.editor, load_catalog(CATALOG), is_reader=is_reader)

    def offerings(self) -> set[str]:
        with self.database.begin() as uow:
            return set(self.source.current(uow).offerings)


@contextmanager
def process(url: str) -> Iterator[Process]:
    running = Process(url)
    try:
        yield running
    finally:
        running.database.close()


def test_a_change_by_one_is_seen_by_the_other_at_once(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        one.start()
        other.start(is_reader=True)
        shipped = other.offerings()
        with one.database.begin(actor="ada") as uow:
            one.editor.create(uow, "productOffering", NEW)
        assert other.offerings() == shipped | {"fibre-2000"}
        with other.database.begin() as uow:
            other.editor.remove(uow, "productOffering", "fibre-2000")
        assert one.offerings() == shipped


def create_and_break(one: Process) -> None:
    with one.database.begin() as uow:
        one.editor.create(uow, "productOffering", NEW)
        one.editor.remove(uow, "productSpecification", "broadband")


def test_a_refused_change_leaves_no_trace(database_url: str) -> None:
    with process(database_url) as one:
        one.start()
        shipped = one.offerings()
        with pytest.raises(CatalogConflict):
            create_and_break(one)
        assert one.offerings() == shipped


def test_an_order_asks_one_number_while_nothing_changed(database_url: str) -> None:
    with process(database_url) as one:
        one.start()
        one.offerings()
        statements: list[str] = []
        with one.database.begin() as uow:
            event.listen(
                uow.reader.engine, "before_cursor_execute", lambda *given: statements.append(str(given[2])), named=False
            )
            for _ in range(3):
                one.source.current(uow)
        assert sum("catalog_revision" in each for each in statements) == 1
        assert not any("product_offering" in each for each in statements)


def test_a_start_with_the_same_files_writes_nothing(database_url: str) -> None:
    with process(database_url) as one, process(database_url) as other:
        one.start()
        with one.database.read() as connection:
            revision = one.editor.store.revision(connection)
        other.start()
        with one.database.read() as connection:
            assert one.editor.store.revision(connection) == revision
