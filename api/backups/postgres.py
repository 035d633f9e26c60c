"""The PostgreSQL database as a whole: pg_dump, pg_restore and psql do the work."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from api.backups.contracts import OnProgress, Restored
from api.errors import MaintenanceRefused, StartRefused
from api.migrations.models import table_names
from api.migrations.schema import HEAD, REVISIONS, Fit, look, versions

_OURS_ON_POSTGRESQL: Final = "procrastinate"
_WIPE_ROUTINES: Final = """
DO $$ DECLARE it text; BEGIN
  FOR it IN SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'procrastinate%'
  LOOP EXECUTE 'DROP FUNCTION ' || it || ' CASCADE'; END LOOP;
  FOR it IN SELECT oid::regtype FROM pg_type
            WHERE typname LIKE 'procrastinate%' AND typrelid = 0 AND typelem = 0
  LOOP EXECUTE 'DROP TYPE IF EXISTS ' || it || ' CASCADE'; END LOOP;
  FOR it IN SELECT oid::regclass FROM pg_class
            WHERE relname LIKE 'procrastinate%' AND relkind = 'c'
  LOOP EXECUTE 'DROP TYPE IF EXISTS ' || it || ' CASCADE'; END LOOP;
END $$;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresVault:
    """A PostgreSQL database as :class:`api.backups.contracts.Vault`; ``url`` as SQLAlchemy has it."""

    url: str

    @property
    def option(self) -> str:
        """How it is named on the command line."""
        return f"--database {make_url(self.url).render_as_string(hide_password=True)}"

    @property
    def target(self) -> str | Path:
        """Where :func:`api.runtime.database.open_database` finds it."""
        return self.url

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuse where anybody else is connected."""
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with self.read() as connection:
            found = connection.execute(text(others + " AND backend_type = 'client backend'")).scalar_one()
        if found:
            raise StartRefused(f"the database is in use by {found} connections; end the platform's processes first")
        yield

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only snapshot."""
        with self._opened("REPEATABLE READ") as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction."""
        with self._opened("READ COMMITTED") as connection:
            yield connection

    def problems(self) -> Sequence[str]:
        """Return the indexes that PostgreSQL does not trust, and the tables that cannot be read to their end."""
        found: list[str] = []
        with self.read() as connection:
            invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
            found += [f"index {name} is not valid" for name in connection.execute(text(invalid)).scalars()]
        return found

    def backup(self, file: Path, *, on_progress: OnProgress) -> None:
        """Let pg_dump write the database into ``file``."""
        if file.exists():
            raise MaintenanceRefused(f"{file} is there already; choose another name, or remove it first")
        with self.read() as connection:
            if look(connection).fit is Fit.EMPTY:
                raise MaintenanceRefused("the database holds nothing of lastmile's")
            total = len(inspect(connection).get_table_names())
        unfinished = file.with_name(f"{file.name}.part")
        command = ("pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--verbose", f"--file={unfinished}")
        try:
            self._run(command, total, on_progress)
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)

    def restore(self, file: Path, *, force: bool, on_progress: OnProgress) -> Restored:
        """Let psql run what pg_restore makes of ``file``, in one transaction."""
        revision = self._good_backup(file)
        with self.alone(), self.read() as connection:
            names = inspect(connection).get_table_names()
            if look(connection).fit is not Fit.EMPTY and not force:
                raise MaintenanceRefused(f"{self.option} holds data already; --force replaces it with the backup")
        ours = table_names() | {versions.name, "device_lock"}
        wiped = [name for name in names if name in ours or name.startswith(_OURS_ON_POSTGRESQL)]
        with TemporaryDirectory(prefix="lastmile-restore-") as folder:
            wipe, script = Path(folder) / "wipe.sql", Path(folder) / "restore.sql"
            wipe.write_text("".join(f'DROP TABLE "{name}" CASCADE;\n' for name in wiped) + _WIPE_ROUTINES)
            _call(("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file)), os.environ)
            on_progress(1, 2)
            quiet = ("--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--single-transaction")
            self._run(("psql", *quiet, f"--file={wipe}", f"--file={script}"), 2, on_progress)
            on_progress(2, 2)
        return Restored(revision=revision)

    def _good_backup(self, file: Path) -> str:
        if not file.is_file():
            raise MaintenanceRefused(f"{file}: no such file")
        wanted = ("pg_restore", "--data-only", f"--table={versions.name}", "--file=-", str(file))
        try:
            lines = _call(wanted, os.environ).splitlines()
        except MaintenanceRefused as error:
            raise MaintenanceRefused(f"{file} is no good backup: {error}") from error
        start = next((number for number, line in enumerate(lines) if line.startswith("COPY")), None)
        revision = lines[start + 1].strip() if start is not None else ""
        if revision not in REVISIONS:
            known = f"this lastmile knows {REVISIONS[0]!r} to {HEAD!r}"
            raise MaintenanceRefused(f"{file} has schema version {revision!r}; {known}")
        return revision

    @contextmanager
    def _opened(self, isolation: str) -> Iterator[Connection]:
        engine = create_engine(self.url, hide_parameters=True, isolation_level=isolation)
        try:
            with engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise MaintenanceRefused(f"{self.option}: {str(error.orig).strip()}") from error
        finally:
            engine.dispose()

    def _run(self, command: Sequence[str], total: int, on_progress: OnProgress) -> None:
        done = 0
        errors: list[str] = []
        with subprocess.Popen(
            _found(command), env=self._environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            for line in process.stderr or ():
                errors = [*errors[-4:], line.strip()]
                if "dumping contents of table" in line:
                    done += 1
                    on_progress(min(done, total), total)
        if process.returncode != 0:
            raise MaintenanceRefused(f"{command[0]} failed: {' '.join(errors)}")

    def _environment(self) -> dict[str, str]:
        """Return where libpq finds the database; a password on the command line could be seen by others."""
        url = make_url(self.url)
        host = url.host or url.query.get("host")
        given = {"PGHOST": host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
        named = {name: str(value) for name, value in given.items() if value}
        return {**os.environ, **named, "PGDATABASE": url.database or "", "PGCONNECT_TIMEOUT": "10"}


def _found(command: Sequence[str]) -> Sequence[str]:
    if shutil.which(command[0]) is None:
        raise MaintenanceRefused(
            f"{command[0]} is not installed here; Debian has it in 'postgresql-client', and the server's machine has it"
        )
    return command


def _call(command: Sequence[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(_found(command), env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MaintenanceRefused(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout
