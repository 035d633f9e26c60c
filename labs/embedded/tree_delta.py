"""What changed between two configuration trees, as an edit that leads from one to the other.

Costs what changed: trees share what did not.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from xml.sax.saxutils import quoteattr

from labs.embedded.datatree import Branch, Entries
from labs.embedded.rpc_error import NETCONF_NS
from labs.embedded.schema import Schema, SchemaNode
from labs.embedded.tree_xml import inner_xml, leaf_xml

REPLACE: Final = ' nc:operation="replace"'
REMOVE: Final = ' nc:operation="remove"'


def delta(before: Branch, after: Branch, schema: Schema) -> str:
    """Return the ``<config>`` element that makes ``after`` of ``before``; empty where they are the same."""
    inner = "".join(_Delta(schema).changes(before, after, NETCONF_NS))
    namespace = quoteattr(NETCONF_NS)
    return f"<config xmlns={namespace} xmlns:nc={namespace}>{inner}</config>" if inner else ""


class _Delta:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._prefixes: Mapping[str, str] = schema.prefixes

    def changes(self, before: Branch, after: Branch, namespace: str) -> Iterable[str]:
        for qname, node in after.schema.children.items():
            old, new = before.children.get(qname), after.children.get(qname)
            if old is new or (node.kind == "leaf" and old == new):
                continue
            if isinstance(new, Entries) or isinstance(old, Entries):
                yield from self._entries(node, old, new, namespace)
            elif new is None:
                yield _start(node, namespace, REMOVE) + node.end
            elif not isinstance(new, Branch):
                yield leaf_xml(node, new, namespace, self._prefixes)
            elif isinstance(old, Branch):
                inner = "".join(self.changes(old, new, node.namespace))
                yield _start(node, namespace) + inner + node.end
            else:
                yield self._whole(new, namespace, "")

    def _entries(self, node: SchemaNode, old: object, new: object, namespace: str) -> Iterable[str]:
        before = old if isinstance(old, Entries) else Entries(node)
        after = new if isinstance(new, Entries) else Entries(node)
        for key in after.changed_since(before):
            entry = after.by_key.get(key)
            if entry is not None:
                yield self._whole(entry, namespace, REPLACE)
            elif key in before.by_key:
                yield _start(node, namespace, REMOVE) + self._keys(before.by_key[key]) + node.end

    def _keys(self, entry: Branch) -> str:
        only = Branch(entry.schema)
        only.children = {qname: entry.children[qname] for qname in entry.schema.keys}
        return inner_xml(only, self._schema, entry.schema.namespace)

    def _whole(self, branch: Branch, namespace: str, operation: str) -> str:
        node = branch.schema
        return _start(node, namespace, operation) + inner_xml(branch, self._schema, node.namespace) + node.end


def _start(node: SchemaNode, namespace: str, operation: str = "") -> str:
    start = node.start if node.namespace == namespace else node.start_qualified
    return f"{start[:-1]}{operation}>"
