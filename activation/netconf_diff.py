"""The minimal NETCONF edit between two sets of nodes."""

from collections.abc import Iterator

from activation.model import Path
from activation.netconf_tree import parse_step, slot, write
from activation.notation import Nodes, parents
from activation.platforms import NetconfRules


def edit(before: Nodes, after: Nodes, rules: NetconfRules, *, strict: bool) -> str:
    """Return the ``<config>`` for edit-config (default operation merge) that turns ``before`` into ``after``.

    New list entries carry ``create``, vanished nodes ``delete``, changed leaves ``replace``, new leaves ``merge``;
    an edit that is not ``strict`` says ``merge`` and ``remove`` instead. Empty when nothing changes.
    """
    operations = dict(_operations(before, after, rules, strict=strict))
    if not operations:
        return ""
    return write((after - before) | operations.keys(), operations, rules)


def _operations(before: Nodes, after: Nodes, rules: NetconfRules, *, strict: bool) -> Iterator[tuple[Path, str]]:
    created, removed = after - before, before - after
    held_before = {slot(node, rules) for node in removed}
    held_after = {slot(node, rules) for node in created}
    for node in _topmost(created):
        is_entry = bool(parse_step(node[-1]).keys)
        if slot(node, rules) in held_before:
            yield node, "replace"
        else:
            yield node, "create" if strict and is_entry else "merge"
    for node in _topmost(removed):
        if slot(node, rules) not in held_after:
            yield node, "delete" if strict else "remove"


def _topmost(nodes: Nodes) -> Iterator[Path]:
    return (node for node in nodes if not any(path in nodes for path in parents(node)))
