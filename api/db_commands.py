"""``lastmile db``: upgrade, check, backup and restore of the database."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlalchemy import Connection, func, inspect, select, table

from api.backups.contracts import OnProgress, Vault
from api.backups.targets import vault_of
from api.errors import MaintenanceRefused
from api.migrations.run import steps_left, upgrade
from api.migrations.schema import HEAD, Fit, look
from api.settings import Settings
from api.storage import DATABASE_FILE

app = typer.Typer(help="The database: upgrade, check, backup, restore.", no_args_is_help=True)
console = Console()
_errors = Console(stderr=True)

Data = Annotated[Path | None, typer.Option(help="Folder of the SQLite database (./lastmile-data).")]
Url = Annotated[str | None, typer.Option("--database", help="URL of a PostgreSQL database, in place of --data.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
File = Annotated[Path, typer.Argument(help="The backup.", dir_okay=False)]


def named_vault(data: Path | None, database: str | None) -> Vault:
    """Return the database that the options and the environment name.

    Raises:
        MaintenanceRefused: a URL of a kind that is not known.
    """
    settings = Settings.read(os.environ, data=data, database=database)
    url = settings.database.get_secret_value() if settings.database is not None else None
    return vault_of(settings.data, url, file_name=DATABASE_FILE)


@contextmanager
def progress(title: str) -> Iterator[OnProgress]:
    """Show a bar while the block runs, where somebody looks at the screen."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=_errors, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command(
    "upgrade",
    epilog="Examples:  lastmile db upgrade --data ./lastmile-data"
    "   ·   lastmile db upgrade --database postgresql://lastmile@db.example/lastmile",
)
def upgrade_command(data: Data = None, database: Url = None) -> None:
    """Bring the schema up to this version of lastmile; the platform must not be running. Take a backup first."""
    vault = named_vault(data, database)
    with vault.alone(), vault.write() as connection, progress("upgrading") as on_progress:
        before = look(connection)
        if before.fit is Fit.EMPTY:
            raise MaintenanceRefused(f"nothing of lastmile's stands there; 'lastmile serve {vault.option}' fills it")
        total = max(steps_left(connection), 1) if before.fit is Fit.OLDER else 1
        reached: list[str] = []

        def on_step(revision: str) -> None:
            reached.append(revision)
            on_progress(len(reached), total)

        upgrade(connection, option=vault.option, on_step=on_step)
    console.print(_upgraded(str(before.revision), reached), highlight=False)


def _upgraded(before: str, reached: list[str]) -> str:
    if not reached:
        return f"The schema is at version {before} already: nothing to do."
    return f"The schema went from version {before} to {reached[-1]}."


@app.command(
    "check", epilog="Examples:  lastmile db check --data ./lastmile-data   ·   lastmile db check --json | jq .rows"
)
def check_command(data: Data = None, database: Url = None, as_json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Check the database's files and its schema version, and count its rows; exit code 1 where something is wrong."""
    vault = named_vault(data, database)
    problems = list(vault.problems())
    report: dict[str, Any] = {"database": vault.option, "needs": HEAD, "problems": problems}
    if not problems:
        with vault.read() as connection:
            found = look(connection)
            report |= {"version": found.revision, "fit": found.fit.value, "rows": _counts(connection)}
    good = not problems and report["fit"] == Fit.CURRENT
    if as_json:
        typer.echo(json.dumps(report | {"good": good}))
    else:
        _print_check(report)
    if not good:
        raise typer.Exit(1)


def _counts(connection: Connection) -> dict[str, int]:
    names = sorted(inspect(connection).get_table_names())
    return {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        for name in names
        if name != "alembic_version"
    }


def _print_check(report: dict[str, Any]) -> None:
    for problem in report["problems"]:
        console.print(f"[bold red]✘[/] {problem}", highlight=False)
    if report["problems"]:
        console.print("The database is damaged: put a backup back with 'lastmile db restore FILE'.", highlight=False)
        return
    console.print("[bold green]✔[/] the files are whole", highlight=False)
    sign = "[bold green]✔[/]" if report["fit"] == Fit.CURRENT else "[bold red]✘[/]"
    console.print(f"{sign} schema version {report['version']} ({report['fit']}; needed: {HEAD})", highlight=False)
    shown = Table("table", "rows", box=None, header_style="dim")
    shown.columns[1].justify = "right"
    for name, rows in report["rows"].items():
        shown.add_row(name, f"{rows:,}")
    console.print(shown)


@app.command(
    "backup",
    epilog="Examples:  lastmile db backup monday.backup --data ./lastmile-data"
    "   ·   lastmile db backup monday.backup --database postgresql://lastmile@db.example/lastmile",
)
def backup_command(file: File, data: Data = None, database: Url = None) -> None:
    """Write the whole database into FILE as it stands at one moment; the platform may be running."""
    vault = named_vault(data, database)
    with progress("saving") as on_progress:
        vault.backup(file, on_progress=on_progress)
    console.print(f"{file}: {file.stat().st_size:,} bytes.", highlight=False, soft_wrap=True)


@app.command(
    "restore",
    epilog="Examples:  lastmile db restore monday.backup --data ./new-folder"
    "   ·   lastmile db restore monday.backup --data ./lastmile-data --force",
)
def restore_command(
    file: File,
    data: Data = None,
    database: Url = None,
    force: Annotated[bool, typer.Option(help="Replace a database that has data.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Put the backup in FILE in the database's place, all of it or nothing; the platform must not be running."""
    vault = named_vault(data, database)
    with progress("restoring") as on_progress:
        done = vault.restore(file, force=force, on_progress=on_progress)
    console.print(f"Restored, with schema version {done.revision}.", highlight=False)
    if done.kept is not None:
        console.print(f"What stood there before is {done.kept}.", highlight=False, soft_wrap=True)
    if done.revision != HEAD:
        console.print(f"Bring it up to version {HEAD}: lastmile db upgrade {vault.option}", highlight=False)
