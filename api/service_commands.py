"""``lastmile service``: what works of a service; asks the running platform."""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.client import ApiRefused
from api.paths import SERVICE_CLAIMS, SERVICE_TESTS
from api.remote import DEFAULT_URL, Token, Url, platform

service_app = typer.Typer(
    help="Services: whether they work, and what one that failed left behind.", no_args_is_help=True
)
console = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Key = Annotated[
    str, typer.Argument(help="A product's id (TMF637), a service's (TMF638, TMF640) or a part's.", metavar="ID")
]

EPILOG: Final = (
    "Exit status: 0 passed, 1 something failed, 2 nothing could be tested.   "
    "Examples:  lastmile service test 6dccf3aa-…   ·   lastmile service test 6dccf3aa-… --json"
)
STATUS: Final[Mapping[str, int]] = {"passed": 0, "failed": 1, "notRun": 2}
REFUSED: Final = 2
PATIENCE_S: Final = 300.0
_STYLES: Final = {"passed": "green", "failed": "bold red", "notRun": "yellow"}


@service_app.command("test", epilog=EPILOG)
def service_test_command(
    key: Key,
    as_json: AsJson = False,  # noqa: FBT002 - a flag, as typer declares it
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Test the service ID: its configuration on every device (L1), their state (L2), its traffic (L3)."""
    errors = Console(stderr=True)
    try:
        with platform(url, token, timeout_s=PATIENCE_S) as client, errors.status("testing; measuring takes seconds"):
            found = client.post(f"{SERVICE_TESTS}/{quote(key, safe='')}", {})
    except ApiRefused as refused:
        typer.echo(f"lastmile: {refused}", err=True)
        raise typer.Exit(REFUSED) from refused
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    else:
        show(found)
    raise typer.Exit(STATUS[found["state"]])


@service_app.command(
    "release", epilog="Example:  lastmile service release svc-7 --comment 'olt1 cleaned by hand, INC-4711'"
)
def service_release_command(
    key: Annotated[str, typer.Argument(help="The TMF640 service that the monitor names.", metavar="ID")],
    comment: Annotated[str, typer.Option(help="Why it is safe; the history keeps it.")] = "",
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Let others have the values that service ID kept because a rollback failed; look at its devices first."""
    try:
        with platform(url, token) as client:
            asked = f"{SERVICE_CLAIMS}/{quote(key, safe='')}/release?{urlencode({'comment': comment})}"
            found = client.post(asked, {})
    except ApiRefused as refused:
        typer.echo(f"lastmile: {refused}", err=True)
        raise typer.Exit(REFUSED) from refused
    for claim in found["released"]:
        console.print(f"released: {escape(claim)}", highlight=False, soft_wrap=True)


def show(found: Mapping[str, Any], out: Console = console) -> None:
    """Print a table of the results, and what came of them together."""
    out.print(table(found))
    count = {state: sum(each["state"] == state for each in found["result"]) for state in STATUS}
    words = ", ".join(f"{number} {state}" for state, number in count.items() if number)
    style = _STYLES[found["state"]]
    text = f"service {found['service']} ({found['serviceState']}): [{style}]{found['state']}[/]   {words}"
    out.print(text, highlight=False, soft_wrap=True)


def table(found: Mapping[str, Any]) -> Table:
    """Return the results as a table."""
    drawn = Table("", "check", "device", "result", "measured", "found", box=None, pad_edge=False, header_style="dim")
    for each in found["result"]:
        state = f"[{_STYLES[each['state']]}]{each['state']}[/]"
        measured, device = escape(each.get("measured", "")), escape(each.get("device", ""))
        drawn.add_row(each["level"], escape(each["name"]), device, state, measured, escape(each["detail"]))
    return drawn
