"""The configuration of an emulated NETCONF device as a tree.

Trees are snapshots: whoever changes one first copies the nodes on the way (see ``edit``), so keeping an old tree costs
nothing and rolling back is an assignment. List entries are found by key, whatever their number.
"""

from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple

from labs.embedded.leaf_types import Identity, Value
from labs.embedded.schema import SchemaNode

Key = tuple[Value, ...]
_versions = count(1)


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
    """The entries of one list, in the order they were made.

    Attributes:
        version: a number no other list object of this process has.
        based_on: the version this one was copied from.
        touched: the keys in which it may differ from that one.
    """

    __slots__ = ("based_on", "by_key", "owner", "schema", "touched", "version")

    def __init__(self, schema: SchemaNode, owner: object = None, before: "Entries | None" = None) -> None:
        self.schema = schema
        self.owner = owner
        self.version = next(_versions)
        self.based_on = before.version if before is not None else None
        self.touched: set[Key] | None = set() if before is not None else None
        self.by_key: dict[Key, Branch] = before.by_key.copy() if before is not None else {}

    def put(self, key: Key, entry: Branch) -> None:
        """Add or exchange an entry."""
        self.by_key[key] = entry
        if self.touched is not None:
            self.touched.add(key)

    def drop(self, key: Key) -> None:
        """Remove an entry."""
        del self.by_key[key]
        if self.touched is not None:
            self.touched.add(key)

    def changed_since(self, before: "Entries") -> Iterable[Key]:
        """Return the keys whose entries may differ from those of ``before``."""
        if self.touched is not None and self.based_on == before.version:
            return self.touched
        old, new = before.by_key, self.by_key
        changed = [key for key, entry in new.items() if old.get(key) is not entry]
        return [*changed, *(old.keys() - new.keys())]


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


def type_of(entry: Branch) -> Value | None:
    """Return the leaf ``type`` of an entry, which says what else it may hold."""
    return entry.leaf(f"{{{entry.schema.namespace}}}type")


def find(root: Branch, path: tuple[str, ...]) -> Entries | None:
    """Return the entries of the list at ``path``, given as qualified names from the top."""
    branch: Branch | None = root
    for qname in path[:-1]:
        branch = branch.branch(qname) if branch is not None else None
    return branch.entries(path[-1]) if branch is not None else None


def without_last_change(before: Branch, after: Branch) -> Branch:
    """Return ``after`` but for one of its differences from ``before``."""
    changed = [
        name
        for name in (*after.children, *before.children)
        if after.children.get(name) is not before.children.get(name)
    ]
    if not changed:
        return after
    result = Branch(after.schema)
    result.children = after.children.copy()
    old, new = before.children.get(changed[-1]), after.children.get(changed[-1])
    if len(changed) == 1 and isinstance(old, Branch) and isinstance(new, Branch):
        result.children[changed[-1]] = without_last_change(old, new)
    elif len(changed) == 1 and isinstance(old, Entries) and isinstance(new, Entries):
        result.children[changed[-1]] = _without_last_entry(old, new)
    else:
        _put_back(result, changed[-1], old)
    return result


def _without_last_entry(before: Entries, after: Entries) -> Entries:
    result = Entries(after.schema, before=after)
    key = list(after.changed_since(before))[-1]
    if key in before.by_key:
        result.put(key, before.by_key[key])
    else:
        result.drop(key)
    return result


def _put_back(branch: Branch, name: str, old: "Branch | Entries | Value | None") -> None:
    if old is None:
        branch.children.pop(name, None)
    else:
        branch.children[name] = old


def nsmap(default: str, prefixed: Mapping[str, str] | None = None) -> dict[Any, str]:
    """Return a namespace map for lxml, whose stubs know no default namespace."""
    return {None: default, **(prefixed or {})}
