"""What ``lastmile order`` draws: an order, its chain, for whom it waits, and the next sensible command."""

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from api.demo import pictures

SHORT: Final = 8
_COMMANDS: Final[Mapping[str, str]] = {
    "resume": "resume {id}",
    "retry": "retry {id}{item}",
    "skip": 'skip {id}{item} -m "…"',
    "repair": "repair {id}{item} --set name=value  # or --port PORT",
    "amend": "amend {id}{item} --set name=value",
    "compensate": 'compensate {id}{item} -m "…"',
    "answer": "answer {id}{item}{asked}",
    "cancel": 'cancel {id} -m "…"',
    "hold": 'hold {id} -m "…"',
    "note": 'note {id} -m "…"',
}


def what(order: Mapping[str, Any]) -> str:
    """Return what a product order is about, in a word or two per item."""
    items = order.get("productOrderItem") or order.get("serviceOrderItem") or ()
    found = (f"{each['action']} {_thing(each)}".strip() for each in items)
    return ", ".join(found)


def head(order: Mapping[str, Any]) -> RenderableType:
    """Return the order's id and state, and its items with theirs."""
    lines = [Text.assemble((order["id"], "bold"), "  ", _state(order["state"]))]
    for item in order.get("productOrderItem") or order.get("serviceOrderItem") or ():
        lines.append(Text.assemble(f"  item {item['id']}  {item['action']} {_thing(item)}  ", _state(item["state"])))
        lines += [Text(f"    {each.get('message', '')}", "red") for each in item.get("errorMessage", ())]
    return Group(*lines)


def waiting(order: Mapping[str, Any]) -> RenderableType:
    """Return for whom the order waits, since when, and what can be asked of it now, as commands."""
    lines: list[Text] = []
    for each in order.get("waitingFor", ()):
        item = f" (item {each['item']})" if each.get("item") else ""
        role = f" {each['role']}" if each.get("role") else ""
        lines.append(
            Text.assemble("waits for ", (f"{each['for']}{role}", "bold yellow"), f"{item} since {each['since']}")
        )
        lines.append(Text(f"  {each['text']}"))
        lines += [Text(f"  lastmile order {_command(name, order, each)}", "cyan") for name in each.get("legal", ())]
    return Group(*lines)


def notes(order: Mapping[str, Any]) -> RenderableType:
    """Return the order's notes: who said what, and when."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in order.get("note", ()):
        table.add_row(str(each.get("date", ""))[:19], str(each.get("author", "")), Text(str(each.get("text", ""))))
    return table


def tree(found: Mapping[str, Any]) -> Tree:
    """Return the whole chain, each resource with its state; errors in the device's words."""
    top = pictures.order_tree(found)
    for order in found["serviceOrder"]:
        for error in order.get("errorMessage", ()):
            top.add(Text(str(error.get("message") or error.get("reason", "")), "red"))
    return top


def _thing(item: Mapping[str, Any]) -> str:
    named = item.get("productOffering") or item.get("service", {}).get("serviceSpecification") or {}
    return str(named.get("id", ""))


def _state(state: str) -> tuple[str, str]:
    return state, pictures.STYLES.get(state, "yellow")


def _command(name: str, order: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    several = len(order.get("waitingFor", ())) > 1
    item = f" --item {entry['item']}" if several and entry.get("item") else ""
    asked = "".join(f" --set {each['name']}=…" for each in entry.get("asks", ()))
    return _COMMANDS.get(name, name + " {id}").format(id=order["id"][:SHORT], item=item, asked=asked)
