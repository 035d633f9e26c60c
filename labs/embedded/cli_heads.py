"""The sections of a large configuration, found by their first lines without a look at each."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from labs.embedded.cli_tree import Tree

_WHOLE_LINES: Final = re.compile(r"\^\(([^()]*)\)\$")
"""A pattern that names whole first lines: ``^(vlan 10|interface Ethernet1)$``."""
_FIRST_WORD: Final = re.compile(r"[A-Za-z0-9-]+(?= )")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 /:,_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Where in ``tree`` which line is at the top.

    Attributes:
        by_text: places by the whole line; a line is there once.
        by_word: places by the first word.
    """

    tree: Tree
    by_text: dict[str, int]
    by_word: dict[str, list[int]]

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """Return the heads of ``tree``."""
        by_word = defaultdict[str, list[int]](list)
        for place, line in enumerate(tree):
            by_word[line.key[0]].append(place)
        return cls(tree=tree, by_text={line.text: place for place, line in enumerate(tree)}, by_word=by_word)

    def matching(self, pattern: re.Pattern[str]) -> Tree:
        """Return the lines that ``pattern`` matches somewhere, as they stand in the configuration."""
        whole = _WHOLE_LINES.fullmatch(pattern.pattern)
        if whole is None:
            return tuple(line for line in self.tree if pattern.search(line.text))
        found = {place for line in whole[1].split("|") for place in self._places(line)}
        return tuple(self.tree[place] for place in sorted(found))

    def _places(self, line: str) -> Iterator[int]:
        if _PLAIN.fullmatch(line):
            if line in self.by_text:
                yield self.by_text[line]
            return
        word = _FIRST_WORD.match(line)
        places = range(len(self.tree)) if word is None else self.by_word.get(word[0], ())
        pattern = re.compile(line)
        yield from (place for place in places if pattern.fullmatch(self.tree[place].text))
