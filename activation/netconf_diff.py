"""The minimal NETCONF edit between two sets of nodes."""

from collections.abc import Iterator

from activation.model import Path
from activation.netconf_step import is_entry
from activation.netconf_text import Bodies, Writer
from activation.netconf_tree import slot
from activation.notation import Nodes, grow, parents
from activation.platforms import NetconfRules


def edit(before: Nodes, after: Nodes, rules: NetconfRules, *, strict: bool) -> str:
    """Return the ``<config>`` for edit-config (default operation merge) that turns ``before`` into ``after``.

    New list entries carry ``create``, vanished nodes ``delete``, changed leaves ``replace``, new leaves ``merge``;
    an edit that is not ``strict`` says ``merge`` and ``remove`` instead. Empty when nothing changes.
    """
    return write_edit(before, after, Writer(rules), rules, {}, strict=strict)


def write_edit(
    before: Nodes, after: Nodes, writer: Writer, rules: NetconfRules, bodies: Bodies, *, strict: bool
) -> str:
    """Return what :func:`edit` returns; note in ``bodies`` what stands in the nodes that are new."""
    created, removed = after - before, before - after
    if not created and not removed:
        return ""
    held_before = {slot(node, rules) for node in removed}
    held_after = {slot(node, rules) for node in created} if removed else frozenset()
    gone = {node for node in _topmost(removed) if slot(node, rules) not in held_after}

    def operation_of(path: Path) -> str | None:
        if path in created:
            if held_before and slot(path, rules) in held_before:
                return "replace"
            return "create" if strict and is_entry(path[-1]) else "merge"
        if path in gone:
            return "delete" if strict else "remove"
        return None

    return writer.edit(grow(created | gone), operation_of, bodies)


def _topmost(nodes: Nodes) -> Iterator[Path]:
    return (node for node in nodes if not any(path in nodes for path in parents(node)))
