"""``lastmile hub``: who subscribed, what they did not take, and trying that again; asks the running platform."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from api.client import Client
from api.hub.topics import TOPICS
from api.paths import DEAD_LETTERS
from api.remote import DEFAULT_URL, Token, Url, platform

hub_app = typer.Typer(help="Subscribers of events, and events they did not take.", no_args_is_help=True)
console = Console()

All = Annotated[bool, typer.Option("--all", help="Every dead letter there is.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Ids of dead letters, see 'lastmile hub dead'.", metavar="ID…")]

_PAGE: Final = 1000


@hub_app.command("list", epilog="Example:  lastmile hub list")
def list_command(url: Url = DEFAULT_URL, token: Token = None) -> None:
    """List the subscriptions of every API."""
    with platform(url, token) as client:
        found = [(topic, subscription) for topic in TOPICS.values() for subscription in client.get(topic.path)]
    _show([f"{each['id']}  {topic.path}  {each['callback']}  {each['query']}".rstrip() for topic, each in found])


@hub_app.command("dead", epilog="Example:  lastmile hub dead")
def dead_command(url: Url = DEFAULT_URL, token: Token = None) -> None:
    """List the events that were given up, oldest first, with the reason of the last attempt."""
    with platform(url, token) as client:
        found = _dead_letters(client)
    _show([f"{_line(each)}\n    {each['deadSince']}, {each['attempts']} attempts: {each['reason']}" for each in found])


@hub_app.command("replay", epilog="Example:  lastmile hub replay --all")
def replay_command(ids: Ids = None, every: All = False, url: Url = DEFAULT_URL, token: Token = None) -> None:  # noqa: FBT002 - a flag, as typer declares it
    """Deliver dead letters once more, with the full number of attempts."""
    if bool(ids) == every:
        raise typer.BadParameter("name dead letters by id, or say --all", param_hint="ID…")
    with platform(url, token) as client:
        wanted = [str(letter["id"]) for letter in _dead_letters(client)] if every else ids or []
        for letter_id in wanted:
            _show([_line(client.post(f"{DEAD_LETTERS}/{letter_id}/replay", {}))])


def _dead_letters(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := client.get(f"{DEAD_LETTERS}?offset={len(found)}&limit={_PAGE}"):
        found += page
    return found


def _line(letter: Mapping[str, Any]) -> str:
    return f"{letter['id']}  {letter['eventType']} {letter['resourceId']} → {letter['callback']}"


def _show(lines: Sequence[str]) -> None:
    # Lines, not a table: ids are there to be copied, and a table cuts them to the terminal's width.
    for line in lines or ("none",):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
