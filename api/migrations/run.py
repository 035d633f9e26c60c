"""Runs migrations: Alembic as a library, on the caller's connection and in his transaction."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from api.migrations.schema import BEFORE_VERSIONS, HEAD, REVISIONS, Fit, SchemaMismatch, alone, look, stamp

_FOLDER: Final = Path(__file__).parent

OnStep = Callable[[str], None]
"""Called with each revision that was reached."""


def _silent(_: str) -> None:
    pass


def upgrade(connection: Connection, *, to: str = HEAD, option: str = "", on_step: OnStep = _silent) -> None:
    """Bring the database up to ``to``; a database made before versions were kept is taken for the first one.

    Raises:
        SchemaMismatch: the database is newer than this code.
    """
    alone(connection)
    found = look(connection)
    if found.fit is Fit.NEWER:
        raise SchemaMismatch(found, option)
    if found.revision == BEFORE_VERSIONS:
        stamp(connection, BEFORE_VERSIONS)
    command.upgrade(_config(connection, on_step), to)


def downgrade(connection: Connection, *, to: str, on_step: OnStep = _silent) -> None:
    """Bring the database down to ``to``; ``"base"`` drops everything."""
    alone(connection)
    command.downgrade(_config(connection, on_step), to)


def steps_left(connection: Connection) -> int:
    """Return how many revisions lie between the database and the head."""
    found = look(connection)
    return len(REVISIONS) if found.revision is None else len(REVISIONS) - 1 - REVISIONS.index(found.revision)


def revisions() -> tuple[str, ...]:
    """Return every revision that the package holds, oldest first."""
    scripts = ScriptDirectory.from_config(_config(None, _silent))
    return tuple(script.revision for script in reversed(list(scripts.walk_revisions())))


def _config(connection: Connection | None, on_step: OnStep) -> Config:
    def reached(*, step: Any, **_: object) -> None:  # noqa: ANN401 - Alembic's MigrationInfo, by keyword
        on_step(step.up_revision_id)

    config = Config(attributes={"connection": connection, "on_version_apply": reached})
    # Alembic reads "%" as the start of an interpolation.
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
