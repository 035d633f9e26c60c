"""``lastmile token``: who may use the HTTP API, and for what; works on the database, running or not."""

import os
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api import tokens
from api.roles import Role
from api.settings import Settings
from api.storage import existing_storage

token_app = typer.Typer(help="Access tokens of the HTTP API: each has a name and a role.", no_args_is_help=True)
console = Console()

Data = Annotated[Path | None, typer.Option(help="Folder of the database (./lastmile-data).")]
DatabaseUrl = Annotated[str | None, typer.Option(help="postgresql://… instead of SQLite in the data folder.")]
AsRole = Annotated[Role, typer.Option("--role", help="What the token may be used for.")]


@token_app.command("create", epilog="Example:  lastmile token create alice --role reviewer --data ./lastmile-data")
def create_command(name: str, role: AsRole = Role.OPERATOR, data: Data = None, database: DatabaseUrl = None) -> None:
    """Make a token for NAME and print it once; the platform may be running."""
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened, opened.begin() as uow:
        token = tokens.create(uow, name=name, role=role)
    console.print(token, soft_wrap=True, highlight=False)


@token_app.command("list", epilog="Example:  lastmile token list")
def list_command(data: Data = None, database: DatabaseUrl = None) -> None:
    """List who has a token, with the role; the tokens themselves are not kept."""
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened, opened.read() as reader:
        found = tokens.known(reader)
    table = Table("name", "role", "made", box=None, pad_edge=False, header_style="dim")
    for each in found:
        made = each.created_at.replace(tzinfo=UTC).isoformat(sep=" ", timespec="seconds")
        table.add_row(each.name, each.role.value, made)
    console.print(table if found else "none")


@token_app.command("revoke", epilog="Example:  lastmile token revoke alice")
def revoke_command(name: str, data: Data = None, database: DatabaseUrl = None) -> None:
    """Make the token of NAME worthless at once; what was signed with it stays signed."""
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened, opened.begin() as uow:
        tokens.revoke(uow, name)
    console.print(f"revoked: {name}", markup=False, highlight=False)
