"""How ``lastmile catalog explain`` shows its tree: for a person, as JSON, as a Mermaid graph."""

from collections.abc import Iterator
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from orders.catalog.explain import Node

STYLES = {
    "offering": "bold green",
    "product": "bold",
    "relies on": "cyan",
    "CFS": "bold cyan",
    "RFS": "cyan",
    "resource": "yellow",
    "intent": "magenta",
    "template": "dim",
    "device": "bold magenta",
}
MARKS = {True: "[green]✓[/]", False: "[red]✗ not here[/]", None: "[yellow]?[/]"}


def tree_of(node: Node) -> Tree:
    """Return the tree as rich draws it."""
    tree = Tree(_label(node))
    for name, value in node.values.items():
        tree.add(f"[dim]{escape(name)}[/] {escape(_shown(value))}")
    for child in node.children:
        tree.add(tree_of(child))
    return tree


def json_of(node: Node) -> dict[str, Any]:
    """Return the tree as JSON values; a value that is not known yet is ``{"expression": …}``."""
    told = {
        "kind": node.kind,
        "id": node.id,
        "version": node.version,
        "name": node.name,
        "when": node.when,
        "values": {name: _json(value) for name, value in node.values.items()},
        "children": [json_of(child) for child in node.children],
    }
    holds = {} if node.holds is None else {"holds": node.holds}
    return {**{key: value for key, value in told.items() if value}, **holds}


def mermaid_of(node: Node) -> str:
    """Return the tree as a Mermaid graph."""
    return "\n".join(["graph LR", *_lines(node, "n")])


def _lines(node: Node, name: str) -> Iterator[str]:
    version = f" {node.version}" if node.version else ""
    yield f'  {name}["{node.kind}<br/>{node.id}{version}"]'
    for number, child in enumerate(node.children):
        inner = f"{name}_{number}"
        condition = child.when.replace('"', "'")
        yield f'  {name} -->|"{condition}"| {inner}' if condition else f"  {name} --> {inner}"
        yield from _lines(child, inner)


def _label(node: Node) -> str:
    version = f" {node.version}" if node.version else ""
    text = f"{node.kind} [{STYLES.get(node.kind, 'bold')}]{escape(node.id)}[/]{version}"
    if not node.when:
        return text
    return f"{text}  [dim]when[/] {escape(node.when)} {MARKS[node.holds]}"


def _shown(value: object) -> str:
    return str(value)


def _json(value: object) -> Any:  # noqa: ANN401 - JSON values of any type
    is_plain = isinstance(value, str | int | float | bool | list)
    return value if is_plain else {"expression": str(value).removeprefix("= ")}
