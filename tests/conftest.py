"""Fixtures every package's tests share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from api.runtime.database import Database
from api.runtime.database import open_database as open_at
from api.runtime.tables import metadata as runtime_tables
from inventory.tables import metadata as inventory_tables
from tests.postgres import PostgresServer, running_server

DATABASE_PLACES = (
    *(f"tests/api/{folder}/" for folder in ("backups", "fsck", "hub", "migrations", "runtime")),
    *(f"tests/api/test_{module}.py" for module in ("database_trouble", "processes")),
)
DATABASE_FIXTURES = frozenset({"database_url", "open_database", "rig"})
SHARED = Path(__file__).resolve().parents[2] / "shared"

# How long an example takes says more of the machine than of the code.
settings.register_profile("whole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take how many requests are made up for each operation of the official files, ``--examples``."""
    parser.addoption("--examples", type=int, default=4, help="requests per operation of the official files")


def pytest_configure() -> None:
    """Let tests say how wide a terminal is: the parallel runner hands its own width to its workers."""
    os.environ.pop("COLUMNS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what opens a database; what has no marker is a unit test."""
    for item in items:
        opens = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if opens or item.nodeid.startswith(DATABASE_PLACES):
            item.add_marker("db")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data, or skip."""
    if not SHARED.is_dir():
        pytest.skip("the reference data folder ../shared is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return one PostgreSQL server for all tests, or skip. It is quick, not durable: nobody may kill it."""
    with running_server(is_durable=False) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty database, one of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'either.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def either(database_url: str) -> Iterator[Database]:
    """Return a database with the runtime's and the inventory's tables, one of each kind in turn."""
    database = open_at(database_url, routes={})
    database.create_tables(runtime_tables, inventory_tables)
    yield database
    database.close()


@pytest.fixture
def open_database(tmp_path: Path) -> Iterator[Callable[..., Database]]:
    """Open SQLite databases with the runtime's and the inventory's tables: ``open_database(*schemas, routes={})``."""
    opened: list[Database] = []

    def open_one(*schemas: object, routes: dict[str, tuple[str, ...]] | None = None) -> Database:
        database = open_at(tmp_path / f"test-{len(opened)}.db", routes=routes or {})
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
