"""The SQLite database as a whole: SQLite's online backup, a restore that happens at one moment."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError

from api.backups.contracts import OnProgress, Restored
from api.data_folder import held
from api.errors import MaintenanceRefused
from api.migrations.schema import Fit, SchemaVersion, look

_PAGES_PER_STEP: Final = 512
_SHOWN: Final = 20
_BUSY_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteVault:
    """A data folder's database file as :class:`api.backups.contracts.Vault`."""

    path: Path

    @property
    def option(self) -> str:
        """How it is named on the command line."""
        return f"--data {self.path.parent}"

    @property
    def target(self) -> str | Path:
        """Where :func:`api.runtime.database.open_database` finds it."""
        return self.path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the data folder."""
        with held(self.path.parent):
            yield

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        self._must_exist()
        with _opened(self.path, "BEGIN DEFERRED") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction."""
        self._must_exist()
        with _opened(self.path, "BEGIN IMMEDIATE") as connection:
            yield connection

    def problems(self) -> Sequence[str]:
        """Return what ``PRAGMA integrity_check`` finds."""
        self._must_exist()
        return _problems(self.path)

    def backup(self, file: Path, *, on_progress: OnProgress) -> None:
        """Write the database into ``file``."""
        self._must_exist()
        if file.exists():
            raise MaintenanceRefused(f"{file} is there already; choose another name, or remove it first")
        _copy(self.path, file, on_progress)

    def restore(self, file: Path, *, force: bool, on_progress: OnProgress) -> Restored:
        """Put ``file`` in the database's place; what stood there is kept beside it."""
        found = _good_backup(file)
        with self.alone():
            if self.path.exists() and not force and _has_data(self.path):
                raise MaintenanceRefused(
                    f"{self.path} holds a database already; --force puts the backup in its place and keeps it beside"
                )
            fresh = self.path.with_name(f"{self.path.name}.restoring")
            fresh.unlink(missing_ok=True)
            _copy(file, fresh, on_progress)
            kept = self._set_aside()
            fresh.replace(self.path)
            _sync(self.path.parent)
        return Restored(revision=str(found.revision), kept=kept)

    def _set_aside(self) -> Path | None:
        """Give the database that stands here a second name; its log must not meet the file that takes its place."""
        if not self.path.exists():
            return None
        _fold_log(self.path)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        kept = self.path.with_name(f"{self.path.name}.{stamp}")
        kept.unlink(missing_ok=True)
        kept.hardlink_to(self.path)
        return kept

    def _must_exist(self) -> None:
        if not self.path.is_file():
            raise MaintenanceRefused(
                f"{self.path.parent} holds no lastmile database; 'lastmile serve {self.option}' makes one"
            )


@contextmanager
def _opened(path: Path, begin: str) -> Iterator[Connection]:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": _BUSY_TIMEOUT_S},
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise MaintenanceRefused(f"{path}: {error.orig}") from error
    finally:
        engine.dispose()


def _copy(source: Path, file: Path, on_progress: OnProgress) -> None:
    """Write ``source`` as it stands now into ``file``, which appears when it is whole."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        unfinished.unlink(missing_ok=True)
        with closing(_connect(source)) as from_, closing(_connect(unfinished)) as to:
            # One snapshot: without it, SQLite would begin anew whenever the platform writes.
            from_.execute("BEGIN")
            from_.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            from_.backup(
                to, pages=_PAGES_PER_STEP, progress=lambda _, left, total: on_progress(total - left, total), sleep=0
            )
            # One file without a log beside it can be copied anywhere.
            to.execute("PRAGMA journal_mode=DELETE")
        _sync(unfinished)
        unfinished.replace(file)
        _sync(file.parent)
    except (sqlite3.Error, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise MaintenanceRefused(f"{source} could not be copied to {file}: {error}") from error


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=_BUSY_TIMEOUT_S)


def _good_backup(file: Path) -> SchemaVersion:
    if not file.is_file():
        raise MaintenanceRefused(f"{file}: no such file")
    found = problems = None
    with _opened(file, "BEGIN DEFERRED") as connection:
        found = look(connection)
    if found.fit is Fit.EMPTY:
        raise MaintenanceRefused(f"{file} is no backup of a lastmile database")
    if found.fit is Fit.NEWER:
        raise MaintenanceRefused(
            f"{file} has schema version {found.revision!r}, which this lastmile does not know: "
            f"install the version that made it"
        )
    problems = _problems(file)
    if problems:
        raise MaintenanceRefused(f"{file} is damaged: {problems[0]}")
    return found


def _problems(path: Path) -> list[str]:
    try:
        with closing(_connect(path)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_SHOWN})")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def _has_data(path: Path) -> bool:
    try:
        with _opened(path, "BEGIN DEFERRED") as connection:
            return look(connection).fit is not Fit.EMPTY
    except MaintenanceRefused:
        return True  # whatever it is, it is somebody's


def _fold_log(path: Path) -> None:
    """Bring the log of a database into its file, so that the file alone is all of it."""
    try:
        with closing(_connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        # It is damaged, which may be why it is replaced. Its log stays with it under the old name.
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for log in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            if log.exists():
                log.rename(log.with_name(f"{log.name}.{stamp}"))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
