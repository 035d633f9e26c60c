"""``lastmile order``: what is ordered, for whom it waits, and what people can ask of it; asks the running platform."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from api import order_pictures
from api.client import PRODUCT_ORDERS, ApiRefused, Client
from api.plan_commands import Json
from api.remote import DEFAULT_URL, Token, Url, platform

order_app = typer.Typer(help="Orders: list, look into, hold, mend, cancel.", no_args_is_help=True)
console = Console()

Id = Annotated[str, typer.Argument(help="A product or service order's id, or how it begins.", metavar="ID")]
Why = Annotated[str, typer.Option("--reason", "-m", help="What others are to know about it.")]
MayWhy = Annotated[str, typer.Option("--reason", "-m", help="What others are to know about it.", show_default=False)]
Item = Annotated[str, typer.Option("--item", help="The item; the one that waits, where there is no other.")]
Values = Annotated[list[str], typer.Option("--set", help="A characteristic, as name=value; value as JSON or text.")]
ToPort = Annotated[str, typer.Option("--port", help="Another PON port that is to serve the item.")]
OnDevice = Annotated[str, typer.Option("--device", help="The OLT of --port; the one that it is on, without this.")]
Offering = Annotated[str, typer.Option("--offering", help="The product offering instead, of the same specification.")]
Adds = Annotated[list[str], typer.Option("--add", help="An item that comes: JSON, or a file with it.")]
Removes = Annotated[list[str], typer.Option("--remove", help="The id of an item that goes.")]
State = Annotated[str, typer.Option("--state", help="Only orders in this state.")]
Waiting = Annotated[bool, typer.Option("--waiting", help="Only orders that wait for somebody.")]
_BASES: Final[Mapping[str, str]] = {
    "productOrder": PRODUCT_ORDERS,
    "serviceOrder": "/tmf-api/serviceOrdering/v4/serviceOrder",
}
_PAGE: Final = 1000
SHORT: Final = 8
"""Characters of an id that a table shows; any beginning that only one order has is enough to name it."""


@order_app.command("list", epilog="Examples:  lastmile order list   ·   lastmile order list --waiting --state held")
def list_command(
    state: State = "",
    waiting: Waiting = False,  # noqa: FBT002 - a flag, as typer declares it
    as_json: Json = False,  # noqa: FBT002 - the same
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """List product orders, newest first, with whom they wait for."""
    query = f"state={state}&" if state else ""
    with platform(url, token) as client:
        found = [each for each in _orders(client, PRODUCT_ORDERS, query) if each.get("waitingFor") or not waiting]
    found.sort(key=lambda each: str(each["orderDate"]), reverse=True)
    if as_json:
        console.print_json(json.dumps(found))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("id", "state", "ordered"):
        table.add_column(column, no_wrap=True)
    table.add_column("what", overflow="fold")
    for column in ("waits for", "since"):
        table.add_column(column, no_wrap=True)
    for each in found:
        first: Mapping[str, Any] = next(iter(each.get("waitingFor", ())), {})
        row = (order_pictures.what(each), first.get("for", ""), str(first.get("since", ""))[:16])
        table.add_row(each["id"][:SHORT], each["state"], each["orderDate"][:16], *row)
    console.print(table if found else "no orders", soft_wrap=True)


@order_app.command("show", epilog="Example:  lastmile order show 3f0c")
def show_command(
    order: Id,
    as_json: Json = False,  # noqa: FBT002 - a flag, as typer declares it
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Show one order: its items, whom it waits for and since when, its notes, and what can be done next."""
    with platform(url, token) as client:
        kind, key = _found(client, order)
        document = client.get(f"{_BASES[kind]}/{key}")
    if as_json:
        console.print_json(json.dumps(document))
        return
    console.print(order_pictures.head(document), soft_wrap=True)
    console.print(order_pictures.waiting(document), soft_wrap=True)
    console.print(order_pictures.notes(document), soft_wrap=True)


@order_app.command("tree", epilog="Example:  lastmile order tree 3f0c")
def tree_command(
    order: Id,
    as_json: Json = False,  # noqa: FBT002 - a flag, as typer declares it
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Show the whole chain of a product order, down to the devices, and the next sensible command."""
    with platform(url, token) as client:
        kind, key = _found(client, order)
        if kind != "productOrder":
            above = client.get(f"{_BASES[kind]}/{key}").get("externalId", "")
            raise ApiRefused(f"{key} is a service order; 'lastmile order show {key[:SHORT]}', or the tree of {above!r}")
        tree = client.tree(key)
    if as_json:
        console.print_json(json.dumps(tree))
        return
    console.print(order_pictures.tree(tree), soft_wrap=True)
    console.print(order_pictures.waiting(tree["productOrder"]), soft_wrap=True)


@order_app.command(
    "repair",
    epilog="Examples:  lastmile order repair 3f0c --set ontSerialNumber=ALCL0000A1B2   ·   "
    "lastmile order repair 3f0c --port 1/1/4   ·   lastmile order repair 3f0c --device olt2 --port pon1",
)
def repair_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    order: Id,
    values: Values = [],  # noqa: B006 - typer's way to say none
    port: ToPort = "",
    device: OnDevice = "",
    item: Item = "",
    reason: MayWhy = "",
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Change characteristics of an item that failed, or put it on another port, and take the step again."""
    if not values and not port:
        raise typer.BadParameter("nothing is to be otherwise; legal: --set name=value, --port PORT", param_hint="--set")
    elsewhere = {name: value for name, value in (("port", port), ("device", device)) if value}
    body = {"reason": reason, **_named(item), "characteristic": _values(values), **elsewhere}
    _ask(order, "repair", body, url, token)


@order_app.command(
    "amend",
    epilog="Examples:  lastmile order amend 3f0c --set ontSerialNumber=ALCL0000A1B2   ·   "
    "lastmile order amend 3f0c --offering fibre-500   ·   lastmile order amend 3f0c --add item.json --remove 2",
)
def amend_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    order: Id,
    values: Values = [],  # noqa: B006 - typer's way to say none
    offering: Offering = "",
    add: Adds = [],  # noqa: B006 - the same
    remove: Removes = [],  # noqa: B006 - the same
    item: Item = "",
    reason: MayWhy = "",
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Change what was ordered while it is under way, or have items come or go; only what differs is changed."""
    sold_by = {"productOffering": {"id": offering}} if offering else {}
    body = {"reason": reason, **_named(item), "characteristic": _values(values), **sold_by, "remove": remove}
    items = [_item(text) for text in add]
    with platform(url, token) as client:
        kind, key = _found(client, order)
        document = client.post(
            f"/lastmile/v1/{kind}/{key}/amend", {**body, **({f"{kind}Item": items} if items else {})}
        )
    _line(f"amend: order {document['id']} is {document['state']}; 'lastmile order show {key[:SHORT]}' shows it")


@order_app.command("answer", epilog="Example:  lastmile order answer 3f0c --set ontSerialNumber=ALCL0000A1B2")
def answer_command(
    order: Id,
    values: Values = [],  # noqa: B006 - typer's way to say none
    item: Item = "",
    reason: MayWhy = "",
    url: Url = DEFAULT_URL,
    token: Token = None,
) -> None:
    """Answer what a manual task asks; the order goes on."""
    _ask(order, "answer", {"reason": reason, **_named(item), "characteristic": _values(values)}, url, token)


@order_app.command("cancel", epilog='Example:  lastmile order cancel 3f0c -m "the customer moved"')
def cancel_command(order: Id, reason: Why, url: Url = DEFAULT_URL, token: Token = None) -> None:
    """Cancel an order: what was done is undone at every layer."""
    with platform(url, token) as client:
        kind, key = _found(client, order)
        collection = _BASES[kind].replace(kind, f"cancel{kind[0].upper()}{kind[1:]}")
        task = client.post(collection, {kind: {"id": key}, "cancellationReason": reason})
    _line(f"{task['state']}  {task['href']}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verb:
    """What people ask of an order, or of one item of it, in a word and with a reason.

    Attributes:
        needs_reason: whether others have to be told why.
    """

    help: str
    example: str
    is_of_item: bool
    needs_reason: bool = True

    def command(self, name: str) -> Callable[..., None]:
        """Return the command line's function for it."""

        def of_order(order: Id, reason: Why, url: Url = DEFAULT_URL, token: Token = None) -> None:
            _ask(order, name, {"reason": reason}, url, token)

        def of_item(order: Id, reason: Why, item: Item = "", url: Url = DEFAULT_URL, token: Token = None) -> None:
            _ask(order, name, {"reason": reason, **_named(item)}, url, token)

        def order_maybe_why(order: Id, reason: MayWhy = "", url: Url = DEFAULT_URL, token: Token = None) -> None:
            of_order(order, reason, url, token)

        def item_maybe_why(
            order: Id, item: Item = "", reason: MayWhy = "", url: Url = DEFAULT_URL, token: Token = None
        ) -> None:
            of_item(order, reason, item, url, token)

        if self.needs_reason:
            return of_item if self.is_of_item else of_order
        return item_maybe_why if self.is_of_item else order_maybe_why


_VERBS: Final[Mapping[str, _Verb]] = {
    "hold": _Verb(
        help="Begin nothing new of an order until it is resumed; what is on a device goes to its end.",
        example='lastmile order hold 3f0c -m "storm damage"',
        is_of_item=False,
    ),
    "resume": _Verb(
        help="Let an order go on that was put on hold.",
        example="lastmile order resume 3f0c",
        is_of_item=False,
        needs_reason=False,
    ),
    "note": _Verb(
        help="Write a note on an order.",
        example='lastmile order note 3f0c -m "called the customer"',
        is_of_item=False,
    ),
    "retry": _Verb(
        help="Take the step of an item again that failed.",
        example="lastmile order retry 3f0c",
        is_of_item=True,
        needs_reason=False,
    ),
    "skip": _Verb(
        help="Declare that the failed step was done by hand; the inventory says so, and the drift check proves it.",
        example='lastmile order skip 3f0c -m "done by hand at the console"',
        is_of_item=True,
    ),
    "compensate": _Verb(
        help="Give a failed item up: what it took is given back, and it ends as failed.",
        example='lastmile order compensate 3f0c --item 1 -m "port is dead"',
        is_of_item=True,
    ),
}


def _ask(order: str, action: str, body: Mapping[str, Any], url: str, token: str | None) -> None:
    with platform(url, token) as client:
        kind, key = _found(client, order)
        document = client.post(f"/lastmile/v1/{kind}/{key}/{action}", body)
    _line(f"{action}: order {document['id']} is {document['state']}; 'lastmile order show {key[:SHORT]}' shows it")


def _named(item: str) -> dict[str, str]:
    return {"item": item} if item else {}


def _values(given: Sequence[str]) -> list[dict[str, Any]]:
    """Return ``name=value`` texts as characteristics.

    Raises:
        typer.BadParameter: one is not of that form.
    """
    found = []
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{text!r}; legal: name=value", param_hint="--set")
        found.append({"name": name, "value": _value(value)})
    return found


def _item(text: str) -> dict[str, Any]:
    """Return an order item that is given as JSON, or as a file.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        found: object = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{text!r}: {error}; legal: an item as JSON, or a file", param_hint="--add") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{text!r} holds no item; legal: one JSON object", param_hint="--add")
    return found


def _value(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float | list) else text


def _orders(client: Client, base: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := client.get(f"{base}?{query}offset={len(found)}&limit={_PAGE}"):
        found += page
    return found


def _found(client: Client, beginning: str) -> tuple[str, str]:
    """Return the kind and the id of the order whose id begins so."""
    every: list[tuple[str, str]] = []
    for kind, base in _BASES.items():
        every += [(kind, str(each["id"])) for each in _orders(client, base, "fields=id&")]
    found = [(kind, key) for kind, key in every if key.startswith(beginning)]
    exact = [(kind, key) for kind, key in found if key == beginning]
    if exact or len(found) == 1:
        return (exact or found)[0]
    names = ", ".join(f"{kind} {key}" for kind, key in found[:5])
    what = f"several orders begin with {beginning!r}: {names}" if found else f"no order is {beginning!r}"
    raise ApiRefused(f"{what}; 'lastmile order list' shows them")


def _line(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


for _name, _verb in _VERBS.items():
    order_app.command(_name, help=_verb.help, epilog=f"Example:  {_verb.example}")(_verb.command(_name))
