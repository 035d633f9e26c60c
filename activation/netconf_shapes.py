"""XML texts of one shape, read once: what a template makes for a thousand services differs in its values alone.

The shape of a text is its markup. What comes of reading a text and of writing its nodes again depends on the values
only in that they stand somewhere, and in the order of sibling entries. So a text is read once with marks in the places
of its values, and every further text of its shape is made of what came of that. A text that holds anything by which a
value might be more than a value (entities, quotes, other markup) is not read so.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias, TypeVar

from activation.errors import PlanError
from activation.model import Path
from activation.netconf_fields import Fields, parted
from activation.netconf_marks import Form, chosen, marks, renamed
from activation.netconf_step import is_entry, position, tag_end, unit
from activation.notation import Branch, Section, Sections, covered, grow, lineage

T = TypeVar("T")

SHAPES: Final = 256
ORDERS: Final = 16
"""So many orders of sibling entries are remembered per shape."""
Order: TypeAlias = tuple[tuple[int, ...], ...]
"""Of each group of siblings, in which order they are written."""


Read: TypeAlias = Callable[[str], Mapping[Path, Path]]
"""Returns the nodes of a text of any shape by slot, each after those above it; raises PlanError."""
Write: TypeAlias = Callable[[Path, Branch], str]
"""Returns what stands in the node at a path, with a branch below it, where a whole configuration is written."""


class Shapes:
    """The shapes of texts that were seen, the latest; for use by many threads."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, None] = {}
        self._known: dict[Hashable, Shape | None] = {}
        self._guard = threading.Lock()

    def nodes(self, text: str, context: Hashable, read: Read) -> Mapping[Path, Path]:
        """Return what ``read`` finds in ``text``; texts of one ``context`` are read alike.

        Raises:
            PlanError: the text cannot be understood.
        """
        found = self._shape_of(text, context, read)
        nodes = found[0].nodes(found[1]) if found is not None else None
        return nodes if nodes is not None else read(text)

    def sections(self, text: str, context: Hashable, read: Read, write: Write) -> Sections:
        """Return what :meth:`nodes` returns, with what is known of its topmost entries.

        Raises:
            PlanError: the text cannot be understood.
        """
        found = self._shape_of(text, context, read)
        sections = found[0].sections(found[1], write) if found is not None else None
        return sections if sections is not None else Sections.unknown(read(text))

    def _shape_of(self, text: str, context: Hashable, read: Read) -> "tuple[Shape, Sequence[str]] | None":
        parts = parted(text)
        if parts is None:
            return None
        markup, values = parts
        key = (context, "\0".join(markup))
        if key not in self._known:
            if key not in self._seen:
                # Worth learning once it comes again: some templates write their values into attributes.
                self._keep(self._seen, key, None)
                return None
            self._keep(self._known, key, _learned(text, markup, values, read))
        shape = self._known.get(key)
        accepted = shape.accepted(values) if shape is not None else None
        return None if shape is None or accepted is None else (shape, accepted)

    def _keep(self, known: dict[Hashable, T], key: Hashable, value: T) -> None:
        with self._guard:
            while len(known) >= SHAPES:
                del known[next(iter(known))]
            known[key] = value


class Shape:
    """What texts of one shape come to, by the numbers of their steps: those that hold no value come first."""

    def __init__(self, fields: Fields, nodes: Mapping[Path, Path]) -> None:
        """Learn from the ``nodes`` of a text with marks."""
        self.accepted = fields.accepted
        every = dict.fromkeys(step for slot, node in nodes.items() for step in (*slot, *node))
        varying = [step for step in every if marks(step)]
        self._constant = [step for step in every if not marks(step)]
        self._varying = Form(varying)
        self._numbers = {step: number for number, step in enumerate((*self._constant, *varying))}
        self._count = len(nodes)
        self._tops = _by_top(nodes)
        apart = nodes.keys() - {slot for below in self._tops.values() for slot in below}
        self._apart = self._places({slot: nodes[slot] for slot in nodes if slot in apart})
        self._sections = [
            _Entry(
                top=self._path(top),
                places=self._places(below),
                covers=[self._path(path) for path in covered(below, unit)],
            )
            for top, below in self._tops.items()
        ]
        self._siblings = [group for top, below in self._tops.items() for group in _siblings(grow(below.values()), top)]
        self._groups = [[self._numbers[step] for step in group] for group in self._siblings]
        self._bodies: dict[Order, Form | None] = {}

    def nodes(self, values: Sequence[str]) -> Mapping[Path, Path] | None:
        """Return the nodes of the text with these values; None where two of them come to be one."""
        steps = self._steps(values)
        found = _filled(self._apart, steps)
        for each in self._sections:
            found |= _filled(each.places, steps)
        return found if len(found) == self._count else None

    def sections(self, values: Sequence[str], write: Write) -> Sections | None:
        """Return the same with its topmost entries, as far as their bodies are known."""
        steps = self._steps(values)
        form = self._form(self._order(steps), write)
        if form is None:
            nodes = self.nodes(values)
            return None if nodes is None else Sections.unknown(nodes)
        apart = _filled(self._apart, steps)
        nodes, whole = dict(apart), {}
        for each, body in zip(self._sections, form.fill(values), strict=True):
            inside = _filled(each.places, steps)
            nodes |= inside
            top = each.top(steps)
            covers = tuple([path(steps) for path in each.covers])
            whole[top] = Section(top=top, nodes=inside, covers=covers, body=body)
        return Sections(nodes=nodes, whole=whole, apart=apart) if len(nodes) == self._count else None

    def _steps(self, values: Sequence[str]) -> Sequence[str]:
        return self._constant + self._varying.fill(values)

    def _path(self, path: Path) -> "Callable[[Sequence[str]], Path]":
        return chosen([self._numbers[step] for step in path])

    def _places(self, nodes: Mapping[Path, Path]) -> "Places":
        return [(self._path(slot), None if slot == node else self._path(node)) for slot, node in nodes.items()]

    def _order(self, steps: Sequence[str]) -> Order:
        return tuple(
            tuple(sorted(range(len(group)), key=lambda at: position(steps[group[at]]))) for group in self._groups
        )

    def _form(self, order: Order, write: Write) -> Form | None:
        if order not in self._bodies:
            if len(self._bodies) >= ORDERS:
                return None
            self._bodies[order] = self._written(order, write)
        return self._bodies[order]

    def _written(self, order: Order, write: Write) -> Form | None:
        """Return the bodies of all sections with siblings in this order; None where values do not decide it."""
        names: dict[int, int] = {}
        for group, wanted in zip(self._siblings, order, strict=True):
            deciding = [marks(step)[:1] for step in group]
            if not all(deciding):
                return None
            # The writer orders siblings by what stands in them: marks are counted upwards in the order that is wanted.
            free = sorted(at for (at,) in deciding)
            names |= {deciding[member][0]: number for member, number in zip(wanted, free, strict=True)}
        back = {number: at for at, number in names.items()}
        return Form([renamed(_body(top, below.values(), names, write), back) for top, below in self._tops.items()])


Places: TypeAlias = Sequence[tuple[Callable[[Sequence[str]], Path], Callable[[Sequence[str]], Path] | None]]
"""Where the steps of slots and nodes are; None: the node is its own slot."""


class _Entry(NamedTuple):
    """One topmost entry of a shape."""

    top: Callable[[Sequence[str]], Path]
    places: Places
    covers: Sequence[Callable[[Sequence[str]], Path]]


def _filled(places: Places, steps: Sequence[str]) -> dict[Path, Path]:
    found: dict[Path, Path] = {}
    for slot_of, node_of in places:
        slot = slot_of(steps)
        found[slot] = slot if node_of is None else node_of(steps)
    return found


def _body(top: Path, nodes: Iterable[Path], names: Mapping[int, int], write: Write) -> str:
    named = tuple(renamed(step, names) for step in top)
    branch = grow(tuple(renamed(step, names) for step in node) for node in nodes)
    for step in named:
        branch = branch[step]
    return write(named, branch)


def _by_top(nodes: Mapping[Path, Path]) -> Mapping[Path, Mapping[Path, Path]]:
    """Return the nodes of each topmost entry, by slot; nodes that stand in none are left out."""
    found: dict[Path, dict[Path, Path]] = {}
    for slot, node in nodes.items():
        top = next(path for path in lineage(slot) if path in nodes)
        if is_entry(top[-1]):
            found.setdefault(top, {})[slot] = node
    return found


def _siblings(branch: Branch, top: Path) -> Iterator[Sequence[str]]:
    """Yield the steps below ``top`` whose order their values decide: several of one tag in one place."""
    for step in top:
        branch = branch[step]
    waiting = [branch]
    while waiting:
        here = waiting.pop()
        waiting += here.values()
        by_tag = groupby(sorted(here, key=_tag), key=_tag)
        yield from (group for _, same in by_tag if len(group := list(same)) > 1)


def _tag(step: str) -> str:
    return step[: tag_end(step)]


def _learned(text: str, markup: Sequence[str], values: Sequence[str], read: Read) -> Shape | None:
    """Return the shape of ``text``; None where the shape does not find in it what ``read`` does."""
    guessed = Fields.of(markup, values)
    try:
        nodes = read(guessed.marked(markup))
        fields = guessed.with_names([node[-1] for node in nodes.values()])
        if guessed.prefixes.keys() - fields.prefixes.keys():
            # A colon makes no qualified name.
            nodes = read(fields.marked(markup))
        shape, accepted = Shape(fields, nodes), fields.accepted(values)
        expected = read(text)
    except PlanError:
        return None
    return shape if accepted is not None and shape.nodes(accepted) == expected else None
