"""Configuration paths as a NETCONF subtree filter (RFC 6241, section 6)."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from lxml import etree

from activation.model import Path

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
STEPS: Final = 1024
"""Steps that are remembered: the containers on the way to thousands of entries are always the same."""
_STEP: Final = re.compile(r"(?P<tag>(?:\{[^}]*\})?[^\[]+)(?P<keys>(?:\[[^\]]*\])*)$")
_KEY: Final = re.compile(r"""\[(?P<name>[^=\]]+)=(?P<quote>['"])(?P<value>.*?)(?P=quote)\]""")


def element(tag: str) -> etree._Element:
    """Return an element whose namespace is written as the default one; some devices insist on that."""
    namespace = etree.QName(tag).namespace
    return etree.Element(tag, nsmap={None: namespace})  # type: ignore[dict-item]  # the stubs forget default namespaces


class Step(NamedTuple):
    """One step of a path: the element's tag and, for a list entry, its keys."""

    tag: str
    keys: tuple[tuple[str, str], ...]


@lru_cache(maxsize=STEPS)
def parse_step(text: str) -> Step:
    """Return ``{namespace}name[key='value']`` taken apart; keys without a namespace get the element's.

    Raises:
        ValueError: the text is no such step.
    """
    match = _STEP.match(text)
    if match is None:
        raise ValueError(f"not a path step: {text!r}; legal: {{namespace}}name[key='value']")
    tag = match["tag"]
    namespace = tag[: tag.index("}") + 1] if tag.startswith("{") else ""
    keys = tuple((_qualified(found["name"], namespace), found["value"]) for found in _KEY.finditer(match["keys"]))
    return Step(tag, keys)


def subtree_filter(touched: Sequence[Path]) -> etree._Element:
    """Return a ``<filter>`` that selects every node of ``touched`` whole; a path below a selected node adds nothing."""
    root = element(f"{{{BASE_NAMESPACE}}}filter")
    root.set("type", "subtree")
    chosen = frozenset(touched)
    made: dict[Path, etree._Element] = {(): root}
    for path in sorted(chosen):
        if not any(path[:depth] in chosen for depth in range(1, len(path))):
            _grow(made, path)
    return root


def _grow(made: dict[Path, etree._Element], path: Path) -> None:
    """Make the element of ``path`` and of every step above it that is not made yet."""
    depth = next(depth for depth in range(len(path), -1, -1) if path[:depth] in made)
    node = made[path[:depth]]
    for at in range(depth, len(path)):
        step = parse_step(path[at])
        child = element(step.tag)
        node.append(child)
        for name, value in step.keys:
            etree.SubElement(child, name).text = value
        node = made[path[: at + 1]] = child


def _qualified(name: str, namespace: str) -> str:
    return name if name.startswith("{") else namespace + name
