"""Unified diffs of configurations that are compared node by node: the cost grows with their lines, no more."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

Marked = tuple[str, str]
"""A line with what becomes of it; lines that come or go together may be one."""
KEPT: Final = " "
REMOVED: Final = "-"
ADDED: Final = "+"
_NEXT: Final = "\n"
CONTEXT: Final = 3
"""Unchanged lines that are shown around a change."""


def mark(stood: bool, stands: bool) -> str:  # noqa: FBT001 - the two sides of a comparison
    """Return the mark of a line that stood before, stands after, or both."""
    if stood and stands:
        return KEPT
    return ADDED if stands else REMOVED


def unified(lines: Iterable[Marked], name_before: str, name_after: str) -> str:
    """Return the unified diff that ``lines`` describe; empty when nothing changes."""
    ordered = list(_removed_first(lines))
    parts: list[str] = []
    done, above_before, above_after = 0, 0, 0
    for first, last in _ranges(ordered):
        above_before += first - done
        above_after += first - done
        inside = ordered[first:last]
        before = sum(line.count("\n") for what, line in inside if what != ADDED)
        after = sum(line.count("\n") for what, line in inside if what != REMOVED)
        parts.append(f"@@ -{_span(above_before, before)} +{_span(above_after, after)} @@\n")
        parts += [f"{what}{line[:-1].replace(_NEXT, _NEXT + what)}\n" for what, line in inside]
        done, above_before, above_after = last, above_before + before, above_after + after
    return "".join((heading(name_before, name_after), *parts)) if parts else ""


def heading(name_before: str, name_after: str) -> str:
    """Return the lines that a unified diff begins with."""
    return f"--- {name_before}\n+++ {name_after}\n"


def _removed_first(lines: Iterable[Marked]) -> Iterator[Marked]:
    """Yield the lines so that within each change what goes stands before what comes."""
    for is_kept, run in groupby(lines, key=lambda line: line[0] == KEPT):
        if is_kept:
            yield from run
        else:
            yield from sorted(run, key=lambda line: line[0] == ADDED)


def _ranges(lines: Sequence[Marked]) -> Iterator[tuple[int, int]]:
    """Yield where each hunk begins and ends: changes with context, those that would touch in one."""
    first = last = -1
    for at, (what, _) in enumerate(lines):
        if what == KEPT:
            continue
        if first >= 0 and at - last > 2 * CONTEXT:
            yield first, last + CONTEXT
            first = -1
        if first < 0:
            first = max(0, at - CONTEXT)
        last = at + 1
    if first >= 0:
        yield first, min(len(lines), last + CONTEXT)


def _span(above: int, count: int) -> str:
    if count == 1:
        return str(above + 1)
    return f"{above + 1 if count else above},{count}"
