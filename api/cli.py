"""The command line: ``lastmile``."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from api import tokens
from api.demo.story import Story
from api.demo.story import tell as tell_story
from api.errors import StartRefused
from api.http.app import create_app
from api.http.server import bind, serve, url_of
from api.runtime.database import Database
from api.runtime.tables import metadata as runtime_tables
from api.settings import Settings
from api.system import System
from api.wiring import DATABASE_FILE, running_system
from inventory.errors import InventoryError
from labs.errors import LabError, PortInUse
from orders.errors import OrdersError

app = typer.Typer(
    name="lastmile",
    help="Turns a customer's order into verified configuration on OLTs, switches and routers.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
token_app = typer.Typer(help="Access tokens of the HTTP API.", no_args_is_help=True)
app.add_typer(token_app, name="token")
console = Console()

Port = Annotated[int | None, typer.Option(help="TCP port of the HTTP API (8640); 0: any free one.", min=0, max=65535)]
Data = Annotated[Path | None, typer.Option(help="Folder of the database (./lastmile-data).")]
Lab = Annotated[str | None, typer.Option(help="containerlab topology to run embedded, or 'none' (the ftth lab).")]
Auth = Annotated[str | None, typer.Option(help="'on' or 'off': whether requests need a bearer token (on).")]


@app.command("serve", epilog="Example:  lastmile serve --port 8640 --data ./lastmile-data --lab none --auth on")
def serve_command(port: Port = None, data: Data = None, lab: Lab = None, auth: Auth = None) -> None:
    """Run the platform (and the lab) until it is interrupted, and print its URLs."""
    if auth not in {None, "on", "off"}:
        raise typer.BadParameter(f"{auth!r}; legal: on, off", param_hint="--auth")
    settings = Settings.read(os.environ, port=port, data=data, lab=lab, auth=None if auth is None else auth == "on")
    listening = bind(settings.host, settings.port)
    with running_system(settings) as system:
        _announce(system, url_of(listening))
        serve(create_app(system), listening)


@app.command("demo", epilog="Example:  lastmile demo")
def demo_command() -> None:
    """Order, upgrade and cease one broadband product on the embedded lab, and show every step."""
    if not tell_story(Story.fresh(console)):
        raise typer.Exit(1)


@token_app.command("create", epilog="Example:  lastmile token create alice --role admin --data ./lastmile-data")
def token_create_command(name: str, role: str = "admin", data: Data = None) -> None:
    """Make a token for NAME and print it once; the platform may be running."""
    if role != "admin":
        raise typer.BadParameter(f"{role!r}; legal: admin", param_hint="--role")
    settings = Settings.read(os.environ, data=data)
    file = settings.data / DATABASE_FILE
    if not file.exists():
        raise StartRefused(
            f"{settings.data} holds no lastmile database; 'lastmile serve --data {settings.data}' makes one"
        )
    database = Database(file, routes={})
    database.create_tables(runtime_tables)
    with database.begin() as uow:
        if name in tokens.names(uow.connection):
            raise StartRefused(f"a token named {name!r} exists already; choose another name")
        token = tokens.create(uow, name=name, role=role)
    database.close()
    console.print(token, soft_wrap=True, highlight=False)


def main() -> None:
    """Run the command line; what the user can mend is one line, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The SSH libraries log every login and every dropped session; our own errors say what matters of it.
    for library in ("asyncssh", "paramiko", "ncclient", "netmiko", "nornir"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        app()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        sys.exit(f"lastmile: settings: {problems}")
    except PortInUse as error:
        sys.exit(f"lastmile: {error} (LASTMILE_LAB_SSH_PORT, LASTMILE_LAB_NETCONF_PORT)")
    except (StartRefused, LabError, OrdersError, InventoryError) as error:
        sys.exit(f"lastmile: {error}")


def _announce(system: System, url: str) -> None:
    console.print(f"[bold]lastmile[/] serves at [link={url}]{url}[/link]   (Ctrl-C ends it)")
    if system.first_token:
        console.print("Admin token, shown this once:", style="bold")
        console.print(f"  export LASTMILE_TOKEN={system.first_token}", soft_wrap=True, highlight=False)
    elif system.settings.auth:
        console.print("Access: the admin token printed at the first start; 'lastmile token create NAME' makes another.")
    bearer = ' -H "Authorization: Bearer $LASTMILE_TOKEN"' if system.settings.auth else ""
    for path in ("/health", "/tmf-api/productOrderingManagement/v4/productOrder", "/lastmile/v1/device"):
        console.print(f"  curl -s{bearer} {url}{path}", soft_wrap=True, highlight=False)
    for node in system.nodes:
        how = f"ssh -p {node.port} {node.username}@{node.address}"
        if node.protocol == "netconf":
            how += " -s netconf"
        console.print(f"  {node.name:<8} {how}   (password: {node.password})", soft_wrap=True, highlight=False)
