"""A start on a schema that is not this code's is refused, with the command that mends it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from api.backups.targets import vault_of
from api.cli import app
from api.migrations.run import downgrade
from api.migrations.schema import HEAD, REVISIONS, SchemaMismatch, look, prepare, stamp
from api.runtime.database import open_database as open_at
from api.settings import Settings
from api.storage import DATABASE_FILE, storage


def _settings(folder: Path, url: str) -> Settings:
    given = {"database": url} if url.startswith("postgresql") else {}
    return Settings.read({}, data=folder, lab="none", **given)


def _prepared(folder: Path, url: str, spoil: Callable[[Connection], None]) -> Settings:
    settings = _settings(folder, url)
    with storage(settings, routes={}):
        pass
    with vault_of(folder, _url(settings), file_name=DATABASE_FILE).write() as connection:
        spoil(connection)
    return settings


def _url(settings: Settings) -> str | None:
    return settings.database.get_secret_value() if settings.database is not None else None


def test_an_older_schema_is_refused_until_it_is_upgraded(database_url: str, tmp_path: Path) -> None:
    settings = _prepared(tmp_path, database_url, lambda connection: downgrade(connection, to=REVISIONS[0]))
    with (
        pytest.raises(SchemaMismatch, match=r"version '0001'.*run 'lastmile db upgrade --"),
        storage(settings, routes={}),
    ):
        pass
    options = ["--data", str(tmp_path)] if _url(settings) is None else ["--database", database_url]
    assert CliRunner().invoke(app, ["db", "upgrade", *options]).exit_code == 0
    with storage(settings, routes={}) as database, database.read() as connection:
        assert look(connection).revision == HEAD


def test_a_newer_schema_is_refused(database_url: str, tmp_path: Path) -> None:
    settings = _prepared(tmp_path, database_url, lambda connection: stamp(connection, "9999"))
    with pytest.raises(SchemaMismatch, match=r"'9999'.*install the version.*lastmile db restore"):  # noqa: SIM117
        with storage(settings, routes={}):
            pass


def test_a_refused_start_changes_nothing(database_url: str, tmp_path: Path) -> None:
    settings = _prepared(tmp_path, database_url, lambda connection: stamp(connection, "9999"))
    with pytest.raises(SchemaMismatch), storage(settings, routes={}):
        pass
    with vault_of(tmp_path, _url(settings), file_name=DATABASE_FILE).read() as connection:
        assert look(connection).revision == "9999"


def test_processes_that_start_at_once_on_an_empty_database_make_one_schema(database_url: str) -> None:
    databases = [open_at(database_url, routes={}) for _ in range(4)]

    def start(number: int) -> str | None:
        with databases[number].begin() as uow:
            return prepare(uow.connection, option="").revision

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [HEAD] * 4
    for database in databases:
        database.close()
