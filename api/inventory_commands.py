"""``lastmile inventory``: devices and cables taken over from labs and from other tools."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from activation.platforms import load_platforms
from api.errors import ImportRefused
from api.import_sources import read_source
from api.inventory_tree import EPILOG, show_command
from api.settings import Settings
from api.storage import existing_storage
from api.wiring import TEMPLATES
from inventory.imports import plan_import
from inventory.network import NetworkStore

inventory_app = typer.Typer(help="The inventory of devices.", no_args_is_help=True)
inventory_app.command("show", epilog=EPILOG)(show_command)
console = Console()
STYLES = {"+": "green", "~": "yellow", "-": "red"}


@inventory_app.command(
    "import",
    epilog="Examples:  lastmile inventory import clab-ftth --dry-run   ·   "
    "lastmile inventory import nornir-simple-inventory.yml --yes   ·   lastmile inventory import ring.clab.yml",
)
def import_command(
    source: Annotated[Path, typer.Argument(help="A lab's folder or name, a .clab.yml, a nornir-simple-inventory.yml.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the database (./lastmile-data).")] = None,
    database: Annotated[str | None, typer.Option(help="postgresql://… instead of SQLite in the data folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,  # noqa: FBT002 - a flag
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Import without asking.")] = False,  # noqa: FBT002 - a flag
    prune: Annotated[bool, typer.Option("--prune", help="Remove devices that SOURCE does not have.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Take devices, a topology's cables and the network.yml beside it into the inventory; first show what changes.

    The platform may be running. What the source does not know of a device that is there already is kept.
    """
    found = read_source(source, load_platforms(TEMPLATES))
    for remark in found.remarks:
        console.print(f"! {remark}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    store = NetworkStore()
    with existing_storage(Settings.read(os.environ, data=data, database=database)) as opened:
        with opened.read() as reader:
            planned = plan_import(store.network(reader), found.network, prune=prune)
        for change in planned.changes:
            console.print(str(change), style=STYLES[change.mark], highlight=False, markup=False, soft_wrap=True)
        if not planned.changes:
            console.print("nothing to import: the inventory has it all")
            return
        if dry_run:
            console.print(f"{len(planned.changes)} changes; nothing was imported (--dry-run)", highlight=False)
            return
        if not yes and not typer.confirm("Import?", default=False):
            raise ImportRefused("nothing was imported")
        with opened.begin() as uow:
            # Somebody else may have imported meanwhile: what is written follows from what stands there now.
            planned = plan_import(store.network(uow.connection), found.network, prune=prune)
            store.load(uow, planned.network)
    console.print(f"imported: {len(planned.changes)} changes", highlight=False)
