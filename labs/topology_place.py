"""Places in a topology file: what they are called in messages, and the line they stand on."""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from labs.errors import TopologyError
from labs.yaml_text import compose_yaml


class Source:
    """The text of one file; it is parsed for line numbers only when a message wants one."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text

    @cached_property
    def _root(self) -> yaml.Node | None:
        return compose_yaml(self._text)

    def line(self, steps: tuple[object, ...]) -> int:
        """Return the line of the innermost place on the way ``steps`` that stands in the file."""
        node, line = self._root, 1
        for step in steps:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a file: the keys and indices that lead to it."""

    source: Source
    steps: tuple[object, ...]

    def under(self, *steps: object) -> "Place":
        """Return the place below this one."""
        return Place(self.source, (*self.steps, *steps))

    def line(self) -> int:
        """Return its line, or that of what it would stand in."""
        return self.source.line(self.steps)

    def error(self, where: str, problem: str) -> TopologyError:
        """Return the error that names the file, the line and ``where``."""
        line = f"line {self.line()}"
        return TopologyError(self.source.path, f"{line}: {where}" if where else line, problem)

    def mapping(self, raw: object, where: str) -> dict[str, Any]:
        """Return what stands here as a mapping; nothing is an empty one.

        Raises:
            TopologyError: it is something else.
        """
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            raise self.error(where, f"is no mapping but {raw!r}")
        return raw

    def items(self, raw: object, where: str) -> list[Any]:
        """Return what stands here as a list; nothing is an empty one.

        Raises:
            TopologyError: it is something else.
        """
        if raw is None:
            return []
        if not isinstance(raw, list):
            raise self.error(where, f"is no list but {raw!r}")
        return raw


def close_to(name: str, known: Collection[str]) -> str:
    """Return `` (did you mean …?)`` for a name that looks like a known one, else nothing."""
    close = get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _child(node: yaml.Node | None, step: object) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    return None
