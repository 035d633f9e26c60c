"""``lastmile review``: plans that wait for people; asks the running platform."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from activation.paths import REVIEW_BASE
from api import plan_pictures
from api.client import ApiRefused, Client
from api.plan_commands import Edits, Json, Patch
from api.remote import DEFAULT_URL, Token, Url, platform

review_app = typer.Typer(help="Plans that wait for people: read, approve, reject.", no_args_is_help=True)
console = Console()

Id = Annotated[str, typer.Argument(help="A review's id, or how it begins.", metavar="ID")]
Every = Annotated[bool, typer.Option("--all", help="Decided ones too.")]
Comment = Annotated[str, typer.Option("--comment", "-m", help="What is to be remembered.")]
Why = Annotated[str, typer.Option("--comment", "-m", help="What whoever ordered gets to read.")]
_PAGE: Final = 1000
SHORT: Final = 8
"""Characters of an id that a table shows; any beginning that only one review has is enough to name it."""


@review_app.command("list", epilog="Example:  lastmile review list")
def list_command(
    every: Every = False,  # noqa: FBT002 - a flag, as typer declares it
    as_json: Json = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """List the plans that wait, oldest first."""
    with platform(url, token) as client:
        found = _reviews(client, "" if every else "state=waiting&")
    if as_json:
        console.print_json(json.dumps(found))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "state", "needs", "by"):
        table.add_column(column, no_wrap=True, overflow="fold")
    for column in ("what", "devices", "since"):
        table.add_column(column, overflow="fold")
    for each in found:
        what = f"{each['action']} {each['service'].get('name') or each['service']['id']}"
        needs, devices = each["requirement"], ", ".join(each["devices"])
        table.add_row(each["id"][:SHORT], each["state"], needs, each["author"], what, devices, each["requestedAt"][:16])
    console.print(table if found else "nothing waits", soft_wrap=True)


@review_app.command("show", epilog="Examples:  lastmile review show 3f0c   ·   lastmile review show 3f0c --patch")
def show_command(
    review: Id,
    edits: Edits = False,  # noqa: FBT002 - a flag, as typer declares it
    patch: Patch = False,  # noqa: FBT002 - the same
    as_json: Json = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Show one review: what would change on each device, for whom, and who else is there."""
    with platform(url, token) as client:
        found = client.get(f"{REVIEW_BASE}/{_found(client, review)}")
    if as_json:
        console.print_json(json.dumps(found))
    elif patch:
        typer.echo(found["patch"], nl=False)
    else:
        _show(found, edits=edits)


@review_app.command("approve", epilog='Example:  lastmile review approve 3f0c -m "splitter checked"')
def approve_command(review: Id, comment: Comment = "", url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Sign the plan: exactly these bytes go to the devices, or people are asked again."""
    _decide(review, "approve", comment, url, token)


@review_app.command("reject", epilog='Example:  lastmile review reject 3f0c -m "wrong splitter"')
def reject_command(review: Id, comment: Why, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Refuse the plan: its order fails with your name and comment, and gives back what it took."""
    _decide(review, "reject", comment, url, token)


def _decide(review: str, decision: str, comment: str, url: str, token: str | None) -> None:
    with platform(url, token) as client:
        # A review's plan never changes, another plan is another review: its id stands for the hash that was read.
        found = client.get(f"{REVIEW_BASE}/{_found(client, review)}")
        body = {"planHash": found["planHash"], "comment": comment}
        decided = client.post(f"{found['href']}/{decision}", body)
    _line(f"{decided['state']}: {decided['id']}  plan hash {decided['planHash']}")


def _reviews(client: Client, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := client.get(f"{REVIEW_BASE}?{query}offset={len(found)}&limit={_PAGE}"):
        found += page
    return found


def _found(client: Client, beginning: str) -> str:
    """Return the id that begins so."""
    ids = [each["id"] for each in _reviews(client, "fields=id&") if each["id"].startswith(beginning)]
    if beginning in ids or len(ids) == 1:
        return beginning if beginning in ids else str(ids[0])
    what = f"several reviews begin with {beginning!r}: {', '.join(ids[:5])}" if ids else f"no review is {beginning!r}"
    raise ApiRefused(f"{what}; 'lastmile review list' shows those that wait")


def _show(found: Mapping[str, Any], *, edits: bool) -> None:
    service, risk = found["service"], found["risk"]
    _line(f"{found['action']} {service.get('name', '')} {service['id']}   {found['state']}")
    _line(f"needs {found['requirement']}; ordered by {found['author'] or 'nobody known'}")
    _line(f"because {found['because']}")
    console.print(plan_pictures.devices(found["plan"], edits=edits))
    console.print(plan_pictures.neighbours(found["blastRadius"]))
    _line(f"removed lines: {risk['removedLines']}; nodes nobody owns: {risk['unownedNodes']}")
    for each in found["decision"]:
        _line(f"{each['state']} by {each['by']} at {each['at']}: {each['comment']}")
    if "note" in found:
        _line(found["note"])
    _line(f"plan hash: {found['planHash']}")


def _line(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
