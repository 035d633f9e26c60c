"""``lastmile reconcile``, ``redeploy`` and ``rollback``: repairs as plans; asks the running platform."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from activation.paths import REPAIR_BASE
from api.client import ApiRefused, Client
from api.remote import DEFAULT_URL, Token, Url, platform

console = Console()

Paths = Annotated[list[str] | None, typer.Argument(help="Paths as 'lastmile drift' shows them; '*' for any text.")]
Reapply = Annotated[bool, typer.Option("--reapply", help="Bring back what is missing or changed.")]
Adopt = Annotated[bool, typer.Option("--adopt", help="Take what the device shows as intended; nothing is pushed.")]
Remove = Annotated[
    list[str] | None, typer.Option("--remove", help="Take this foreign configuration away (repeatable).")
]
ByPolicy = Annotated[bool, typer.Option("--by-policy", help="Only the places for which the platform's rules say so.")]
WithLater = Annotated[bool, typer.Option("--with-later", help="Take back as well what was built on it since.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for the end; the work goes on by itself.", min=0)]

RECONCILE: Final = (
    "Examples:  lastmile reconcile sw1 --reapply --dry-run   ·   lastmile reconcile sw1 --adopt 'vlan * / name'"
)
REDEPLOY: Final = "Example:  lastmile redeploy 0f6c… --dry-run"
ROLLBACK: Final = "Examples:  lastmile rollback lm-5c0b… --dry-run   ·   lastmile rollback lm-5c0b… --with-later"
PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.1


def reconcile_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    device: str,
    paths: Paths = None,
    reapply: Reapply = False,  # noqa: FBT002 - a flag, as typer declares it
    adopt: Adopt = False,  # noqa: FBT002 - the same
    remove: Remove = None,
    by_policy: ByPolicy = False,  # noqa: FBT002 - the same
    dry_run: DryRun = False,  # noqa: FBT002 - the same
    wait_s: Wait = PATIENCE_S,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Put DEVICE and its intended configuration together again: all that deviates, or only PATHS."""
    if reapply == adopt:
        raise typer.BadParameter("say either --reapply or --adopt", param_hint="--reapply/--adopt")
    body = {"action": "reapply" if reapply else "adopt", "subject": device, "paths": paths or []}
    more = {**({"remove": remove} if remove else {}), **({"byPolicy": True} if by_policy else {})}
    _repair({**body, **more}, dry_run=dry_run, wait_s=wait_s, access=(url, token))


def redeploy_command(
    service: str,
    dry_run: DryRun = False,  # noqa: FBT002 - a flag, as typer declares it
    wait_s: Wait = PATIENCE_S,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Render SERVICE anew with today's templates and push what differs or is missing on its devices."""
    _repair({"action": "redeploy", "subject": service}, dry_run=dry_run, wait_s=wait_s, access=(url, token))


def rollback_command(
    transaction: str,
    with_later: WithLater = False,  # noqa: FBT002 - a flag, as typer declares it
    dry_run: DryRun = False,  # noqa: FBT002 - the same
    wait_s: Wait = PATIENCE_S,
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Undo a past TRANSACTION on today's configuration; 'lastmile transactions' lists them."""
    body = {"action": "rollback", "subject": transaction, "withLater": with_later}
    _repair(body, dry_run=dry_run, wait_s=wait_s, access=(url, token))


def _repair(body: Mapping[str, Any], *, dry_run: bool, wait_s: float, access: tuple[str, str | None]) -> None:
    with platform(*access, timeout_s=PATIENCE_S) as client:
        if dry_run:
            _show_plan(client.post(f"{REPAIR_BASE}/dryRun", body))
            return
        monitor = _followed(client, client.post(REPAIR_BASE, body), wait_s)
    _show_end(monitor)
    if monitor["state"] == "InError":
        raise typer.Exit(1)


def _followed(client: Client, monitor: Mapping[str, Any], wait_s: float) -> Mapping[str, Any]:
    deadline_s = time.monotonic() + wait_s
    found: Mapping[str, Any] = monitor
    with console.status(f"{monitor['repair']['action']} {monitor['repair']['subject']}"):
        while found["state"] == "InProgress" and "reviewId" not in found and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
            answer = client.get(monitor["href"])
            if not isinstance(answer, dict):
                raise ApiRefused(f"{monitor['href']}: no monitor")
            found = answer
    return found


def _show_plan(planned: Mapping[str, Any]) -> None:
    for each in planned["devices"]:
        console.print(
            each["diff"] or f"{each['device']}: nothing to push", markup=False, highlight=False, soft_wrap=True
        )
    for consequence in planned["consequences"]:
        console.print(f"[yellow]note[/] {escape(consequence)}", soft_wrap=True, highlight=False)


def _show_end(monitor: Mapping[str, Any]) -> None:
    _show_plan(
        {"devices": monitor.get("plan", {}).get("devices", ()), "consequences": monitor["repair"]["consequences"]}
    )
    for error in monitor.get("errorMessage", ()):
        console.print(f"[red]{escape(error['message'])}[/]", soft_wrap=True, highlight=False)
    console.print(f"{monitor['state']}  {monitor['href']}", soft_wrap=True, highlight=False)
