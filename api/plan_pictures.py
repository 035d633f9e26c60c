"""Plans on a terminal: the change per device, who else is there, and what is to be signed."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

SHOWN_NEIGHBOURS: Final = 10


def devices(plan: Iterable[Mapping[str, Any]], *, edits: bool = False) -> RenderableType:
    """Return the change of each device as a coloured diff, with the native lines and their inverse where wanted."""
    parts: list[RenderableType] = []
    for device in plan:
        parts.append(Text.assemble(("● ", "cyan"), (device["device"], "bold"), f"  {device['platform']}"))
        if not device["edit"]:
            parts.append(Padding(Text("no change: nothing is sent to this device", "dim"), (0, 0, 1, 2)))
            continue
        parts.append(_block(device["diff"], "diff"))
        if edits:
            lexer = "xml" if device["edit"].lstrip().startswith("<") else "text"
            parts += [Text("  what is sent", "dim"), _block(device["edit"], lexer)]
            parts += [Text("  what undoes it", "dim"), _block(device["inverse"], lexer)]
    return Group(*parts)


def neighbours(radius: Mapping[str, Any]) -> RenderableType:
    """Return who else is on the touched nodes: how many where, and the first of them by name."""
    if not radius["services"]:
        return Text("blast radius: no other service is on the touched nodes", "dim")
    where = ", ".join(f"{name} {count}" for name, count in radius["devices"].items() if count)
    table = Table("service", "customer", "order", box=None, pad_edge=False, header_style="dim")
    for each in radius["service"][:SHOWN_NEIGHBOURS]:
        label = f"{each.get('name', '')} {each['id']}".strip()
        table.add_row(label, each.get("customer", ""), each.get("externalId") or each.get("order", ""))
    more = len(radius["service"]) - SHOWN_NEIGHBOURS
    parts: list[RenderableType] = [
        Text(f"blast radius: {radius['services']} other services ({where})", "yellow"),
        table,
    ]
    return Group(*parts, *([Text(f"… and {more} more: --json has them all", "dim")] if more > 0 else []))


def _block(text: str, lexer: str) -> RenderableType:
    code = Syntax(text.rstrip(), lexer, theme="ansi_dark", background_color="default")
    return Padding(code, (0, 0, 1, 2))
