"""``lastmile fsck``."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.backups.contracts import OnProgress, Vault
from api.db_commands import Data, Json, Url, named_vault, progress
from api.fsck.check import OnProgress as OnKind
from api.fsck.check import check
from api.fsck.model import Finding, Repair
from api.fsck.repair import Mended, mend
from api.hub.fan_out import FanOut
from api.migrations.schema import require_current
from api.runtime.database import open_database

console = Console()


def fsck_command(
    data: Data = None,
    database: Url = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is safe; the platform must not run.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag
) -> None:
    """Prove that orders, events, jobs, reservations and inventories agree; exit code 1 where something does not.

    The platform may be running, unless --repair is given.
    """
    vault = named_vault(data, database)
    with progress("checking") as on_progress:
        result = _mended(vault, on_progress) if repair else Mended(done=(), left=_found(vault, on_progress))
    if as_json:
        typer.echo(json.dumps(_document(result)))
    else:
        _print(result, repaired=repair)
    if result.left:
        raise typer.Exit(1)


def _found(vault: Vault, on_progress: OnProgress) -> Sequence[Finding]:
    with vault.read() as connection:
        require_current(connection, option=vault.option)
        return check(connection, on_progress=_by_kind(on_progress))


def _mended(vault: Vault, on_progress: OnProgress) -> Mended:
    with vault.read() as connection:
        require_current(connection, option=vault.option)
    with vault.alone():
        database = open_database(vault.target, routes={}, fan_out=FanOut())
        try:
            return mend(database, on_progress=_by_kind(on_progress))
        finally:
            database.close()


def _by_kind(on_progress: OnProgress) -> OnKind:
    return lambda _, done, total: on_progress(done, total)


def _document(result: Mended) -> dict[str, Any]:
    return {
        "clean": not result.left,
        "repaired": [_finding(finding) | {"repair": str(repair)} for finding, repair in result.done],
        "findings": [
            _finding(finding) | {"repairs": [str(each) for each in finding.repairs]} for finding in result.left
        ],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {name: value for name, value in asdict(finding).items() if name != "repairs"}


def _print(result: Mended, *, repaired: bool) -> None:
    if result.done:
        console.print(_table("repaired", [(finding, (made,)) for finding, made in result.done]))
    if result.left:
        title = "left to people" if repaired else "findings"
        console.print(_table(title, [(finding, finding.repairs) for finding in result.left]))
        can = sum(1 for finding in result.left if finding.repairs)
        if can and not repaired:
            console.print(
                f"{can} of {len(result.left)} can be mended: stop the platform, then 'lastmile fsck --repair'."
            )
    else:
        console.print("[bold green]✔[/] orders, events, jobs, reservations and inventories agree")


def _table(title: str, rows: Sequence[tuple[Finding, Sequence[Repair]]]) -> Table:
    shown = Table("rule", "what", "finding", "repair", title=title, title_justify="left", box=None, header_style="dim")
    for finding, repairs in rows:
        made = "; ".join(map(str, repairs)) or "by a person"
        shown.add_row(finding.rule, f"{finding.kind}\n{finding.id}", finding.text, made)
    return shown
