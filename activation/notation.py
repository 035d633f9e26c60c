"""What the two dialects have in common: a configuration as a set of nodes, and the seam to read, show and edit it.

A node is a :data:`~activation.model.Path` with its value in the last step, so that configurations can be compared,
united and subtracted as sets. The *slot* of a node is its path without that value: a slot holds one node at most.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import Final, Protocol, Self

from activation.model import Path
from activation.unified import Marked

Nodes = frozenset[Path]
NONE: Final[Mapping[Path, str]] = MappingProxyType({})

_DIGITS: Final = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of a configuration: everything below ``covers``, and the way down to it; ``covers`` None is all.

    Attributes:
        above: the nodes on the way down.
    """

    covers: frozenset[Path] | None = None
    above: frozenset[Path] = frozenset()

    @classmethod
    def of(cls, covers: Iterable[Path]) -> Self:
        """Return the scope of ``covers``."""
        chosen = frozenset(covers)
        return cls(chosen, frozenset(path for cover in chosen for path in lineage(cover)))

    def admits(self, slot: Path) -> bool:
        """Say whether ``slot`` is in the scope or leads to it."""
        return self.covers is None or slot in self.above or self.holds(slot)

    def holds(self, slot: Path) -> bool:
        """Say whether ``slot`` is a cover or stands below one."""
        return self.covers is None or any(path in self.covers for path in lineage(slot))


EVERYTHING: Final = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A topmost entry of a text, with all that stands in it.

    Attributes:
        nodes: its own node and those below, by slot.
        covers: what has to be read before it is made.
        body: what stands in it where it is written.
    """

    top: Path
    nodes: Mapping[Path, Path]
    covers: tuple[Path, ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """A text, read.

    Attributes:
        nodes: all nodes, by slot.
        whole: the topmost entries of which it is known how they are written, by their paths.
        apart: the nodes that stand in none of those, by slot.
    """

    nodes: Mapping[Path, Path]
    whole: Mapping[Path, Section] = field(default_factory=dict)
    apart: Mapping[Path, Path]

    @classmethod
    def unknown(cls, nodes: Mapping[Path, Path]) -> Self:
        """Return ``nodes`` where nothing is known of how they are written."""
        return cls(nodes=nodes, apart=nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """All that a plan says of one device, as texts.

    Attributes:
        edit: turns what stands before into what stands after; strict.
        inverse: the other way round; not strict.
        before: canonical text.
        after: canonical text.
        compared: the lines of both, each marked with what becomes of it.
    """

    edit: str
    inverse: str
    before: str
    after: str
    compared: Sequence[Marked]


class Notation(Protocol):
    """A dialect with the rules of one platform."""

    def parse(self, text: str, scope: Scope = EVERYTHING) -> Nodes:
        """Return the nodes of ``text`` that ``scope`` admits.

        Raises:
            PlanError: the text cannot be understood; names the place.
        """
        ...

    def read(self, text: str, scope: Scope = EVERYTHING) -> Mapping[Path, Path]:
        """Return what :meth:`parse` returns, by slot.

        Raises:
            PlanError: the text cannot be understood; names the place.
        """
        ...

    def sections(self, text: str) -> Sections:
        """Return the nodes of ``text``, and what is known of its topmost entries.

        Raises:
            PlanError: the text cannot be understood; names the place.
        """
        ...

    def show(self, nodes: Nodes) -> str:
        """Return the one canonical text of ``nodes``, in the device's notation; ``parse`` reads it back."""
        ...

    def slot(self, path: Path) -> Path:
        """Return the slot that the node ``path`` sits in."""
        ...

    def unit(self, slot: Path) -> Path:
        """Return the innermost list entry or section that ``slot`` is or stands in: what is read as a whole."""
        ...

    def edit(self, before: Nodes, after: Nodes, *, strict: bool) -> str:
        """Return the native edit that turns ``before`` into ``after``; empty when they are equal.

        A ``strict`` edit may fail on a device that has left ``before``; one that is not leads to ``after`` from a
        state in between, too.
        """
        ...

    def texts(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Texts:
        """Return all texts of a change, for less than each by itself.

        ``bodies`` says what stands in entries that come or go as a whole; of those no other nodes are given.
        """
        ...

    def compare(self, before: Nodes, after: Nodes, bodies: Mapping[Path, str] = NONE) -> Sequence[Marked]:
        """Yield the lines of both as one text, each marked with what becomes of it; ``bodies`` as for a change."""
        ...


def lineage(path: Path) -> Iterable[Path]:
    """Return ``path`` and everything above it, from the root down."""
    return accumulate((step,) for step in path)


def parents(path: Path) -> Iterable[Path]:
    """Return everything above ``path``."""
    return accumulate((step,) for step in path[:-1])


def covered(
    slots: Iterable[Path], unit: Callable[[Path], Path], vanishing: frozenset[Path] = frozenset()
) -> tuple[Path, ...]:
    """Return what has to be read before ``slots`` change: each ``unit`` concerned, none inside another; sorted.

    Of the slots that stand above others, those that are ``vanishing`` are read whole.
    """
    every = frozenset(slots)
    inner = {path for slot in every for path in parents(slot)}
    chosen = {unit(slot) for slot in every if slot not in inner} | (vanishing & inner)
    return tuple(sorted(path for path in chosen if chosen.isdisjoint(parents(path))))


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """Return a sort key that puts ``eth2`` before ``eth10``."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(text))


Branch = dict[str, "Branch"]
"""A tree of steps, for writing."""


def grow(nodes: Iterable[Path]) -> Branch:
    """Return the tree of ``nodes``."""
    root: Branch = {}
    made: dict[Path, Branch] = {(): root}
    for path in nodes:
        _branch(made, path[:-1]).setdefault(path[-1], {})
    return root


def _branch(made: dict[Path, Branch], path: Path) -> Branch:
    found = made.get(path)
    if found is None:
        found = made[path] = _branch(made, path[:-1]).setdefault(path[-1], {})
    return found


def by_slot(notation: Notation, nodes: Iterable[Path]) -> Mapping[Path, Path]:
    """Return ``nodes`` by their slots."""
    return {notation.slot(node): node for node in nodes}
