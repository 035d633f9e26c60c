"""``lastmile mail``: e-mails to whoever ordered, and trying again those that were given up; asks the platform."""

from typing import Annotated, Any, Final

import typer
from rich.console import Console

from api.client import Client
from api.mail.routes import MAILS
from api.mail.store import Standing
from api.remote import DEFAULT_URL, Token, Url, platform

mail_app = typer.Typer(help="E-mails to whoever ordered.", no_args_is_help=True)
console = Console()

State = Annotated[Standing | None, typer.Option("--state", help="Only those that are so.")]
All = Annotated[bool, typer.Option("--all", help="Every one that was given up.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of e-mails, see 'lastmile mail list'.", metavar="ID…")]
_PAGE: Final = 1000


@mail_app.command("list", epilog="Example:  lastmile mail list --state dead")
def list_command(state: State = None, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """List the e-mails, oldest first, with the reason of the last attempt that failed."""
    with platform(url, token) as client:
        found = _mails(client, state)
    for mail in found:
        _show(f"{mail['id']}  {mail['state']:<8} {mail['productOrder']} {mail['orderState']} → {mail['recipient']}")
        if mail["reason"]:
            _show(f"    {mail['attempts']} attempts: {mail['reason']}")
    if not found:
        _show("none")


@mail_app.command("replay", epilog="Example:  lastmile mail replay --all")
def replay_command(ids: Ids = None, every: All = False, url: Url = DEFAULT_URL, token: Token = None) -> None:  # noqa: FBT002 - a flag, as typer declares it
    """Send e-mails that were given up once more, with the full number of attempts."""
    if bool(ids) == every:
        raise typer.BadParameter("name e-mails by id, or say --all", param_hint="ID…")
    with platform(url, token) as client:
        wanted = [str(mail["id"]) for mail in _mails(client, Standing.DEAD)] if every else ids or []
        for mail_id in wanted:
            mail = client.post(f"{MAILS}/{mail_id}/replay", {})
            _show(f"{mail['id']}  {mail['productOrder']} → {mail['recipient']}")


def _mails(client: Client, state: Standing | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    only = f"&state={state}" if state is not None else ""
    while page := client.get(f"{MAILS}?offset={len(found)}&limit={_PAGE}{only}"):
        found += page
    return found


def _show(line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
