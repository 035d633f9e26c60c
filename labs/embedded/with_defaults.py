"""What a client is told of leaves that nobody set (RFC 6243). The device itself keeps what was set: explicit."""

from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from labs.embedded.datatree import Branch, Entries, type_of
from labs.embedded.leaf_types import Value
from labs.embedded.rpc_error import protocol_error
from labs.embedded.schema import SchemaNode

WITH_DEFAULTS: Final = "{urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults}with-defaults"
CAPABILITY: Final = (
    "urn:ietf:params:netconf:capability:with-defaults:1.0?basic-mode=explicit&also-supported=report-all,trim"
)

Child = Branch | Entries | Value


def told(tree: Branch, operation: etree._Element) -> Branch:
    """Return what the RPC wants to be told of ``tree``.

    Raises:
        RpcError: ``invalid-value``, with the legal modes.
    """
    wanted = operation.find(WITH_DEFAULTS)
    mode = (wanted.text or "").strip() if wanted is not None else "explicit"
    if mode not in MODES:
        known = ", ".join(sorted(MODES))
        info = (("bad-element", "with-defaults"),)
        raise protocol_error("invalid-value", f"with-defaults {mode!r}; known: {known}", info=info)
    return MODES[mode](tree)


def filled(branch: Branch) -> Branch:
    """Return ``branch`` with every leaf that has a default."""
    result = Branch(branch.schema)
    for qname, node in branch.schema.children.items():
        child = _filled_child(node, branch.children.get(qname), branch)
        if child is not None:
            result.children[qname] = child
    return result


def _filled_child(node: SchemaNode, child: Child | None, parent: Branch) -> Child | None:
    if node.kind == "leaf":
        return node.default if child is None else child
    if isinstance(child, Entries):
        return _each(child, filled)
    if node.kind == "list" or (node.for_types and type_of(parent) not in node.for_types):
        return child
    inner = filled(child if isinstance(child, Branch) else Branch(node))
    return inner if inner.children else None


def trimmed(branch: Branch) -> Branch:
    """Return ``branch`` without the leaves that are set to their default."""
    result = Branch(branch.schema)
    for qname, child in branch.children.items():
        if isinstance(child, Entries):
            result.children[qname] = _each(child, trimmed)
        elif isinstance(child, Branch):
            inner = trimmed(child)
            if inner.children:
                result.children[qname] = inner
        elif child != branch.schema.children[qname].default:
            result.children[qname] = child
    return result


def _each(entries: Entries, change: Callable[[Branch], Branch]) -> Entries:
    result = Entries(entries.schema)
    result.by_key = {key: change(entry) for key, entry in entries.by_key.items()}
    return result


MODES: Final[Mapping[str, Callable[[Branch], Branch]]] = {
    "explicit": lambda tree: tree,
    "report-all": filled,
    "trim": trimmed,
}
