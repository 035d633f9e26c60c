"""Who changed an emulated NETCONF device, and what: its log of configuration changes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from labs.embedded.datastore import Store
from labs.embedded.datatree import Branch, Entries, Trail
from labs.embedded.leaf_types import Value
from labs.embedded.schema import SchemaNode

KEPT: Final = 500
"""Changes that the log holds; the oldest go first."""
FINE: Final = 200
"""Edits of one change that are told one by one; of a larger one only the branches at the top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changed the device, in which session, from where."""

    session: int
    username: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One node that is another: ``create``, ``delete``, ``replace``, or ``merge`` of something below it."""

    target: Trail
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a datastore.

    Attributes:
        by: None: the device itself, as when a commit is not confirmed in time.
    """

    at: datetime
    store: Store
    by: Author | None
    edits: tuple[Edit, ...]


class ChangeLog:
    """The latest changes, oldest first. It survives a restart of the device.

    Attributes:
        since: when the log begins.
    """

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self._changes: deque[Change] = deque(maxlen=KEPT)
        self._followers: list[Callable[[Change], None]] = []

    def add(self, store: Store, by: Author | None, before: Branch, after: Branch) -> None:
        """Write down what made ``after`` of ``before``; nothing where they are the same."""
        edits = changed_nodes(before, after)
        if not edits:
            return
        change = Change(at=datetime.now(UTC), store=store, by=by, edits=edits)
        self._changes.append(change)
        for told in tuple(self._followers):
            told(change)

    def between(self, start: datetime, stop: datetime) -> Iterator[Change]:
        """Yield the changes from ``start`` to ``stop``, oldest first."""
        yield from (change for change in tuple(self._changes) if start <= change.at <= stop)

    def follow(self, told: Callable[[Change], None]) -> None:
        """Have ``told`` called with each change from now on."""
        self._followers.append(told)

    def leave(self, told: Callable[[Change], None]) -> None:
        """Call ``told`` no more."""
        if told in self._followers:
            self._followers.remove(told)


def changed_nodes(before: Branch, after: Branch) -> tuple[Edit, ...]:
    """Return the nodes in which two trees differ; what is new or gone as a whole is one."""
    if before is after:
        return ()
    edits = tuple(islice(_edits(before, after, None), FINE + 1))
    if len(edits) <= FINE:
        return edits
    tops = [node for qname, node in after.schema.children.items() if _differs(before, after, qname)]
    return tuple(Edit(target=Trail(None, node), operation="merge") for node in tops)


def _differs(before: Branch, after: Branch, qname: str) -> bool:
    return before.children.get(qname) is not after.children.get(qname)


def _edits(before: Branch, after: Branch, trail: Trail | None) -> Iterable[Edit]:
    for qname, node in after.schema.children.items():
        old, new = before.children.get(qname), after.children.get(qname)
        if old is new:
            continue
        if node.kind == "list":
            yield from _entry_edits(node, old, new, trail)
        elif node.kind == "container":
            inner = [each if isinstance(each, Branch) else Branch(node) for each in (old, new)]
            yield from _edits(inner[0], inner[1], Trail(trail, node))
        elif old != new:
            yield Edit(target=Trail(trail, node), operation=_operation(old, new))


def _entry_edits(
    node: SchemaNode, old: Branch | Entries | Value | None, new: Branch | Entries | Value | None, trail: Trail | None
) -> Iterable[Edit]:
    before = old if isinstance(old, Entries) else Entries(node)
    after = new if isinstance(new, Entries) else Entries(node)
    for key in after.changed_since(before):
        was, stands = before.by_key.get(key), after.by_key.get(key)
        here = Trail(trail, node, key)
        if was is not None and stands is not None:
            yield from _edits(was, stands, here)
        elif was is not stands:
            yield Edit(target=here, operation=_operation(was, stands))


def _operation(old: object, new: object) -> str:
    if old is None:
        return "create"
    return "delete" if new is None else "replace"
