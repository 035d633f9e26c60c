"""Migrations: the models and the migrated schema are equal, data survives the way up and down."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect

from api.migrations.models import all_tables, table_names
from api.migrations.run import downgrade, revisions, steps_left, upgrade
from api.migrations.schema import HEAD, REVISIONS, Fit, look, prepare, stamp
from tests.api.migrations.filled import contents, fill, lost

FIRST = REVISIONS[0]


def test_the_list_of_revisions_is_what_the_package_holds() -> None:
    assert revisions() == REVISIONS


def test_the_migrated_schema_is_what_the_models_say(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
    with engine.connect() as connection:
        differences = compare_metadata(_comparison(connection), all_tables())
    assert differences == [], "the models have moved: bring api/migrations/versions after them"


def test_the_schema_created_at_once_is_the_migrated_one(engine: Engine) -> None:
    with engine.begin() as connection:
        prepare(connection, option="")
        assert look(connection).revision == HEAD
        assert compare_metadata(_comparison(connection), all_tables()) == []


def test_data_survives_the_way_up_and_down_again(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, to=FIRST)
        fill(connection)
        before = contents(connection)
    with engine.begin() as connection:
        reached: list[str] = []
        assert steps_left(connection) == len(REVISIONS) - 1
        upgrade(connection, on_step=reached.append)
        assert reached == list(REVISIONS[1:])
        assert look(connection).fit is Fit.CURRENT
        assert lost(before, contents(connection)) == []
    with engine.begin() as connection:
        downgrade(connection, to=FIRST)
        assert contents(connection) == before


def test_rows_of_the_head_go_down_without_harm(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        fill(connection)
        before = contents(connection)
    with engine.begin() as connection:
        downgrade(connection, to=FIRST)
        assert lost(before, contents(connection)) == []


def test_down_to_nothing_leaves_nothing_of_ours(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        downgrade(connection, to="base")
    with engine.connect() as connection:
        assert not table_names() & set(inspect(connection).get_table_names())


def test_a_database_from_before_versions_were_kept_is_taken_for_the_first(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, to=FIRST)
        fill(connection)
        before = contents(connection)
        connection.exec_driver_sql("DROP TABLE alembic_version")
    with engine.begin() as connection:
        assert look(connection).revision == FIRST
        upgrade(connection)
        assert look(connection).fit is Fit.CURRENT
        assert lost(before, contents(connection)) == []


def test_a_migration_that_fails_leaves_the_database_as_it_was(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, to=FIRST)
        fill(connection)
        before = contents(connection)

    def fail(_: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), engine.begin() as connection:
        downgrade(connection, to="base", on_step=fail)
    with engine.connect() as connection:
        assert contents(connection) == before
        assert look(connection).revision == FIRST


def test_an_unknown_version_is_newer(engine: Engine) -> None:
    with engine.begin() as connection:
        prepare(connection, option="")
        stamp(connection, "9999")
        assert look(connection).fit is Fit.NEWER


def test_the_schema_created_at_once_has_the_same_columns_and_indexes(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection)
        shape = _shape(connection)
        downgrade(connection, to="base")
        prepare(connection, option="")
        assert _shape(connection) == shape


def _shape(connection: Connection) -> dict[str, tuple[list[str], list[str]]]:
    """Return columns and indexes of every table, Procrastinate's among them."""
    seen = inspect(connection)
    return {
        name: (
            sorted(f"{column['name']} {column['type']} {column['nullable']}" for column in seen.get_columns(name)),
            sorted(f"{index['name']} {index['column_names']} {index['unique']}" for index in seen.get_indexes(name)),
        )
        for name in seen.get_table_names()
    }


def _comparison(connection: Connection) -> MigrationContext:
    def is_ours(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not str(name).startswith("procrastinate")

    return MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
