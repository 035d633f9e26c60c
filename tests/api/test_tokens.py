"""Tokens on both databases, and who acted in the history."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import tokens
from api.cli import app
from api.errors import NotAuthorized, StartRefused
from api.roles import Actor, Role
from api.runtime.database import Database
from api.runtime.history import moves_of
from api.settings import Settings
from api.storage import DATABASE_FILE, storage
from inventory.ledger import Move

pytestmark = pytest.mark.db


def _made(database: Database, name: str, role: Role) -> str:
    with database.begin() as uow:
        return tokens.create(uow, name=name, role=role)


@pytest.mark.parametrize("role", Role)
def test_a_token_tells_its_name_and_role(either: Database, role: Role) -> None:
    token = _made(either, "alice", role)
    with either.read() as connection:
        assert tokens.check(connection, f"Bearer {token}") == Actor(name="alice", role=role)


def test_a_revoked_token_is_worthless(either: Database) -> None:
    token = _made(either, "alice", Role.OPERATOR)
    with either.begin() as uow:
        tokens.revoke(uow, "alice")
    with either.read() as connection, pytest.raises(NotAuthorized):
        tokens.check(connection, f"Bearer {token}")


def test_only_a_hash_is_kept(either: Database) -> None:
    token = _made(either, "alice", Role.OPERATOR)
    with either.read() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM token").one()
    assert token not in stored
    assert token.removeprefix("lm_") not in str(stored)


@pytest.mark.parametrize("name", ["", "anonymous", "a b", "alice\n", "-x", "x" * 65])
def test_a_name_that_cannot_sign_is_refused(either: Database, name: str) -> None:
    with either.begin() as uow, pytest.raises(StartRefused, match="names nobody"):
        tokens.create(uow, name=name, role="admin")


def test_one_name_is_one_person(either: Database) -> None:
    _made(either, "alice", Role.OPERATOR)
    with either.begin() as uow, pytest.raises(StartRefused, match="exists already"):
        tokens.create(uow, name="alice", role="reviewer")


def test_revoking_nobody_lists_who_there_is(either: Database) -> None:
    _made(either, "alice", Role.OPERATOR)
    with either.begin() as uow, pytest.raises(StartRefused, match="known: alice"):
        tokens.revoke(uow, "bob")


def test_the_history_names_who_acted(either: Database) -> None:
    with either.begin(actor="alice") as uow:
        uow.record(Move(resource_kind="thing", resource_id="1", from_state="", to_state="a"))
    with either.begin() as uow:
        uow.record(Move(resource_kind="thing", resource_id="1", from_state="a", to_state="b"))
    with either.read() as connection:
        assert [move.actor for move in moves_of(connection, ["1"])] == ["alice", ""]


@pytest.fixture
def lastmile(tmp_path: Path) -> Callable[..., str]:
    """Run ``lastmile token …`` on a data folder and return what it printed."""
    with storage(Settings.read({}, data=tmp_path), routes={}):
        assert (tmp_path / DATABASE_FILE).exists()

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["token", *words, "--data", str(tmp_path)])
        assert result.exit_code == code, result.output
        return result.output

    return run


def test_create_list_and_revoke_on_the_command_line(lastmile: Callable[..., str]) -> None:
    token = lastmile("create", "bob", "--role", "reviewer").strip()
    assert token.startswith("lm_")
    listed = lastmile("list")
    assert "bob" in listed
    assert "reviewer" in listed
    assert token not in listed
    lastmile("revoke", "bob")
    assert lastmile("list").strip() == "none"


def test_a_role_that_does_not_exist_is_refused(lastmile: Callable[..., str]) -> None:
    assert "operator" in lastmile("create", "bob", "--role", "king", code=2)
