"""``lastmile inventory show``: a product, service or resource down to device and port, with all that happened to it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from api.client import ApiRefused, Client
from api.remote import DEFAULT_URL, Token, Url, platform
from orders.documents import BASES

console = Console()
EPILOG: Final = (
    "Examples:  lastmile inventory show 2e0615e4-…   ·   lastmile inventory show olt1   ·   "
    "lastmile inventory show 2e0615e4-… --no-history"
)
_STYLES: Final = {"product": "bold green", "service": "cyan", "resource": "yellow", "device": "bold magenta"}
_STATE_KEYS: Final = ("status", "state", "resourceStatus")
_CHARACTERISTICS: Final = ("productCharacteristic", "serviceCharacteristic", "resourceCharacteristic")
_PORTS: Final = ("ponPort", "accessInterface", "uplinkInterface", "routerInterface")
Found = tuple[str, Mapping[str, Any]]


def show_command(
    key: Annotated[str, typer.Argument(help="Id of a product, a service, a resource or a device.", metavar="ID")],
    history: Annotated[bool, typer.Option(help="Show what happened to everything in the tree.")] = True,  # noqa: FBT002 - a flag
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Draw what stands behind ID, product → services → resources → device and port, and what happened to all of it."""
    with platform(url, token) as client:
        seen: dict[str, Found] = {}
        tree = _tree(client, *_find(client, key), seen)
        told = _histories(client, seen) if history else []
    console.print(tree, highlight=False)
    if told:
        console.print(_table(told))


def _find(client: Client, key: str) -> Found:
    for kind in ("product", "service", "resource"):
        answer = client.http.get(f"{BASES[kind]}/{quote(key, safe='')}")
        if answer.is_success:
            return kind, answer.json()
        if answer.status_code != 404:  # noqa: PLR2004 - not found
            raise ApiRefused(f"{kind} {key}: {answer.status_code}: {answer.text}")
    raise ApiRefused(f"no product, service or resource has the id {key!r}")


def _tree(client: Client, kind: str, document: Mapping[str, Any], seen: dict[str, Found]) -> Tree:
    seen[document["id"]] = (kind, document)
    tree = Tree(_label(kind, document))
    for name in _CHARACTERISTICS:
        for each in document.get(name) or ():
            tree.add(f"[dim]{escape(each['name'])}[/] {escape(str(each['value']))}")
    for inner, key in _below(kind, document):
        if key in seen:
            continue
        answer = client.http.get(f"{BASES[inner]}/{quote(key, safe='')}")
        if answer.is_success:
            tree.add(_tree(client, inner, answer.json(), seen))
        else:
            tree.add(f"[dim]{inner} {escape(key)}: gone[/]")
    for port in _ports(document):
        tree.add(port)
    return tree


def _below(kind: str, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if kind == "product":
        for each in document.get("productRelationship") or ():
            if each["relationshipType"] == "bundled":
                yield "product", each["product"]["id"]
        yield from (("service", each["id"]) for each in document.get("realizingService") or ())
    elif kind == "service":
        yield from (("service", each["id"]) for each in document.get("supportingService") or ())
        yield from (("resource", each["id"]) for each in document.get("supportingResource") or ())
    else:
        yield from (("resource", each["id"]) for each in document.get("resourceRelationship") or ())


def _ports(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the device and its ports where the device is drawn elsewhere in the tree."""
    values = {each["name"]: each["value"] for each in document.get("resourceCharacteristic") or ()}
    ports = [f"{name} {values[name]}" for name in _PORTS if name in values]
    hosts = [each["id"] for each in document.get("resourceRelationship") or ()]
    if hosts and ports:
        yield f"[bold magenta]{escape(hosts[0])}[/] {escape(', '.join(ports))}"


def _label(kind: str, document: Mapping[str, Any]) -> str:
    shown = "device" if document.get("category") == "device" else kind
    state = next((str(document[key]).strip() for key in _STATE_KEYS if key in document), "")
    name = escape(str(document.get("name", "")))
    return f"{shown} [{_STYLES[shown]}]{name or escape(document['id'])}[/] {escape(document['id'])} [dim]{state}[/]"


def _histories(client: Client, seen: Mapping[str, Found]) -> list[tuple[str, Mapping[str, Any]]]:
    told = [
        (f"{kind} {document.get('name', key)}", each)
        for number, (key, (kind, document)) in enumerate(seen.items())
        if number == 0 or document.get("category") != "device"
        for each in client.get(f"{BASES[kind]}/{quote(key, safe='')}/history")
    ]
    return sorted(told, key=lambda each: each[1]["at"])


def _table(told: Sequence[tuple[str, Mapping[str, Any]]]) -> Table:
    drawn = Table("at", "what", "", "by", "order", "changed", box=None, pad_edge=False, header_style="dim")
    for name, each in told:
        changed = [f"{one['attribute']} {_value(one['from'])} → {_value(one['to'])}" for one in _shown(each)]
        order = each.get("order", {}).get("id", "")
        drawn.add_row(
            each["at"], escape(name), each["state"], escape(each.get("by", "")), order, escape("; ".join(changed))
        )
    return drawn


def _shown(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the changes of single values; how something was made is seen in the tree."""
    if entry["version"] == 1:
        return []
    plain = (str, int, float, bool, type(None))
    return [each for each in entry["change"] if isinstance(each["from"], plain) and isinstance(each["to"], plain)]


def _value(value: object) -> str:
    return "-" if value is None else str(value)
