"""Fixtures every package's tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.runtime.database import Database
from api.runtime.tables import metadata as runtime_tables
from inventory.tables import metadata as inventory_tables

DATABASE_FIXTURE = "open_database"
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a database; what has no marker is a unit test."""
    for item in items:
        if DATABASE_FIXTURE in getattr(item, "fixturenames", ()):
            item.add_marker("db")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data, or skip."""
    if not SHARED.is_dir():
        pytest.skip("the reference data folder ../shared is not beside this checkout")
    return SHARED


@pytest.fixture
def open_database(tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Open SQLite databases with the runtime's and the inventory's tables: ``open_database(*schemas, routes={})``."""
    opened: list[Database] = []

    def open_one(*schemas: object, routes: dict[str, tuple[str, ...]] | None = None) -> Database:
        database = Database(tmp_path / f"test-{len(opened)}.db", routes=routes or {})
        database.create_tables(runtime_tables, inventory_tables, *schemas)  # type: ignore[arg-type]  # MetaData each
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Callable[..., Database]) -> Database:
    """Return a database with the runtime's and the inventory's tables and no routes."""
    return open_database()
