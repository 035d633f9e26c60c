"""Odd values, and putting one anywhere into a body that would be taken."""

import copy
from collections.abc import Iterator
from typing import Any, Final

DATES: Final = (
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999-14:00",
    "0001-01-01T00:00:00+14:00",
    "2016-12-31T23:59:60Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01",
    "20260101",
    "tomorrow",
    "+275760-09-13T00:00:00Z",
    "2026-01-01T00:00:00+99:99",
    "",
)
ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    2**63,
    10**400,
    1.5,
    "",
    " ",
    "x" * 70_000,
    "a\x01\x1b[31m\u202e\ufeff",
    [],
    [[]],
    [None],
    {},
    {"a": {}},
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside ``value``."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in entries:
        yield from places(inner, (*path, name))


def with_value(body: Any, path: tuple[Any, ...], value: object) -> Any:
    """Return ``body`` with ``value`` at ``path``."""
    changed: Any = copy.deepcopy(body)
    here = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return changed
