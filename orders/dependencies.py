"""Which item of an order waits for which, by the relationships between them. Pure.

``dependency`` says when: the item is not begun before the other one is completed. ``reliesOn``, ``dependsOn`` and
``requires`` say what stands on what: what is added goes the same way, of two that are deleted the one that relies goes
first. Every other type of relationship is kept and means nothing here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from orders.errors import Problem

DEPENDENCY: Final = "dependency"
STANDING: Final = frozenset({"relieson", "dependson", "requires"})
WAITING: Final = STANDING | {DEPENDENCY}
MOST_WAITS: Final = 10_000
"""A relationship between two items that hold many others concerns each pair of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What an item says of another one.

    Attributes:
        target: the other item's id; None where it names none.
        path: where that id stands.
        order: the order that the other item belongs to, where it is said.
    """

    kind: str
    target: str | None
    path: str
    order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An item: its place among the others, and what it says of them."""

    id: str
    action: str
    above: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One item that is begun when another one is completed; ``path`` names the relationship that says so."""

    item: str
    other: str
    path: str


def dependency_problems(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield what is wrong with the relationships that make items wait; ids are taken to be unique."""
    wrong = tuple(_wrong_targets(nodes))
    yield from wrong
    if wrong or not any(node.relations for node in nodes):
        return
    forest = _Forest(nodes)
    pairs = 0
    for path, *ends in forest.relations():
        pairs += len(forest.waiters(*ends)) * len(forest.awaited(*ends))
        if pairs > MOST_WAITS:
            wrong_text = f"makes more than {MOST_WAITS} pairs of items wait for each other"
            yield Problem(path=path, wrong=wrong_text, legal="fewer items inside those that are related")
            return
    yield from _cycle(waits(nodes))


def waits(nodes: Sequence[Node]) -> tuple[Wait, ...]:
    """Return which item waits for which, items that are held with those that hold them."""
    forest = _Forest(nodes)
    return tuple(
        Wait(item=item, other=other, path=path)
        for path, before, after in forest.relations()
        for item in forest.waiters(before, after)
        for other in forest.awaited(before, after)
    )


def after(nodes: Sequence[Node], working: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each of the ``working`` items those of them that it waits for."""
    if not any(node.relations for node in nodes):
        return {}
    known = frozenset(working)
    found: dict[str, dict[str, None]] = {}
    for wait in waits(nodes):
        if {wait.item, wait.other} <= known:
            found.setdefault(wait.item, {})[wait.other] = None
    return {item: tuple(others) for item, others in found.items()}


def in_order(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the ids so that each comes after those that it waits for; empty where none waits."""
    if not any(node.relations for node in nodes):
        return ()
    rank = {node.id: number for number, node in enumerate(nodes)}
    sorter = TopologicalSorter({node.id: () for node in nodes})
    for wait in waits(nodes):
        sorter.add(wait.item, wait.other)
    sorter.prepare()
    found: list[str] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted((*ready, *sorter.get_ready()), key=rank.__getitem__)
        found.append(ready.pop(0))
        sorter.done(found[-1])
    return tuple(found)


def _wrong_targets(nodes: Sequence[Node]) -> Iterator[Problem]:
    known = {node.id for node in nodes}
    for node in nodes:
        for relation in _waiting(node):
            legal = "the id of another item of this order"
            if relation.order:
                wrong = f"an item of another order, {relation.order!r}, cannot be waited for"
                yield Problem(path=relation.path, wrong=wrong, legal=legal)
            elif relation.target is None:
                yield Problem(path=relation.path, wrong="is missing", legal=legal)
            elif relation.target == node.id:
                yield Problem(path=relation.path, wrong=f"{node.id!r} is the item itself", legal=legal)
            elif relation.target not in known:
                legal = ", ".join(sorted(known - {node.id})) or "none: the order has no other item"
                yield Problem(path=relation.path, wrong=f"there is no item {relation.target!r}", legal=legal)


def _waiting(node: Node) -> Iterator[Relation]:
    return (each for each in node.relations if each.kind.casefold() in WAITING)


def _cycle(found: Sequence[Wait]) -> Iterator[Problem]:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for wait in found:
        sorter.add(wait.item, wait.other)
    try:
        sorter.prepare()
    except CycleError as error:
        way: list[str] = list(reversed(error.args[1]))
        # Told from its smallest id on, so that the same mistake is always told alike.
        start = min(range(len(way) - 1), key=way.__getitem__)
        way = [*way[start:-1], *way[: start + 1]]
        path = next(wait.path for wait in found if (wait.item, wait.other) == (way[0], way[1]))
        yield Problem(path=path, wrong=f"the items wait for each other: {' → '.join(way)}", legal="no circle")


class _Forest:
    """The items with who holds whom."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes: Mapping[str, Node] = {node.id: node for node in nodes}
        self._inside: dict[str, list[str]] = {node.id: [node.id] for node in nodes}
        for node in nodes:
            for holder in node.above:
                self._inside[holder].append(node.id)

    def relations(self) -> Iterator[tuple[str, str, str]]:
        """Yield path, the item that waits, the one it waits for."""
        for node in self.nodes.values():
            for relation in _waiting(node):
                other = self.nodes[relation.target or ""]
                reverse = relation.kind.casefold() in STANDING and node.action == other.action == "delete"
                yield (relation.path, other.id, node.id) if reverse else (relation.path, node.id, other.id)

    def waiters(self, item: str, other: str) -> Sequence[str]:
        """Return who waits: the item with all inside it; the item alone where it holds the other one."""
        return [item] if item in self.nodes[other].above else self._inside[item]

    def awaited(self, item: str, other: str) -> Sequence[str]:
        """Return who is waited for: the other one with all inside it; it alone where it holds the item."""
        return [other] if other in self.nodes[item].above else self._inside[other]
