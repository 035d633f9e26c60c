"""Configuration paths as a NETCONF subtree filter (RFC 6241, section 6)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from activation.model import Path

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
LATEST: Final = 16
"""So many filters are kept."""
_STEP: Final = re.compile(r"(?P<tag>(?:\{[^}]*\})?[^\[]+)(?P<keys>(?:\[[^\]]*\])*)$")
_KEY: Final = re.compile(r"""\[(?P<name>[^=\]]+)=(?P<quote>['"])(?P<value>.*?)(?P=quote)\]""")


class Step(NamedTuple):
    """One step of a path: the element's tag and, for a list entry, its keys."""

    tag: str
    keys: tuple[tuple[str, str], ...]


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


@lru_cache(maxsize=LATEST)
def subtree_filter(touched: tuple[Path, ...]) -> str:
    """Return a ``<filter>`` that selects every node of ``touched`` whole; a path below a selected node adds nothing.

    Written as text: a large change has thousands of paths. The latest are kept: what is read to plan is read again
    after the commit.
    """
    parts = [f'<filter xmlns="{BASE_NAMESPACE}" type="subtree">']
    way: list[_Opened] = []
    last: Path = ()
    for path in sorted(frozenset(touched)):
        # Sorted, whatever stands below a path follows it at once.
        if last and path[: len(last)] == last:
            continue
        shared = _shared(last, path)
        _close(parts, way, shared)
        for text in path[shared:]:
            way.append(_opened(text, way[-1].namespace if way else BASE_NAMESPACE))
            parts.append(way[-1].opening)
        last = path
    _close(parts, way, 0)
    parts.append("</filter>")
    return "".join(parts)


class _Opened(NamedTuple):
    """An element on the way to the node that is written next."""

    namespace: str
    opening: str
    closing: str


def _opened(text: str, around: str) -> _Opened:
    tag, keys = parse_step(text)
    namespace, name = _parted(tag)
    opening = _start(namespace, name, around) + "".join([_key(each, value, namespace) for each, value in keys])
    return _Opened(namespace, opening, f"</{name}>")


def _key(tag: str, value: str, around: str) -> str:
    namespace, name = _parted(tag)
    return f"{_start(namespace, name, around)}{escape(value)}</{name}>"


def _start(namespace: str, name: str, around: str) -> str:
    # Each namespace is written as the default one; some devices insist on that.
    return f"<{name}>" if namespace == around else f"<{name} xmlns={quoteattr(namespace)}>"


def _parted(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name


def _shared(one: Path, other: Path) -> int:
    """Return how many steps two paths begin with alike."""
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return number
    return min(len(one), len(other))


def _close(parts: list[str], way: list[_Opened], depth: int) -> None:
    while len(way) > depth:
        parts.append(way.pop().closing)


def _qualified(name: str, namespace: str) -> str:
    return name if name.startswith("{") else namespace + name
