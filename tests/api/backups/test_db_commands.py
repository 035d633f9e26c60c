"""``lastmile db``: upgrade, check, backup and restore, on both databases and with what people get wrong."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from api.backups.contracts import Vault
from api.backups.sqlite import SqliteVault
from api.backups.targets import vault_of
from api.cli import app
from api.data_folder import held
from api.errors import ApiError
from api.migrations.run import upgrade
from api.migrations.schema import HEAD, REVISIONS, prepare, stamp
from api.runtime.database import Database
from api.runtime.database import open_database as open_at
from api.storage import DATABASE_FILE
from inventory.ledger import Move
from tests.api.migrations.filled import contents, fill


@pytest.fixture
def vault(database_url: str, tmp_path: Path) -> Vault:
    return vault_of(tmp_path, database_url, file_name=DATABASE_FILE)


@pytest.fixture
def filled(database_url: str) -> Iterator[Database]:
    """Return a database at the head with rows in every table."""
    database = open_at(database_url, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
        fill(uow.connection)
    yield database
    database.close()


def _db(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["db", *arguments])


def _refusal(answer: Result) -> str:
    assert isinstance(answer.exception, ApiError), answer.output
    return str(answer.exception)


def _rows(vault: Vault) -> dict[str, Any]:
    with vault.read() as connection:
        return contents(connection)


def test_a_backup_comes_back_as_it_was(filled: Database, database_url: str, vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "a.backup"
    before = _rows(vault)
    assert _db("backup", str(file), "--database", database_url).exit_code == 0
    with filled.begin() as uow:
        uow.connection.execute(text("DELETE FROM history"))
    filled.close()
    assert "--force" in _refusal(_db("restore", str(file), "--database", database_url))
    assert _rows(vault) != before
    assert _db("restore", str(file), "--database", database_url, "--force").exit_code == 0
    assert _rows(vault) == before


def test_a_backup_of_an_old_version_comes_back_and_is_upgraded(database_url: str, vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "old.backup"
    open_at(database_url, routes={}).close()
    if isinstance(vault, SqliteVault):
        vault.path.touch()
    with vault.write() as connection:
        upgrade(connection, to=REVISIONS[0])
        fill(connection)
        before = contents(connection)
    assert _db("backup", str(file), "--database", database_url).exit_code == 0
    assert _db("upgrade", "--database", database_url).exit_code == 0
    restored = _db("restore", str(file), "--database", database_url, "--force")
    assert "lastmile db upgrade" in restored.stdout
    assert _rows(vault) == before
    assert f"to {HEAD}" in _db("upgrade", "--database", database_url).stdout
    assert "nothing to do" in _db("upgrade", "--database", database_url).stdout


def test_check_counts_the_rows(filled: Database, database_url: str) -> None:
    assert filled is not None
    answer = _db("check", "--database", database_url, "--json")
    report = json.loads(answer.stdout)
    assert (answer.exit_code, report["good"], report["version"]) == (0, True, HEAD)
    assert (report["rows"]["product_order"], report["rows"]["history"]) == (2, 2)
    assert "product_order" in _db("check", "--database", database_url).stdout


@pytest.mark.parametrize(("version", "fit"), [("0001", "older"), ("9999", "newer")])
def test_check_tells_an_old_and_a_new_schema(
    filled: Database, database_url: str, vault: Vault, version: str, fit: str
) -> None:
    assert filled is not None
    with vault.write() as connection:
        stamp(connection, version)
    answer = _db("check", "--database", database_url, "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["fit"]) == (1, fit)


def test_a_newer_schema_is_neither_upgraded_nor_restored(
    filled: Database, database_url: str, vault: Vault, tmp_path: Path
) -> None:
    filled.close()
    with vault.write() as connection:
        stamp(connection, "9999")
    assert "install the version that made it" in _refusal(_db("upgrade", "--database", database_url))
    file = tmp_path / "newer.backup"
    assert _db("backup", str(file), "--database", database_url).exit_code == 0
    assert "'9999'" in _refusal(_db("restore", str(file), "--database", database_url, "--force"))


def test_a_database_in_use_is_not_replaced(filled: Database, database_url: str, vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "a.backup"
    assert _db("backup", str(file), "--database", database_url).exit_code == 0
    if isinstance(vault, SqliteVault):
        filled.close()
        with held(vault.path.parent):
            refusal = _refusal(_db("restore", str(file), "--database", database_url, "--force"))
    else:
        with filled.read():
            refusal = _refusal(_db("restore", str(file), "--database", database_url, "--force"))
    assert "in use" in refusal


def test_files_that_are_no_backups_change_nothing(
    filled: Database, database_url: str, vault: Vault, tmp_path: Path
) -> None:
    filled.close()
    before = _rows(vault)
    nonsense = tmp_path / "nonsense"
    nonsense.write_bytes(b"no backup" * 1000)
    for file in (nonsense, tmp_path / "missing"):
        assert file.name in _refusal(_db("restore", str(file), "--database", database_url, "--force"))
    assert _rows(vault) == before


def test_a_cut_backup_changes_nothing(filled: Database, database_url: str, vault: Vault, tmp_path: Path) -> None:
    file = tmp_path / "cut.backup"
    assert _db("backup", str(file), "--database", database_url).exit_code == 0
    filled.close()
    before = _rows(vault)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    _refusal(_db("restore", str(file), "--database", database_url, "--force"))
    assert _rows(vault) == before


def test_a_backup_does_not_overwrite(filled: Database, database_url: str, tmp_path: Path) -> None:
    assert filled is not None
    file = tmp_path / "mine"
    file.write_text("precious")
    assert "there already" in _refusal(_db("backup", str(file), "--database", database_url))
    assert file.read_text() == "precious"


def test_a_backup_into_no_folder_says_so(filled: Database, database_url: str, tmp_path: Path) -> None:
    assert filled is not None
    assert "nowhere" in _refusal(_db("backup", str(tmp_path / "nowhere" / "file"), "--database", database_url))


def test_an_unknown_kind_of_database_is_named() -> None:
    assert "legal: postgresql://" in _refusal(_db("check", "--database", "mysql://somewhere/x"))


@pytest.mark.parametrize("command", ["upgrade", "check", "backup"])
def test_a_folder_without_a_database_is_told(command: str, tmp_path: Path) -> None:
    arguments = [str(tmp_path / "file")] if command == "backup" else []
    assert "lastmile serve --data" in _refusal(_db(command, *arguments, "--data", str(tmp_path / "none")))
    assert not (tmp_path / "file").exists()


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    refusal = _refusal(_db("upgrade", "--database", "postgresql://me:hidden-word@127.0.0.1:1/x"))
    assert "127.0.0.1" in refusal
    assert "hidden-word" not in refusal


@pytest.mark.parametrize("command", ["upgrade", "check", "backup", "restore"])
def test_each_command_has_help_with_an_example(command: str) -> None:
    assert f"lastmile db {command}" in _db(command, "--help").stdout


def test_without_the_programs_of_postgresql_the_way_out_is_told(
    monkeypatch: pytest.MonkeyPatch, postgres: Any, tmp_path: Path
) -> None:
    url = postgres.new_database()
    database = open_at(url, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
    database.close()
    monkeypatch.setenv("PATH", "/nowhere")
    refusal = _refusal(_db("backup", str(tmp_path / "file"), "--database", url))
    assert "postgresql-client" in refusal


def test_a_backup_is_whole_while_the_platform_writes(tmp_path: Path) -> None:
    database = open_at(tmp_path / DATABASE_FILE, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not stop.is_set():
            with database.begin() as uow:
                for _ in range(20):
                    key = str(len(written))
                    uow.record(Move(resource_kind="thing", resource_id=key, from_state="", to_state="x" * 2000))
                    written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            assert _db("backup", str(tmp_path / f"{number}"), "--data", str(tmp_path)).exit_code == 0
    finally:
        stop.set()
        writer.join()
        database.close()
    for number in range(5):
        with closing(sqlite3.connect(tmp_path / f"{number}")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = connection.execute("SELECT count(*) FROM history").fetchone()[0]
            assert rows % 20 == 0


def test_a_damaged_file_is_found_and_replaced_by_its_backup(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    database = open_at(data / DATABASE_FILE, routes={})
    with database.begin() as uow:
        prepare(uow.connection, option="")
        fill(uow.connection)
        before = contents(uow.connection)
    database.close()
    file = tmp_path / "a.backup"
    assert _db("backup", str(file), "--data", str(data)).exit_code == 0
    whole = (data / DATABASE_FILE).read_bytes()
    (data / DATABASE_FILE).write_bytes(whole[:4096] + b"\xff" * 40000 + whole[44096:])
    answer = _db("check", "--data", str(data))
    assert (answer.exit_code, "damaged" in answer.stdout) == (1, True)
    assert _db("restore", str(file), "--data", str(data), "--force").exit_code == 0
    assert _rows(SqliteVault(path=data / DATABASE_FILE)) == before
    assert len(list(data.glob(f"{DATABASE_FILE}.2*"))) == 1
