"""Whether a valid configuration is still valid after a change, looking at the change only.

The answer may be "not sure", never a wrong "yes": whoever is not sure looks at the whole configuration.
"""

from collections import Counter
from collections.abc import Mapping

from labs.embedded.datatree import Branch, Entries, Key, find, type_of
from labs.embedded.leaf_types import LeafrefType, Value
from labs.embedded.schema import Schema, SchemaNode

Reference = tuple[tuple[str, ...], Value]
"""The path of a list and the key of the entry meant."""


class Change:
    """What differs between a valid tree and the one after it."""

    def __init__(self, schema: Schema, root: Branch) -> None:
        self._schema = schema
        self._root = root
        self._balance: Counter[Reference] = Counter()
        self._gained: list[tuple[LeafrefType, str]] = []
        self._lost: list[Reference] = []
        self._lists: dict[tuple[str, ...], Entries | None] = {}

    def references(self) -> Mapping[Reference, int]:
        """Return by how much the number of references to each entry changed."""
        return self._balance

    def branch(self, old: Branch | None, new: Branch) -> bool:
        """Say whether all that ``new`` holds by itself is surely in order; ``old`` was."""
        if old is new:
            return True
        kind = type_of(new)
        if old is not None and type_of(old) != kind:
            return False
        for qname, node in new.schema.children.items():
            before = old.children.get(qname) if old is not None else None
            after = new.children.get(qname)
            if not self._child(node, before, after, new, kind, fresh=old is None):
                return False
        return True

    def refers_well(self, references: Mapping[Reference, int]) -> bool:
        """Say whether new references find their entries, and no old one has lost its; ``references`` is as before."""
        for leaf_type, value in self._gained:
            entries = self._list(leaf_type.target)
            entry = entries.by_key.get((value,)) if entries is not None else None
            if entry is None or (leaf_type.points_to and type_of(entry) not in leaf_type.points_to):
                return False
        return not any(references.get(lost, 0) + self._balance[lost] for lost in self._lost if not self._exists(lost))

    def _child(
        self,
        node: SchemaNode,
        before: Branch | Entries | Value | None,
        after: Branch | Entries | Value | None,
        parent: Branch,
        kind: Value | None,
        *,
        fresh: bool,
    ) -> bool:
        if after is before and not node.at_least_sum_of and not (fresh and after is None):
            return True
        if after is None:
            self._left(node, before)
            return not node.demands or bool(node.for_types and kind not in node.for_types)
        if node.for_types and kind not in node.for_types:
            return False
        if isinstance(after, Branch):
            return self.branch(before if isinstance(before, Branch) else None, after)
        if isinstance(after, Entries):
            return self._entries(node, before if isinstance(before, Entries) else None, after)
        return self._leaf(node, before, after, parent)

    def _entries(self, node: SchemaNode, before: Entries | None, after: Entries) -> bool:
        old: Mapping[Key, Branch] = before.by_key if before is not None else {}
        for key in after.changed_since(before) if before is not None else after.by_key:
            entry = after.by_key.get(key)
            if entry is None:
                self._entry_left(node, key, old.get(key))
            elif not self.branch(old.get(key), entry):
                return False
        return True

    def _leaf(self, node: SchemaNode, before: object, after: Value, parent: Branch) -> bool:
        if node.at_least_sum_of:
            needed = sum(int(str(parent.leaf(sibling) or 0)) for sibling in node.at_least_sum_of)
            if int(str(after)) < needed:
                return False
        if isinstance(node.leaf_type, LeafrefType) and isinstance(after, str) and after != before:
            self._left(node, before)
            self._balance[node.leaf_type.target, after] += 1
            self._gained.append((node.leaf_type, after))
        return True

    def _left(self, node: SchemaNode, child: object) -> None:
        """Note what goes away with ``child``: references, and entries that others may refer to."""
        if isinstance(child, Branch):
            for qname, inner in child.children.items():
                self._left(child.schema.children[qname], inner)
        elif isinstance(child, Entries):
            for key, entry in child.by_key.items():
                self._entry_left(node, key, entry)
        elif isinstance(node.leaf_type, LeafrefType) and isinstance(child, str):
            self._balance[node.leaf_type.target, child] -= 1

    def _entry_left(self, node: SchemaNode, key: Key, entry: Branch | None) -> None:
        if node.path in self._schema.referred:
            self._lost.append((node.path, key[0]))
        self._left(node, entry)

    def _list(self, path: tuple[str, ...]) -> Entries | None:
        if path not in self._lists:
            self._lists[path] = find(self._root, path)
        return self._lists[path]

    def _exists(self, lost: Reference) -> bool:
        entries = self._list(lost[0])
        return entries is not None and (lost[1],) in entries.by_key
