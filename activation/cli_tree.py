"""Command line configuration as nodes: one per line, one per value of a range list.

Sections that are always there are no nodes: what stands in them is.
"""

from collections.abc import Iterable, Iterator

from activation.model import Path
from activation.notation import Branch, Nodes, Scope, grow, natural
from activation.platforms import CliRules
from activation.unified import Marked, mark


def slot(path: Path, rules: CliRules) -> Path:
    """Return ``path`` with its last line cut down to what identifies it, if that line holds a single value."""
    entry = rules.identity(path[-1])
    return path if entry is None else (*path[:-1], entry)


def unit(path: Path) -> Path:
    """Return the section that ``path`` stands in; a line at the top is its own."""
    return path[:-1] or path


def parse(text: str, rules: CliRules, scope: Scope) -> Nodes:
    """Return the nodes of running-config lines or of a fragment.

    Raises:
        PlanError: a range list that makes no sense.
    """
    return frozenset(_read(text, rules, scope))


def _read(text: str, rules: CliRules, scope: Scope) -> Iterator[Path]:
    open_sections: list[tuple[int, tuple[Path, ...]]] = []
    for raw in _concerned(text, rules, scope):
        line = raw.strip()
        if not line or line.startswith(rules.comment) or line in rules.ignore:
            continue
        depth = len(raw) - len(raw.lstrip())
        while open_sections and open_sections[-1][0] >= depth:
            open_sections.pop()
        sections = open_sections[-1][1] if open_sections else ((),)
        here = tuple(_nodes(line, sections, rules, scope))
        open_sections.append((depth, here))
        if not rules.is_permanent(line):
            yield from here


def _concerned(text: str, rules: CliRules, scope: Scope) -> Iterator[str]:
    """Return the lines of the top-level sections that ``scope`` may admit.

    A device hands out all it has; looking at each line costs far less than reading it.
    """
    heads = {path[0] for path in scope.above}
    values = tuple(f"{head} " for head in heads if head in rules.values or rules.keyed)
    ranges = tuple(f"{rule.line} " for rule in rules.ranges)
    concerned = True
    for raw in text.splitlines():
        if scope.covers is not None and raw and not raw[0].isspace() and not raw.startswith(rules.comment):
            concerned = (
                raw in heads or raw.startswith(values) or (raw.startswith(ranges) and not {*raw}.isdisjoint(",-"))
            )
        if concerned:
            yield raw


def _nodes(line: str, sections: tuple[Path, ...], rules: CliRules, scope: Scope) -> Iterator[Path]:
    if not sections:
        return
    lines = rules.spelt_out(line)
    for section in sections:
        yield from (path for one in lines if scope.admits(slot(path := (*section, one), rules)))


def show(nodes: Nodes, rules: CliRules) -> str:
    """Return the canonical lines of ``nodes``, each range list as one line per value; empty without nodes."""
    return "".join(f"{line}\n" for line in _lines(grow(nodes), rules, 0))


def ordered(lines: Iterable[str], rules: CliRules, depth: int) -> list[str]:
    """Return sibling lines in the order they can be created."""
    return sorted(lines, key=lambda line: (rules.rank(line, depth), natural(line)))


def _lines(branch: Branch, rules: CliRules, depth: int) -> Iterator[str]:
    for line in ordered(branch, rules, depth):
        child = branch[line]
        yield " " * rules.indent * depth + line
        yield from _lines(child, rules, depth + 1)
        if rules.closes_sections and (child or rules.enters(line)):
            yield " " * rules.indent * depth + rules.exit


def compare(before: Branch, after: Branch, rules: CliRules, depth: int = 0) -> Iterator[Marked]:
    """Yield the canonical lines of both trees as one, each marked with what becomes of it."""
    indent = " " * rules.indent * depth
    for line in ordered({**before, **after}, rules, depth):
        old, new = before.get(line), after.get(line)
        yield mark(old is not None, new is not None), indent + line + "\n"
        yield from compare(old or {}, new or {}, rules, depth + 1)
        if rules.closes_sections:
            enters = rules.enters(line)
            left = old is not None and (bool(old) or enters), new is not None and (bool(new) or enters)
            if any(left):
                yield mark(*left), f"{indent}{rules.exit}\n"
