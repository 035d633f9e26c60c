"""``lastmile catalog``: what is wrong with a catalog, and what an offering would decompose into."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from activation.intent import load_intents
from activation.platforms import load_platforms
from activation.render import SUFFIX
from api.catalog_pictures import json_of, mermaid_of, tree_of
from api.catalog_transfer import export_command, import_command, stored_catalog
from api.errors import CatalogRefused
from api.remote import DEFAULT_URL, Token, Url
from api.settings import Settings
from api.wiring import TEMPLATES, catalog_folders
from api.wiring_catalog import known_intents
from api.wiring_lab import NETWORK_FILE, links_of
from inventory.errors import NotServed
from inventory.model import Network, Premises
from inventory.network_file import load_network_file
from inventory.topology import Surroundings as Cables
from inventory.topology import access_path
from labs.runtimes.places import topology_file
from labs.topology import load_topology, prepared
from orders.catalog.explain import Landing, Question, explain
from orders.catalog.lint import Surroundings, lint, place_values
from orders.catalog.load import examine, load_catalog
from orders.catalog.model import ref_of_text

catalog_app = typer.Typer(help="The catalog: offerings, specifications, decomposition.", no_args_is_help=True)
console = Console()
STYLES = {"error": "bold red", "warning": "yellow"}
Stored = Annotated[bool, typer.Option("--stored", help="The catalog of the running platform (--url, --token).")]
catalog_app.command(
    "export",
    epilog="Examples:  lastmile catalog export   ·   lastmile catalog export catalog.yaml --url http://noc:8640",
)(export_command)
catalog_app.command(
    "import",
    epilog="Examples:  lastmile catalog import my-catalog --dry-run   ·   lastmile catalog import fibre.yaml   ·   "
    "lastmile catalog import a.yaml b.yaml --all",
)(import_command)
LabOption = Annotated[str | None, typer.Option(help="Lab whose catalog and places count (ftth), or 'none'.")]


@catalog_app.command(
    "lint",
    epilog="Examples:  lastmile catalog lint   ·   lastmile catalog lint my-catalog   ·   "
    "lastmile catalog lint --lab metro --json   ·   lastmile catalog lint --stored",
)
def lint_command(
    folder: Annotated[Path | None, typer.Argument(help="Folder with *.yaml files (the shipped catalog).")] = None,
    lab: LabOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
    stored: Stored = False,  # noqa: FBT002 - a flag
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Say everything that is wrong with a catalog at once, and what is probably not meant.

    Errors stop the start: ill-shaped entries, dangling references, cycles, services without an intent. Warnings do not:
    entries no offering leads to, conditions that always or never hold. The exit code is 1 where there are errors.
    """
    settings = Settings.read(os.environ, lab=lab)
    folders = [folder] if folder is not None else catalog_folders(settings)
    examined = stored_catalog(url, token) if stored else examine(*folders)
    network = _network(settings)
    places = place_values(each.attributes for each in network.premises) if network.premises else None
    findings = lint(examined, Surroundings(intents=known_intents(TEMPLATES), places=places))
    if as_json:
        told = [{"weight": each.weight, **_told(each.problem)} for each in findings]
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
    for each in () if as_json else findings:
        style = STYLES[each.weight]
        console.print(f"[{style}]{each.weight}[/]", end=" ")
        console.print(str(each.problem), highlight=False, markup=False, soft_wrap=True)
    errors = sum(each.weight == "error" for each in findings)
    if not as_json:
        console.print(f"{errors} errors, {len(findings) - errors} warnings", highlight=False)
    if errors:
        raise typer.Exit(1)


@catalog_app.command(
    "explain",
    epilog="Examples:  lastmile catalog explain fibre-100   ·   lastmile catalog explain fibre-100 --place ADDR-1015 "
    "--set ontSerialNumber=LMLE0000A015   ·   lastmile catalog explain fibre-100@1.0 --mermaid   ·   "
    "lastmile catalog explain fibre-100 --stored",
)
def explain_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    offering: Annotated[str, typer.Argument(help="Id of a product offering, or id@version.")],
    place: Annotated[str | None, typer.Option(help="Id of the premises: decides conditions, names devices.")] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="A characteristic: name=value. Repeatable.")] = None,
    lab: LabOption = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Folder of the catalog (the shipped one).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - a flag
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid graph.")] = False,  # noqa: FBT002 - a flag
    stored: Stored = False,  # noqa: FBT002 - a flag
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Show what an offering decomposes into: specifications, resources with pools, templates, devices, conditions.

    What is not known yet stands as the expression that gives it; ✓ and ✗ say whether a condition holds, ? that more
    has to be said with --place or --set.
    """
    settings = Settings.read(os.environ, lab=lab)
    folders = [folder] if folder is not None else catalog_folders(settings)
    catalog = stored_catalog(url, token).book.catalog if stored else load_catalog(*folders)
    wanted = catalog.offering(ref_of_text(offering))
    network = _network(settings)
    premises = _premises(network, place) if place is not None else None
    question = Question(
        offering=wanted,
        given=_given(given or ()),
        place={"id": place, "role": "installationAddress", **premises.attributes} if premises is not None else None,
        landings=_landings(_devices(settings, premises) if premises is not None else {}),
    )
    root = explain(catalog, question)
    if as_json:
        typer.echo(json.dumps(json_of(root), indent=2, ensure_ascii=False))
    elif mermaid:
        typer.echo(mermaid_of(root))
    else:
        console.print(tree_of(root), highlight=False)


def _told(problem: Any) -> dict[str, str]:  # noqa: ANN401 - a Problem of orders.errors
    return {"path": problem.path, "wrong": problem.wrong, "legal": problem.legal}


def _network(settings: Settings) -> Network:
    if settings.lab is None:
        return Network()
    file = topology_file(settings.lab, Path()).parent / NETWORK_FILE
    return load_network_file(file) if file.exists() else Network()


def _premises(network: Network, place: str) -> Premises:
    found = next((each for each in network.premises if each.place_id == place), None)
    if found is None:
        known = ", ".join(each.place_id for each in network.premises[:8]) or "none"
        raise CatalogRefused(f"--place: nobody knows {place!r}; known: {known}")
    return found


def _given(texts: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise CatalogRefused(f"--set: {text!r} is not legal; legal: name=value")
        found[name] = yaml.safe_load(value)
    return found


def _landings(devices: Mapping[str, str]) -> dict[str, Landing]:
    platforms = load_platforms(TEMPLATES)
    return {
        name: Landing(
            role=spec.device,
            device=devices.get(spec.device, ""),
            templates=tuple(
                f"templates/{platform}/{name}{SUFFIX[rules.dialect]}"
                for platform, rules in sorted(platforms.items())
                if (TEMPLATES / platform / f"{name}{SUFFIX[rules.dialect]}").exists()
            ),
        )
        for name, spec in load_intents(TEMPLATES / "intents.yaml").items()
    }


def _devices(settings: Settings, premises: Premises) -> dict[str, str]:
    """Return the device of each role on the way from the premises, where the lab has one."""
    if settings.lab is None:
        return {}
    topology = prepared(load_topology(topology_file(settings.lab, Path()), os.environ))
    roles = {
        name: node.labels["lastmile.role"] for name, node in topology.nodes.items() if "lastmile.role" in node.labels
    }
    try:
        path = access_path(premises.place_id, premises.olt, Cables(roles=roles, links=links_of(topology)))
    except NotServed:
        return {}
    return {"olt": path.olt, "switch": path.switch, "router": path.router}
