"""What must hold for a configuration as a whole: mandatory leaves, references, conditions (RFC 7950, 8.3)."""

from collections import Counter
from collections.abc import Iterator

from labs.embedded.datatree import Branch, Entries, Trail, find, type_of
from labs.embedded.leaf_types import Identity, LeafrefType, Value
from labs.embedded.rpc_error import RpcError, bad_element
from labs.embedded.schema import Schema, SchemaNode
from labs.embedded.validation_change import Change, Reference


class Validator:
    """Checks the configurations of one device; what did not change since the last valid one costs nothing."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._valid: Branch | None = None
        self._references: Counter[Reference] = Counter()

    def violations(self, tree: Branch) -> list[RpcError]:
        """Return every violation in the tree, in document order; none for a valid configuration."""
        if tree is self._valid:
            return []
        if self._valid is not None:
            change = Change(self._schema, tree)
            if change.branch(self._valid, tree) and change.refers_well(self._references):
                self._adopt(tree, change)
                return []
        found = violations(tree)
        if not found:
            whole = Change(self._schema, tree)
            whole.branch(None, tree)
            self._references = Counter()
            self._adopt(tree, whole)
        return found

    def _adopt(self, tree: Branch, change: Change) -> None:
        self._valid = tree
        for reference, by in change.references().items():
            self._references[reference] += by
            if not self._references[reference]:
                del self._references[reference]


def violations(root: Branch) -> list[RpcError]:
    """Return every violation in the tree, in document order; none for a valid configuration."""
    return list(_Check(root).branch(root, None))


class _Check:
    def __init__(self, root: Branch) -> None:
        self._root = root

    def branch(self, branch: Branch, trail: Trail | None) -> Iterator[RpcError]:
        for qname, node in branch.schema.children.items():
            child = branch.children.get(qname)
            if child is None and node.kind == "list":
                continue
            if node.for_types and type_of(branch) not in node.for_types:
                if child is not None:
                    yield _not_here(Trail(trail, node), branch)
                continue
            yield from self._child(branch, node, child, trail)

    def _child(
        self, parent: Branch, node: SchemaNode, child: Branch | Entries | Value | None, trail: Trail | None
    ) -> Iterator[RpcError]:
        if isinstance(child, Entries):
            for key, entry in child.by_key.items():
                yield from self.branch(entry, Trail(trail, node, key))
        elif node.kind == "container":
            # Mandatory leaves count in an absent container too: it has no presence of its own.
            yield from self.branch(child if isinstance(child, Branch) else Branch(node), Trail(trail, node))
        elif child is None:
            if node.mandatory:
                where = str(trail or "")
                yield bad_element("missing-element", f"{where} lacks {node.label}", path=where, element=node.name)
        elif isinstance(child, str):
            yield from self._leaf(parent, node, child, Trail(trail, node))

    def _leaf(self, parent: Branch, node: SchemaNode, value: str, trail: Trail) -> Iterator[RpcError]:
        if isinstance(node.leaf_type, LeafrefType):
            yield from self._reference(node.leaf_type, value, trail)
        if node.at_least_sum_of:
            needed = sum(int(_text(parent.leaf(sibling))) for sibling in node.at_least_sum_of)
            if int(value) < needed:
                message = f"{trail} is {value}, below the sum {needed} of the bandwidths it must carry"
                yield RpcError("operation-failed", message, path=str(trail), app_tag="must-violation")

    def _reference(self, leaf_type: LeafrefType, value: str, trail: Trail) -> Iterator[RpcError]:
        entries = find(self._root, leaf_type.target)
        entry = entries.by_key.get((value,)) if entries is not None else None
        if entry is None:
            message = f"{trail} refers to {value!r}, which does not exist"
            yield RpcError("data-missing", message, path=str(trail), app_tag="instance-required")
        elif leaf_type.points_to and type_of(entry) not in leaf_type.points_to:
            message = f"{trail} refers to {value!r}, which is not of type {leaf_type.points_to_text}"
            yield RpcError("operation-failed", message, path=str(trail), app_tag="must-violation")


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else "0"


def _not_here(trail: Trail, entry: Branch) -> RpcError:
    kind = type_of(entry)
    name = kind.name if isinstance(kind, Identity) else "unknown"
    message = f"{trail} is not allowed on an interface of type {name}"
    return bad_element("unknown-element", message, path=str(trail), element=trail.node.name)
