"""The configuration of an emulated NETCONF device as a tree.

Trees are snapshots: whoever changes one first copies the nodes on the way (see ``edit``), so keeping an old tree costs
nothing and rolling back is an assignment. List entries are found by key, whatever their number.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lxml import etree

from labs.embedded.leaf_types import Identity, Value
from labs.embedded.rpc_error import NETCONF_NS
from labs.embedded.schema import Schema, SchemaNode

Key = tuple[Value, ...]


class Branch:
    """A container or a list entry. ``children`` is keyed by qualified name; a leaf is its value."""

    __slots__ = ("children", "owner", "schema")

    def __init__(self, schema: SchemaNode, owner: object = None) -> None:
        self.schema = schema
        self.owner = owner
        self.children: dict[str, Branch | Entries | Value] = {}

    def branch(self, qname: str) -> "Branch | None":
        """Return the container of that name."""
        child = self.children.get(qname)
        return child if isinstance(child, Branch) else None

    def entries(self, qname: str) -> "Entries | None":
        """Return the entries of the list of that name."""
        child = self.children.get(qname)
        return child if isinstance(child, Entries) else None

    def leaf(self, qname: str) -> Value | None:
        """Return the value of the leaf of that name."""
        child = self.children.get(qname)
        return None if isinstance(child, Branch | Entries) else child


class Entries:
    """The entries of one list, in the order they were made."""

    __slots__ = ("by_key", "owner", "schema")

    def __init__(self, schema: SchemaNode, owner: object = None) -> None:
        self.schema = schema
        self.owner = owner
        self.by_key: dict[Key, Branch] = {}


class Trail(NamedTuple):
    """The way from the root to a node; rendered only when an error needs it."""

    above: "Trail | None"
    node: SchemaNode
    key: Key = ()

    def __str__(self) -> str:
        """The XPath with module prefixes and key predicates."""
        predicates = zip(self.node.keys, self.key, strict=False)
        here = "".join(f"[{self.node.children[qname].label}={_quoted(value)}]" for qname, value in predicates)
        return f"{self.above or ''}/{self.node.label}{here}"


def _quoted(value: Value) -> str:
    text = value.name if isinstance(value, Identity) else value
    return f'"{text}"' if "'" in text else f"'{text}'"


def find(root: Branch, path: tuple[str, ...]) -> Entries | None:
    """Return the entries of the list at ``path``, given as qualified names from the top."""
    branch: Branch | None = root
    for qname in path[:-1]:
        branch = branch.branch(qname) if branch is not None else None
    return branch.entries(path[-1]) if branch is not None else None


def append_xml(parent: etree._Element, branch: Branch, schema: Schema) -> None:
    """Append what ``branch`` holds to ``parent``: children in schema order, list entries in the device's order."""
    for qname, node in branch.schema.children.items():
        child = branch.children.get(qname)
        if child is None:
            continue
        if isinstance(child, Branch):
            append_xml(_element(parent, node), child, schema)
        elif isinstance(child, Entries):
            for entry in child.by_key.values():
                append_xml(_element(parent, node), entry, schema)
        else:
            _append_leaf(parent, node, child, schema)


def nsmap(default: str, prefixed: Mapping[str, str] | None = None) -> dict[Any, str]:
    """Return a namespace map for lxml, whose stubs know no default namespace."""
    return {None: default, **(prefixed or {})}


def _element(parent: etree._Element, node: SchemaNode) -> etree._Element:
    if parent.nsmap.get(None) == node.namespace:
        return etree.SubElement(parent, node.qname)
    return etree.SubElement(parent, node.qname, nsmap=nsmap(node.namespace))


def _append_leaf(parent: etree._Element, node: SchemaNode, value: Value, schema: Schema) -> None:
    if not isinstance(value, Identity):
        _element(parent, node).text = value or None
        return
    prefix = schema.prefixes[value.namespace]
    leaf = etree.SubElement(parent, node.qname, nsmap=nsmap(node.namespace, {prefix: value.namespace}))
    leaf.text = f"{prefix}:{value.name}"


def to_text(root: Branch, schema: Schema) -> str:
    """Return the whole configuration as indented XML; equal trees give equal text."""
    config = etree.Element(f"{{{NETCONF_NS}}}config", nsmap=nsmap(NETCONF_NS))
    append_xml(config, root, schema)
    return etree.tostring(config, pretty_print=True, encoding="unicode")
