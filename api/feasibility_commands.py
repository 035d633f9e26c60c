"""``lastmile feasibility``: what could be delivered where; asks the running platform."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
import yaml
from rich.console import Console
from rich.markup import escape

from api.errors import CatalogRefused
from api.paths import CHECKS
from api.remote import DEFAULT_URL, Token, Url, platform

console = Console()
NOT_FEASIBLE: Final = 1
EPILOG: Final = (
    "Exit status: 0 feasible, 1 not.   "
    "Examples:  lastmile feasibility internet-access ADDR-1015   ·   "
    "lastmile feasibility internet-access ADDR-1015 --set downstreamMbps=500   ·   "
    "lastmile feasibility internet-access ADDR-1015 --offering fibre-1000   ·   "
    "lastmile feasibility internet-access ADDR-9999 --alternatives --json"
)


def feasibility_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    service: Annotated[str, typer.Argument(help="Id of a customer-facing service specification.")],
    place: Annotated[str, typer.Argument(help="Id of the premises.")],
    given: Annotated[list[str] | None, typer.Option("--set", help="A characteristic: name=value. Repeatable.")] = None,
    offering: Annotated[str, typer.Option("--offering", help="The product offering that is to sell it there.")] = "",
    alternatives: Annotated[bool, typer.Option("--alternatives", help="Say what could be had instead.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print what the API answers.")] = False,  # noqa: FBT002 - a flag
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Say whether SERVICE could be delivered at PLACE now, by which port and from which pools; nothing is reserved."""
    item: dict[str, Any] = {
        "id": "1",
        "service": {
            "serviceSpecification": {"id": service},
            "place": [{"id": place, "role": "installationAddress"}],
            "serviceCharacteristic": [_characteristic(each) for each in given or ()],
        },
    }
    if offering:
        item["productOffering"] = {"id": offering}
    with platform(url, token) as client:
        found = client.post(CHECKS, {"provideAlternative": alternatives, "serviceQualificationItem": [item]})
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _show(found["serviceQualificationItem"][0])
    if found["qualificationResult"] != "qualified":
        raise typer.Exit(NOT_FEASIBLE)


def _show(item: Mapping[str, Any]) -> None:
    is_feasible = item["qualificationItemResult"] == "qualified"
    console.print("[green]feasible[/]" if is_feasible else "[bold red]not feasible[/]")
    for each in item.get("eligibilityUnavailabilityReason", ()):
        console.print(f"  {escape(each['label'])}", highlight=False, soft_wrap=True)
    for each in item["service"].get("supportingResource", ()):
        console.print(f"  {escape(each['resourceSpecification']['id'])}: {escape(each['name'])}", highlight=False)
    own = item.get("lastmile", {})
    for each in own.get("free", ()):
        console.print(f"  [dim]{each['kind']} {escape(each['pool'])}: {each['free']} of {each['size']} free[/]")
    offered = own.get("offering", ())
    if sold := [escape(each["id"]) for each in offered if each["sold"]]:
        console.print(f"  sold as {', '.join(sold)}", highlight=False, soft_wrap=True)
    for each in (each for each in offered if not each["sold"]):
        console.print(f"  [yellow]{escape(each['reason'])}[/]", highlight=False, soft_wrap=True)
    if own.get("notConsidered"):
        console.print(f"  [yellow]not considered: {', '.join(own['notConsidered'])}[/]", highlight=False)
    for each in item.get("alternateServiceProposal", ()):
        console.print(f"  possible instead: [green]{escape(each['id'])}[/]", highlight=False)


def _characteristic(text: str) -> dict[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CatalogRefused(f"--set: {text!r} is not legal; legal: name=value")
    return {"name": name, "value": yaml.safe_load(value)}
