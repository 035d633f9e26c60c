"""``lastmile transactions``: changes of devices, those under way first; asks the running platform."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.paths import TRANSACTIONS
from api.remote import DEFAULT_URL, Token, Url, platform

console = Console()

Device = Annotated[str, typer.Option(help="Only transactions on this device.", show_default=False)]
Unfinished = Annotated[bool, typer.Option("--unfinished", help="Only those that are under way or wait for a device.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Limit = Annotated[int, typer.Option(help="How many, newest first.", min=1, max=1000)]

EPILOG: Final = "Examples:  lastmile transactions --unfinished   ·   lastmile transactions --device olt1 --limit 5"
_STYLES: Final = {"done": "green", "rolledBack": "yellow", "rollbackFailed": "bold red", "rollingBack": "magenta"}


def transactions_command(
    device: Device = "",
    unfinished: Unfinished = False,  # noqa: FBT002 - a flag, as typer declares it
    limit: Limit = 20,
    as_json: AsJson = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """List transactions on devices: step, since when, devices, for which services, and why one goes back."""
    query = f"?limit={limit}&unfinished={str(unfinished).lower()}" + (f"&device={device}" if device else "")
    with platform(url, token) as client:
        found = client.get(TRANSACTIONS + query)
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        show(found)


def show(found: Sequence[Mapping[str, Any]]) -> None:
    """Print one block per transaction: ids are there to be copied, and a table would cut them."""
    if not found:
        console.print("none")
    for each in found:
        style = _STYLES.get(each["step"], "cyan")
        head = f"[bold]{escape(each['id'])}[/]  [{style}]{each['step']}[/]  since {each['since']}"
        console.print(head, soft_wrap=True, highlight=False)
        table = Table(box=None, show_header=False, padding=(0, 2))
        table.add_row("[dim]devices[/]", ", ".join(each["devices"]) or "none")
        table.add_row("[dim]for[/]", "\n".join(f"{one['action']} {one['service']}" for one in each["member"][:5]))
        if (more := len(each["member"]) - 5) > 0:
            table.add_row("", f"and {more} more")
        for reason in each.get("because", ()):
            table.add_row("[dim]because[/]", escape(reason))
        if each.get("rollbacks", 0) > 1:
            table.add_row("[dim]rollback[/]", f"tried {each['rollbacks']} times")
        console.print(table, soft_wrap=True)
