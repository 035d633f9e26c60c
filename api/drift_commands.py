"""``lastmile drift``: devices against what their services want of them; asks the running platform."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from activation.paths import DRIFT_BASE
from api.client import ApiRefused, Client
from api.paths import LAST_DRIFT, SERVING
from api.remote import DEFAULT_URL, Token, Url, platform

console = Console()

Devices = Annotated[
    list[str] | None, typer.Argument(help="Devices; all that carry a service if none.", metavar="DEVICE…")
]
Whole = Annotated[bool, typer.Option("--whole", help="Show all that no service owns, wherever it stands.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Last = Annotated[bool, typer.Option("--last", help="Show what the last check found, and when; ask no device.")]
Diff = Annotated[bool, typer.Option("--diff", help="Show the deviations as a diff, from running to intended.")]

IN_SYNC: Final = 0
DRIFTED: Final = 1
FAILED: Final = 2
TOGETHER: Final = 8
"""Devices per request: often enough for a bar that moves."""
PATIENCE_S: Final = 300.0
SHOWN: Final = 50
PLACES: Final = 3
"""Deviations that a line of ``--last`` names."""
_STYLES: Final = {
    "inSync": "green",
    "drifted": "yellow",
    "unreadable": "red",
    "busy": "magenta",
    "unchecked": "dim",
}
_SIGNS: Final = {"missing": "[red]-[/]", "changed": "[yellow]~[/]", "foreign": "[cyan]+[/]"}

EPILOG: Final = (
    "Exit status: 0 in sync, 1 drift, 2 something could not be checked.   "
    "Examples:  lastmile drift   ·   lastmile drift --last   ·   lastmile drift sw1 --diff   ·   "
    "lastmile drift olt1 --whole --json"
)


def drift_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    devices: Devices = None,
    last: Last = False,  # noqa: FBT002 - a flag, as typer declares it
    whole: Whole = False,  # noqa: FBT002 - a flag, as typer declares it
    diff: Diff = False,  # noqa: FBT002 - the same
    as_json: AsJson = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Compare DEVICEs with what their services want: missing, changed and foreign configuration, and whose it is."""
    try:
        with platform(url, token, timeout_s=PATIENCE_S) as client:
            if last:
                found = _last(client, devices or ())
            else:
                found = _checked(client, devices or _carrying(client), whole=whole)
    except ApiRefused as refused:
        typer.echo(f"lastmile: {refused}", err=True)
        raise typer.Exit(FAILED) from refused
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    elif last:
        show_last(found)
    else:
        show(found, with_diff=diff)
    raise typer.Exit(verdict(found))


def verdict(found: Sequence[Mapping[str, Any]]) -> int:
    """Return the exit status that these findings deserve."""
    states = {each["state"] for each in found}
    if states - {"inSync", "drifted"}:
        return FAILED
    return DRIFTED if "drifted" in states else IN_SYNC


def show(found: Sequence[Mapping[str, Any]], *, with_diff: bool) -> None:
    """Print a table of the devices, then what deviates on each."""
    table = Table("device", "state", "services", "deviations", "", box=None, pad_edge=False, header_style="dim")
    for each in found:
        state = f"[{_STYLES[each['state']]}]{each['state']}[/]"
        ignored = f"{each['ignored']} ignored" if each.get("ignored") else ""
        table.add_row(
            escape(each["device"]),
            state,
            str(each.get("services", "")),
            str(len(each["deviations"])) if "deviations" in each else "",
            escape(each.get("reason", ignored)),
        )
    console.print(table if found else "no device carries a service")
    for each in found:
        if each.get("deviations"):
            _show_device(each, with_diff=with_diff)


def show_last(found: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of the devices as their last checks found them."""
    table = Table("device", "state", "checked", "deviations", "", box=None, pad_edge=False, header_style="dim")
    for each in found:
        places = [f"{_SIGNS[one['kind']]} {escape(one['path'])}" for one in each.get("deviations", ())]
        more = [f"and {len(places) - PLACES} more"] if len(places) > PLACES else []
        table.add_row(
            escape(each["device"]),
            f"[{_STYLES[each['state']]}]{each['state']}[/]",
            each.get("checkedAt", "never"),
            str(len(places)) if "deviations" in each else "",
            "\n".join([*places[:PLACES], *more]) or escape(each.get("reason", "")),
        )
    console.print(table if found else "no device carries a service")


def _show_device(each: Mapping[str, Any], *, with_diff: bool) -> None:
    console.print(f"\n[bold]{escape(each['device'])}[/]")
    for deviation in each["deviations"][:SHOWN]:
        _line(f"  {_SIGNS[deviation['kind']]} {deviation['kind']:<8}{escape(_what(deviation))}")
        _line(f"             [dim]{escape(_owners(deviation))}[/]")
        if change := deviation.get("changedBy"):
            _line(f"             [dim]changed by[/] {escape(_who(change))} [dim]{escape(change['at'])}[/]")
    if (more := len(each["deviations"]) - SHOWN) > 0:
        _line(f"  and {more} more; --json shows them all")
    for change in each.get("changes", ()):
        what = f"  {change['text']}" if change.get("paths") else ""
        _line(f"  [dim]{escape(change['at'])}  changed by[/] {escape(_who(change))}[dim]{escape(what)}[/]")
    if not each.get("tellsWho", True):
        _line(f"  [dim]who changed it: the device does not tell: {escape(each.get('whyNot', ''))}[/]")
    elif not each.get("changes"):
        _line("  [dim]who changed it: the device's log holds no change any more[/]")
    if with_diff:
        console.print(each["diff"], markup=False, highlight=False, soft_wrap=True)


def _who(change: Mapping[str, Any]) -> str:
    """Return who made a change, from where; a login of the platform's own does not say who used it."""
    if change["ours"]:
        return "this platform"
    login = " (the login of this platform)" if change.get("ownLogin") else ""
    source = f" from {change['source']}" if change.get("source") else ""
    session = f", session {change['session']}" if change.get("session") else ""
    return f"{change['who']}{login}{source}{session}"


def _what(deviation: Mapping[str, Any]) -> str:
    below = f" (and {deviation['below']} below)" if deviation.get("below") else ""
    values = f": {deviation['running']} instead of {deviation['wanted']}" if deviation["kind"] == "changed" else ""
    policy = f"   → {deviation['policy']}" if deviation["policy"] != "report" else ""
    return f"{deviation['path']}{values}{below}{policy}"


def _owners(deviation: Mapping[str, Any]) -> str:
    named = [" ".join(filter(None, (_whose(each), each["service"]))) for each in deviation["owners"][:3]]
    more = deviation["ownerCount"] - len(named)
    words = "inside what serves" if deviation["kind"] == "foreign" else "owned by"
    return f"{words} {', '.join(named)}{f' and {more} more' if more else ''}" if named else "owned by nobody"


def _whose(owner: Mapping[str, Any]) -> str:
    order = f"order {owner['productOrder']}, service" if "productOrder" in owner else "service"
    return f"{owner['customer']}: {order}" if "customer" in owner else order


def _line(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False)


def _carrying(client: Client) -> list[str]:
    return [str(name) for name in client.get(SERVING)]


def _last(client: Client, names: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(LAST_DRIFT)
    if unknown := sorted(set(names) - {each["device"] for each in found}):
        carrying = ", ".join(each["device"] for each in found) or "none"
        raise typer.BadParameter(f"{', '.join(unknown)} carry no service; those that do: {carrying}")
    return [each for each in found if not names or each["device"] in names]


def _checked(client: Client, names: Sequence[str], *, whole: bool) -> list[dict[str, Any]]:
    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn())
    found: list[dict[str, Any]] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(names))
        for at in range(0, len(names), TOGETHER):
            found += client.get(_checking(names[at : at + TOGETHER], whole=whole))
            bar.update(task, completed=len(found))
    return found


def _checking(names: Sequence[str], *, whole: bool) -> str:
    """Return the path and query of a check."""
    parts = [f"device={name}" for name in names] + (["whole=true"] if whole else [])
    return f"{DRIFT_BASE}?{'&'.join(parts)}"
