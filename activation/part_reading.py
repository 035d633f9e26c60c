"""Which commands print the part of a command line device's configuration that holds given paths. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from activation.model import Path
from activation.platforms import CliRules
from activation.terminal import LINES, PartRule, TerminalRules

_SPECIAL: Final = re.compile(r"[^A-Za-z0-9 /:,_-]")
"""Means something in a regular expression, or to a command line that helps at a question mark."""


def part_commands(touched: Iterable[Path], rules: CliRules | None, terminal: TerminalRules) -> tuple[str, ...]:
    """Return the commands whose answers together hold ``touched``; none where all has to be read.

    What they print reads, in the scope of ``touched``, as the whole configuration does; it may be more.
    """
    heads = {path[0] for path in touched}
    if rules is None or terminal.read_part is None or not heads:
        return ()
    lines = sorted({line for head in heads for line in _lines(head, rules)})
    return _commands(lines, _pattern(terminal.last_line), terminal.read_part)


def _lines(head: str, rules: CliRules) -> Iterator[str]:
    """Yield patterns of the lines at the top that ``head``, the first step of a path, may stand in."""
    yield _pattern(head)
    if head in rules.values or rules.keyed:
        yield f"{_pattern(head)} .*"
    for rule in rules.ranges:
        if head.startswith(f"{rule.line} "):
            # One section of many values: "vlan 10-12,20".
            yield f"{_pattern(rule.line)} .*[,-].*"


def _pattern(line: str) -> str:
    """Return a pattern that matches ``line``, and maybe lines that differ in other than letters and digits."""
    return re.sub(r" {2,}", " .*", _SPECIAL.sub(".", line))


def _commands(lines: Sequence[str], last_line: str, rule: PartRule) -> tuple[str, ...]:
    room = rule.longest - len(rule.command) + len(LINES)
    found = [last_line]
    for line in lines:
        if len(f"{found[-1]}|{line}") > room:
            found.append(last_line)
        found[-1] = f"{line}|{found[-1]}"
    if len(found) > rule.most or max(map(len, found)) > room:
        return ()
    return tuple(rule.command.replace(LINES, each) for each in found)
