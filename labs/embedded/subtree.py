"""Subtree filters (RFC 6241, 6) on a configuration tree."""

from collections.abc import Iterable, Sequence
from typing import Final

from lxml import etree

from labs.embedded.datatree import Branch, Entries, Key
from labs.embedded.leaf_types import Value
from labs.embedded.schema import SchemaNode

_FEW: Final = 8
"""Entries in the order of the filter, not of the list, where the list has so many times more: the order is free."""


def select(branch: Branch, filters: Sequence[etree._Element]) -> Branch:
    """Return the part of the tree that any of the filters selects, in the order of the tree.

    Each filter is the element that stands for ``branch`` itself; its children say what is wanted of it.
    """
    if any(_wants_all(branch, wanted) for wanted in filters):
        return branch
    selected = Branch(branch.schema)
    for qname, node in branch.schema.children.items():
        child = branch.children.get(qname)
        wanted = [part for one in filters if _fits(branch, one) for part in one if _names(part, node)]
        if child is None or not wanted:
            continue
        part = _select_child(child, wanted)
        if part is not None:
            selected.children[qname] = part
    return _with_keys(selected, branch)


def _select_child(
    child: Branch | Entries | Value, filters: Sequence[etree._Element]
) -> Branch | Entries | Value | None:
    if isinstance(child, Branch):
        part = select(child, filters)
        return part if part.children else None
    if isinstance(child, Entries):
        return _select_entries(child, filters)
    return child


def _select_entries(entries: Entries, filters: Sequence[etree._Element]) -> Entries | None:
    for_all: list[etree._Element] = []
    by_key: dict[Key, list[etree._Element]] = {}
    for one in filters:
        key = _key_wanted(entries.schema, one)
        if key is None:
            for_all.append(one)
        else:
            by_key.setdefault(key, []).append(one)
    selected = Entries(entries.schema)
    for key in entries.by_key if for_all else _in_order(entries, by_key):
        part = select(entries.by_key[key], for_all + by_key.get(key, []))
        if part.children:
            selected.by_key[key] = part
    return selected if selected.by_key else None


def _in_order(entries: Entries, wanted: dict[Key, list[etree._Element]]) -> Iterable[Key]:
    if len(wanted) * _FEW < len(entries.by_key):  # the usual read-back of some services: no walk over the list
        return [key for key in wanted if key in entries.by_key]
    return [key for key in entries.by_key if key in wanted]


def _key_wanted(node: SchemaNode, element: etree._Element) -> Key | None:
    """Return the key that the filter's content match nodes pin down, None when they leave it open."""
    key: list[Value] = []
    for qname in node.keys:
        leaf = next((child for child in element if _names(child, node.children[qname])), None)
        value = _content(leaf, node.children[qname]) if leaf is not None else None
        if value is None:
            return None
        key.append(value)
    return tuple(key)


def _with_keys(selected: Branch, branch: Branch) -> Branch:
    if selected.children:
        for qname in branch.schema.keys:
            selected.children[qname] = branch.children[qname]
    return selected


def _wants_all(branch: Branch, element: etree._Element) -> bool:
    """A filter without children, or with content match nodes only, stands for the whole subtree."""
    return all(_is_content_match(child) for child in element) and _fits(branch, element)


def _fits(branch: Branch, element: etree._Element) -> bool:
    return all(_matches(branch, child) for child in element if _is_content_match(child))


def _matches(branch: Branch, element: etree._Element) -> bool:
    for qname, node in branch.schema.children.items():
        if node.kind == "leaf" and _names(element, node) and qname in branch.children:
            return branch.leaf(qname) == _content(element, node)
    return False


def _is_content_match(element: etree._Element) -> bool:
    return len(element) == 0 and bool((element.text or "").strip())


def _content(element: etree._Element, node: SchemaNode) -> Value | None:
    text = (element.text or "").strip()
    if not text or node.leaf_type is None:
        return None
    try:
        return node.leaf_type.parse(text, element.nsmap)
    except ValueError:
        # A filter may ask for anything; what cannot exist matches nothing.
        return text


def _names(element: etree._Element, node: SchemaNode) -> bool:
    """A filter element without a namespace stands for that name in any namespace."""
    return element.tag in (node.qname, node.name)
