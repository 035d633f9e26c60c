"""Output filters behind a ``|`` on a device's command line."""

import re
from collections.abc import Callable, Mapping
from typing import Final


class UnknownFilter(Exception):
    """The word behind ``|`` names no filter, or its pattern is missing or malformed."""


def filtered(text: str, pipe: str) -> str:
    """Return what is left of ``text`` behind ``pipe``, e.g. ``include vlan``.

    Raises:
        UnknownFilter: there is no such filter.
    """
    name, _, wanted = pipe.strip().partition(" ")
    if name == "no-more":
        return text
    names = [each for each in _FILTERS if name and each.startswith(name)]
    if len(names) != 1 or not wanted:
        raise UnknownFilter(pipe)
    try:
        pattern = re.compile(wanted.strip())
    except re.error as malformed:
        raise UnknownFilter(pipe) from malformed
    return "".join(f"{line}\n" for line in _FILTERS[names[0]](text.splitlines(), pattern))


def _include(lines: list[str], pattern: re.Pattern[str]) -> list[str]:
    return [line for line in lines if pattern.search(line)]


def _exclude(lines: list[str], pattern: re.Pattern[str]) -> list[str]:
    return [line for line in lines if not pattern.search(line)]


def _begin(lines: list[str], pattern: re.Pattern[str]) -> list[str]:
    first = next((index for index, line in enumerate(lines) if pattern.search(line)), len(lines))
    return lines[first:]


def _section(lines: list[str], pattern: re.Pattern[str]) -> list[str]:
    kept: list[str] = []
    inside = False
    for line in lines:
        if not line.startswith(" "):
            inside = pattern.search(line) is not None and line != "!"
        if inside:
            kept.append(line)
    return kept


_FILTERS: Final[Mapping[str, Callable[[list[str], re.Pattern[str]], list[str]]]] = {
    "include": _include,
    "grep": _include,
    "exclude": _exclude,
    "begin": _begin,
    "section": _section,
}
