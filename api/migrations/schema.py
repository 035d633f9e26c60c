"""Which version of the schema stands in a database, and what may be done with it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, inspect, select, text

from api.errors import StartRefused
from api.migrations.models import create_all, table_names

REVISIONS: Final = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
    "0015",
    "0016",
    "0017",
    "0018",
    "0019",
)
"""Every revision in order; the last one is what this code works on."""
HEAD: Final = REVISIONS[-1]
BEFORE_VERSIONS: Final = REVISIONS[0]
"""What a database holds that has our tables and no version: it was made before versions were kept."""

# Alembic's own table, written here too: a new database is created at the head at once, without Alembic.
versions: Final = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))

_ONE_AT_A_TIME: Final = 0x6C61_7374_6D69_6C65  # "lastmile": the key of PostgreSQL's advisory lock


class Fit(StrEnum):
    """How a database's schema fits this code."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaVersion:
    """What stands in a database; ``revision`` is None where nothing of ours does."""

    revision: str | None
    fit: Fit


class SchemaMismatch(StartRefused):
    """The database's schema is not this code's; the message names the command that mends it."""

    def __init__(self, found: SchemaVersion, option: str) -> None:
        self.found = found
        if found.fit is Fit.NEWER:
            message = (
                f"the database has schema version {found.revision!r}, which this lastmile does not know "
                f"(it knows up to {HEAD!r}): install the version that made it, "
                f"or put a backup back with 'lastmile db restore FILE {option} --force'"
            )
        else:
            message = (
                f"the database has schema version {found.revision!r}, this lastmile needs {HEAD!r}: "
                f"run 'lastmile db upgrade {option}'"
            )
        super().__init__(message)


def look(connection: Connection) -> SchemaVersion:
    """Return which version stands in the database."""
    names = set(inspect(connection).get_table_names())
    revision = _revision(connection) if versions.name in names else None
    if revision is None:
        revision = BEFORE_VERSIONS if names & table_names() else None
    return SchemaVersion(revision=revision, fit=_fit(revision))


def prepare(connection: Connection, *, option: str) -> SchemaVersion:
    """Create the tables at the head where the database is empty; return what stands in it now.

    Args:
        connection: in a write transaction.
        option: how the database is named on the command line, for messages: ``"--data ./lastmile-data"``.

    Raises:
        SchemaMismatch: it is older or newer than this code; says which command mends it.
    """
    alone(connection)
    found = look(connection)
    if found.fit in {Fit.OLDER, Fit.NEWER}:
        raise SchemaMismatch(found, option)
    if found.fit is Fit.EMPTY:
        create_all(connection)
        stamp(connection, HEAD)
    return SchemaVersion(revision=HEAD, fit=Fit.CURRENT)


def require_current(connection: Connection, *, option: str) -> None:
    """Do nothing where the schema is this code's.

    Raises:
        SchemaMismatch: it is older or newer.
        StartRefused: nothing of ours stands in the database.
    """
    found = look(connection)
    if found.fit is Fit.EMPTY:
        raise StartRefused(f"the database holds nothing of lastmile's yet; 'lastmile serve {option}' fills it")
    if found.fit is not Fit.CURRENT:
        raise SchemaMismatch(found, option)


def alone(connection: Connection) -> None:
    """Keep other processes from changing the schema until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


def stamp(connection: Connection, revision: str) -> None:
    """Write that ``revision`` stands in the database."""
    versions.create(connection, checkfirst=True)
    connection.execute(delete(versions))
    connection.execute(insert(versions).values(version_num=revision))


def _revision(connection: Connection) -> str | None:
    revision: str | None = connection.execute(select(versions.c.version_num)).scalar_one_or_none()
    return revision


def _fit(revision: str | None) -> Fit:
    if revision is None:
        return Fit.EMPTY
    if revision == HEAD:
        return Fit.CURRENT
    return Fit.OLDER if revision in REVISIONS else Fit.NEWER
