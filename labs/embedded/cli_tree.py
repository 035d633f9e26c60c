"""The configuration tree of a device with a command line: lines and sections in the order the device prints them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

Key = tuple[str, ...]
"""What identifies a line among its siblings: the words before its value."""

Path = tuple[Key, ...]
"""The keys of the sections around a line, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLine:
    """One configured line, or a section with the lines inside it.

    Attributes:
        order: sorts siblings; lines of equal order stay as they were entered.
        group: neighbours at the top level that share it are printed without a ``!`` between them.
        closing: the line the device prints after a section, if any.
    """

    text: str
    key: Key
    order: tuple[int, tuple[str | int, ...]]
    group: str
    section: bool = False
    closing: str = ""
    children: "Tree" = ()


Tree = tuple[ConfigLine, ...]


def find(lines: Tree, key: Key) -> ConfigLine | None:
    """Return the line called ``key``, or None."""
    return next((line for line in lines if line.key == key), None)


def inside(tree: Tree, path: Path) -> Tree | None:
    """Return the lines in the section at ``path``, or None when there is no such section."""
    lines = tree
    for key in path:
        section = find(lines, key)
        if section is None:
            return None
        lines = section.children
    return lines


def edited(tree: Tree, path: Path, change: Callable[[Tree], Tree]) -> Tree:
    """Return ``tree`` with the lines in the section at ``path`` changed; a missing section changes nothing."""
    if not path:
        return change(tree)
    return tuple(
        replace(line, children=edited(line.children, path[1:], change)) if line.key == path[0] else line
        for line in tree
    )


def put(lines: Tree, line: ConfigLine) -> Tree:
    """Return ``lines`` with ``line`` in place of its predecessor, or sorted in as a new one."""
    known = find(lines, line.key)
    if known is None:
        return tuple(sorted((*lines, line), key=lambda each: each.order))
    merged = replace(line, children=known.children)
    return tuple(merged if each is known else each for each in lines)


def without_last_change(before: Tree, after: Tree) -> Tree:
    """Return ``after`` but for the last of its top-level lines that differ from ``before``."""
    old, new = ({line.key: line for line in tree} for tree in (before, after))
    changed = [key for key in (*old, *new) if old.get(key) != new.get(key)]
    if not changed:
        return after
    last = changed[-1]
    if last in old and last in new:
        return tuple(old[last] if line.key == last else line for line in after)
    return put(after, old[last]) if last in old else drop(after, last)


def drop(lines: Tree, key: Key) -> Tree:
    """Return ``lines`` without the one called ``key``."""
    return tuple(line for line in lines if line.key != key)


def emptied(lines: Tree, key: Key) -> Tree:
    """Return ``lines`` with nothing left inside the section called ``key``."""
    return tuple(replace(line, children=()) if line.key == key else line for line in lines)


def printed(lines: Tree, *, indent: str, between: str = "!") -> list[str]:
    """Return the configuration as text lines, ``between`` sections and groups a line of its own."""
    printed_lines: list[str] = []
    group = ""
    for line in lines:
        if printed_lines and (line.section or line.group != group):
            printed_lines.append(between)
        group = "" if line.section else line.group
        printed_lines.extend(_printed_line(line, indent, ""))
    return printed_lines


def _printed_line(line: ConfigLine, indent: str, margin: str) -> Iterator[str]:
    yield margin + line.text
    for index, child in enumerate(line.children):
        if child.section and index:
            yield f"{margin}{indent}!"
        yield from _printed_line(child, indent, margin + indent)
    if line.closing:
        yield margin + line.closing


def difference(before: Tree, after: Tree, *, indent: str, margin: str = "") -> list[str]:
    """Return what changed as ``-``/``+`` lines, each under the headers of its sections."""
    lines: list[str] = []
    for line in sorted((*before, *(new for new in after if new not in before)), key=lambda each: each.order):
        old, new = find(before, line.key), find(after, line.key)
        if old == new:
            continue
        if old is None or new is None or old.text != new.text:
            sign = "-" if line is old else "+"
            lines += [f"{sign}{text}" for text in _printed_line(line, indent, margin) if text.strip() != "!"]
        elif line is old:
            lines.append(f" {margin}{line.text}")
            lines += difference(old.children, new.children, indent=indent, margin=margin + indent)
    return lines
