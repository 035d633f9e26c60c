"""``lastmile plan``: what an order would do; asks the running platform, changes nothing."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from api import plan_pictures
from api.paths import PLAN
from api.remote import DEFAULT_URL, Token, Url, platform

WOULD_FAIL: Final = 3
"""Exit code where the order is right and would fail all the same: nothing is free, say."""
HELP: Final = (
    "Exit codes: 0 planned; 1 refused, as the order would be, or a device cannot be read; 2 wrong usage; 3 the order "
    "would fail now.  Examples:  lastmile plan order.json --edits   ·   lastmile plan - --patch < order.json"
)

console = Console()

OrderFile = Annotated[str, typer.Argument(help="A TMF622 or TMF641 order, or a TMF640 service; '-': standard input.")]
Edits = Annotated[bool, typer.Option("--edits", help="What is sent to each device, and what undoes it.")]
Patch = Annotated[bool, typer.Option("--patch", help="All changes as one unified patch, and nothing else.")]
Json = Annotated[bool, typer.Option("--json", help="The platform's whole answer.")]


def plan_command(
    order: OrderFile,
    edits: Edits = False,  # noqa: FBT002 - a flag, as typer declares it
    patch: Patch = False,  # noqa: FBT002 - the same
    as_json: Json = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Show what ORDER would change on which devices, after everything queued and in flight; nothing is stored."""
    body = _body(order)
    with platform(url, token) as client:
        answer = client.post(PLAN, body)
    if as_json:
        console.print_json(json.dumps(answer))
    elif patch:
        typer.echo("".join(each["patch"] for each in answer["activation"]), nl=False)
    else:
        _show(answer, edits=edits)
    if reasons := _why_it_would_fail(answer):
        typer.echo(f"lastmile: the order would fail now: {'; '.join(reasons)}", err=True)
        raise typer.Exit(WOULD_FAIL)


def _body(order: str) -> Any:  # noqa: ANN401 - JSON is what it is
    try:
        body = json.loads(sys.stdin.read() if order == "-" else Path(order).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{order}: {error}", param_hint="ORDER") from error
    if not isinstance(body, dict):
        raise typer.BadParameter(f"{order}: must hold a JSON object", param_hint="ORDER")
    return body


def _why_it_would_fail(answer: Mapping[str, Any]) -> list[str]:
    order = answer.get("order", {})
    return list(order.get("reason") or [order["state"]]) if order.get("state") in {"failed", "partial"} else []


def _show(answer: Mapping[str, Any], *, edits: bool) -> None:
    for each in answer["activation"]:
        service = each["service"]
        console.print(f"[bold]{each['action']}[/] {service.get('name') or service.get('specification', '')}")
        console.print(plan_pictures.devices(each["plan"], edits=edits))
        console.print(plan_pictures.neighbours(each["blastRadius"]))
        console.print(f"review: {each['requirement']} ({each['rule']})", highlight=False, markup=False)
        console.print(f"plan hash: {each['planHash']}", highlight=False, soft_wrap=True)
    if not answer["activation"]:
        console.print("no device would be touched")
    if answer["appliedFirst"]:
        console.print(f"planned after {answer['appliedFirst']} unfinished activations", style="dim")
    for note in answer["note"]:
        console.print(f"note: {note}", style="yellow", soft_wrap=True, markup=False)
