"""The database that the settings name: SQLite in a held data folder, or PostgreSQL."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.data_folder import held
from api.errors import StartRefused
from api.migrations.schema import prepare, require_current
from api.runtime.database import Database, open_database
from api.runtime.ledger import FanOut, nobody
from api.runtime.presence import take_over
from api.runtime.request_keys import forget_old
from api.settings import Settings

DATABASE_FILE: Final = "lastmile.db"


def option_of(settings: Settings) -> str:
    """Return how the database is named on the command line, for messages; passwords are not for messages."""
    return f"--data {settings.data}" if settings.database is None else "--database URL"


@contextmanager
def storage(settings: Settings, *, routes: Mapping[str, Sequence[str]], fan_out: FanOut = nobody) -> Iterator[Database]:
    """Open the database for a process that works on it; an empty one gets its tables.

    Raises:
        StartRefused: another process holds the data folder, or the schema is not this code's.
        DatabaseAway: the PostgreSQL server cannot be reached.
    """
    if settings.database is not None:
        with _opened(settings, settings.database.get_secret_value(), routes, fan_out) as database:
            yield database
        return
    with held(settings.data) as folder, _opened(settings, folder / DATABASE_FILE, routes, fan_out) as database:
        # Nobody else can hold the folder: whoever was running jobs in it is dead.
        take_over(database)
        yield database


@contextmanager
def existing_storage(settings: Settings) -> Iterator[Database]:
    """Open the database for one command, beside the processes that work on it.

    Raises:
        StartRefused: there is none, or its schema is not this code's.
        DatabaseAway: the PostgreSQL server cannot be reached.
    """
    target = settings.database.get_secret_value() if settings.database is not None else settings.data / DATABASE_FILE
    if not isinstance(target, str) and not target.exists():
        raise StartRefused(
            f"{settings.data} holds no lastmile database; 'lastmile serve --data {settings.data}' makes one"
        )
    database = open_database(target, routes={})
    try:
        with database.read() as connection:
            require_current(connection, option=option_of(settings))
        yield database
    finally:
        database.close()


@contextmanager
def _opened(
    settings: Settings, target: str | Path, routes: Mapping[str, Sequence[str]], fan_out: FanOut
) -> Iterator[Database]:
    database = open_database(target, routes=routes, fan_out=fan_out)
    try:
        with database.begin() as unit:
            prepare(unit.connection, option=option_of(settings))
            forget_old(unit.connection, unit.now)
        yield database
    finally:
        database.close()
