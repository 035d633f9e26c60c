"""``lastmile device``: how the devices behave, and what lets one back; asks the running platform."""

import json
import sys
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.paths import DEVICES
from api.remote import DEFAULT_URL, Token, Url, platform

device_app = typer.Typer(help="Devices: sessions, quarantine, host keys.", no_args_is_help=True)
console = Console()

AsJson = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Key = Annotated[str, typer.Option("--key", help="The fingerprint that is meant (the one refused last).")]
_STYLES: Final = {"ok": "green", "failing": "yellow", "quarantined": "red", "keyChanged": "red"}


@device_app.command("list", epilog="Example:  lastmile device list")
def list_command(as_json: AsJson = False, url: Url = DEFAULT_URL, token: Token = None) -> None:  # noqa: FBT002 - a flag, as typer declares it
    """List the devices with their state, sessions and last error."""
    with platform(url, token) as client:
        found = client.get(DEVICES)
    if as_json:
        _print_json(found)
        return
    table = Table("device", "platform", "address", "state", "sessions", "last error", box=None, header_style="dim")
    for each in found:
        sessions = f"{each['sessions']['open']} of {each['sessions']['most']}"
        where = f"{each['address']}:{each['port']}"
        table.add_row(each["name"], each["platform"], where, _state(each), sessions, escape(each["lastError"] or ""))
    console.print(table if found else "none")


@device_app.command("show", epilog="Example:  lastmile device show olt1")
def show_command(name: str, as_json: AsJson = False, url: Url = DEFAULT_URL, token: Token = None) -> None:  # noqa: FBT002 - the same
    """Show all that is known of the device NAME."""
    with platform(url, token) as client:
        found = client.get(_path(name))
    if as_json:
        _print_json(found)
    else:
        _show(found)


@device_app.command("release", epilog="Example:  lastmile device release olt1")
def release_command(name: str, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Let the device NAME, which was left alone after failures, be asked again at once."""
    with platform(url, token) as client:
        _show(client.post(f"{_path(name)}/release", {}))


@device_app.command("trust", epilog="Example:  lastmile device trust olt1 --key SHA256:…")
def trust_command(name: str, key: Key = "", url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Accept the changed host key of the device NAME, after a replacement for example; compare it first."""
    with platform(url, token) as client:
        _show(client.post(f"{_path(name)}/trust?fingerprint={quote(key)}", {}))


def _path(name: str) -> str:
    return f"{DEVICES}/{quote(name, safe='')}"


def _state(found: dict[str, Any]) -> str:
    text = f"[{_STYLES[found['state']]}]{found['state']}[/]"
    return f"{text} until {found['quarantinedUntil']}" if found["state"] == "quarantined" else text


def _show(found: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("device", f"{found['name']}  ({found['platform']}, {found['role']})")
    table.add_row("address", f"{found['address']}:{found['port']}")
    table.add_row("state", _state(found))
    sessions = found["sessions"]
    table.add_row("sessions", f"{sessions['open']} open, {sessions['idle']} idle, {sessions['most']} at most")
    table.add_row("host key", found["hostKey"] or "none seen yet")
    if found["refusedHostKey"]:
        table.add_row("refused", f"[red]{found['refusedHostKey']}[/]   accept: lastmile device trust {found['name']}")
    if found["lastError"]:
        table.add_row("last error", f"{escape(found['lastError'])}  ({found['lastErrorAt']})")
    console.print(table)


def _print_json(found: object) -> None:
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
