"""A large edit dealt out: several ``<config>`` elements, each of a size that devices take, that come to the same.

What stands in containers is dealt out; list entries, and what is itself created or removed, stay whole. Plans are
written with a line per element and indented by their depth: such a text is cut at its lines. Any other is parsed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from lxml import etree

from activation.drivers.netconf_messages import parsed

_INDENT: Final = "  "
_ROOT: Final = re.compile(r"<([^\s<>/]+)[^<>]*>\n")
_HOLDING: Final = re.compile(r" *<[^<>]*[^<>/]>\n")
"""A line that opens an element whose content stands on lines of its own."""
_CONTAINER: Final = re.compile(r" *<([^\s<>/]+)(?: xmlns(?::\w+)?=\"[^\"]*\")*>\n")
"""One without attributes."""


class _OtherwiseIndented(Exception):
    """The text is not indented by depth."""


def pieces(config: str, limit_bytes: int) -> Sequence[str]:
    """Return ``config`` as several ``<config>`` elements of about ``limit_bytes`` that come to the same, in order."""
    if len(config) <= limit_bytes:
        return (config,)
    return cut(config, limit_bytes) or dealt(config, limit_bytes)


class Block(NamedTuple):
    """An element on lines of its own: where it begins, where what it holds begins and ends, and where it ends."""

    first: int
    inside: int
    closing: int
    last: int


def cut(config: str, limit_bytes: int) -> Sequence[str]:
    """Return the pieces of a ``config`` that has a line per element, indented by its depth; none of any other."""
    root = _ROOT.match(config)
    if root is None or "<!" in config or "<?" in config or not config.endswith(f"\n</{root[1]}>\n"):
        return ()
    whole = Block(0, root.end(), config.rindex("\n", 0, -1) + 1, len(config))
    try:
        outermost = list(_blocks(config, whole, 1))
        return list(_joined(config, _lines_dealt(config, (whole,), outermost, limit_bytes), limit_bytes))
    except _OtherwiseIndented:
        return ()


def _joined(config: str, dealt_out: Iterable[tuple[Sequence[Block], Block]], limit_bytes: int) -> Iterator[str]:
    parts: list[str] = []
    above: Sequence[Block] = ()
    size = 0
    for around, part in dealt_out:
        part_size = part.last - part.first
        if size and size + part_size > limit_bytes:
            yield "".join([*parts, *_closings(config, above)])
            parts, above, size = [], (), 0
        shared = sum(one == other for one, other in zip(above, around, strict=False))
        parts += _closings(config, above[shared:])
        parts += [config[each.first : each.inside] for each in around[shared:]]
        parts.append(config[part.first : part.last])
        above, size = around, size + part_size
    yield "".join([*parts, *_closings(config, above)])


def _closings(config: str, blocks: Sequence[Block]) -> list[str]:
    return [config[each.closing : each.last] for each in reversed(blocks)]


def _lines_dealt(
    config: str, above: tuple[Block, ...], blocks: Sequence[Block], limit_bytes: int
) -> Iterator[tuple[Sequence[Block], Block]]:
    for block in blocks:
        is_large = block.last - block.first > limit_bytes
        if is_large and (entries := _entries(config, block, len(above))):
            yield from _lines_dealt(config, (*above, block), entries, limit_bytes)
        else:
            yield above, block


def _blocks(config: str, around: Block, depth: int) -> Iterator[Block]:
    """Yield the elements in ``around``, which stand ``depth`` deep."""
    start, end = f"{_INDENT * depth}<", f"\n{_INDENT * depth}<"
    first = around.inside
    while first < around.closing:
        if not config.startswith(start, first):
            raise _OtherwiseIndented
        # An angle bracket in a value is written otherwise: what looks like a tag is one.
        following = config.find(end, first, around.closing)
        while following >= 0 and config[following + len(end)] == "/":
            following = config.find(end, following + 1, around.closing)
        last = following + 1 if following >= 0 else around.closing
        yield Block(first, config.index("\n", first) + 1, config.rindex("\n", 0, last - 1) + 1, last)
        first = last


def _entries(config: str, block: Block, depth: int) -> Sequence[Block]:
    """Return what stands in a container of list entries; nothing of an entry: that holds keys, which are leaves."""
    container = _CONTAINER.match(config, block.first, block.inside)
    if container is None or config[block.closing : block.last] != f"{_INDENT * depth}</{container[1]}>\n":
        return ()
    found = list(_blocks(config, block, depth + 1))
    return found if all(_HOLDING.match(config, each.first, each.inside) for each in found) else ()


def dealt(config: str, limit_bytes: int) -> Sequence[str]:
    """Return the pieces of any ``config``."""
    root = parsed(config.encode())
    made: list[etree._Element] = []
    holders: dict[etree._Element, etree._Element] = {}
    size = 0
    for above, part in _parts(root, (root,), limit_bytes):
        part_size = len(etree.tostring(part))
        if not made or (size and size + part_size > limit_bytes):
            made.append(_empty(root))
            holders, size = {root: made[-1]}, 0
        for outer, inner in pairwise(above):
            if inner not in holders:
                holders[inner] = _empty(inner)
                holders[outer].append(holders[inner])
        holders[above[-1]].append(part)
        size += part_size
    return tuple(etree.tostring(each, encoding="unicode") for each in made)


def _parts(
    node: etree._Element, above: tuple[etree._Element, ...], limit_bytes: int
) -> Iterator[tuple[tuple[etree._Element, ...], etree._Element]]:
    for child in list(node):
        # A list entry holds its keys, which are leaves; a container of list entries holds none.
        divides = len(child) and not child.attrib and all(len(each) for each in child)
        if divides and len(etree.tostring(child)) > limit_bytes:
            yield from _parts(child, (*above, child), limit_bytes)
        else:
            yield above, child


def _empty(node: etree._Element) -> etree._Element:
    return etree.Element(node.tag, attrib=dict(node.attrib.items()), nsmap=node.nsmap)  # type: ignore[arg-type]  # the stubs forget default namespaces
