"""edit-config (RFC 6241, 7.2) on a tree: the old tree stays as it is, the new one shares what did not change."""

from typing import Final

from lxml import etree

from labs.embedded.datatree import Branch, Entries, Key, Trail
from labs.embedded.leaf_types import NO_PREFIXES, Value
from labs.embedded.rpc_error import NETCONF_NS, RpcError, RpcErrors, bad_element
from labs.embedded.schema import Schema, SchemaNode

OPERATION: Final = f"{{{NETCONF_NS}}}operation"
MARKED: Final = etree.XPath("boolean(.//@nc:operation)", namespaces={"nc": NETCONF_NS})
"""Whether there is any operation attribute: most edits have none, and looking for it on each element is dear."""
OPERATIONS: Final = frozenset({"merge", "replace", "create", "delete", "remove"})
MINDING: Final = frozenset({"create", "delete"})
"""Operations that mind whether the node exists."""
DEFAULT_OPERATIONS: Final = frozenset({"merge", "replace", "none"})


def apply_edit(
    root: Branch, config: etree._Element, schema: Schema, *, default_operation: str = "merge", keep_going: bool = False
) -> Branch:
    """Return the tree after the edit.

    Args:
        root: the tree before; not changed.
        config: the ``<config>`` element.
        schema: what is legal.
        default_operation: merge, replace or none.
        keep_going: leave out what is refused and go on (error-option continue-on-error).

    Raises:
        RpcError: the first refusal, when not ``keep_going``.
        PartlyRefused: all refusals, with the tree that holds the rest, when ``keep_going``.
    """
    edit = _Edit(schema, keep_going=keep_going, marked=bool(MARKED(config)))
    new_root = Branch(root.schema, edit) if default_operation == "replace" else edit.own_branch(root)
    edit.children(new_root, config, default_operation, None)
    if edit.refused:
        raise PartlyRefused(edit.refused, new_root)
    return new_root


class PartlyRefused(RpcErrors):
    """Some parts of an edit were refused; ``tree`` holds the others."""

    def __init__(self, errors: list[RpcError], tree: Branch) -> None:
        super().__init__(errors)
        self.tree = tree


class _Edit:
    """One edit in progress; it owns the nodes it has copied and changes only those."""

    def __init__(self, schema: Schema, *, keep_going: bool, marked: bool) -> None:
        self._schema = schema
        self._keep_going = keep_going
        self._marked = marked
        self.refused: list[RpcError] = []

    def own_branch(self, branch: Branch) -> Branch:
        if branch.owner is self:
            return branch
        copy = Branch(branch.schema, self)
        copy.children = branch.children.copy()
        return copy

    def _own_entries(self, parent: Branch, node: SchemaNode) -> Entries:
        entries = parent.entries(node.qname)
        if entries is None or entries.owner is not self:
            parent.children[node.qname] = entries = Entries(node, self, entries)
        return entries

    def children(self, parent: Branch, element: etree._Element, operation: str, trail: Trail | None) -> None:
        keys = parent.schema.keys
        for child in element:
            name = str(child.tag)
            if name in keys:
                continue
            if not self._keep_going:
                self._child(parent, name, child, operation, trail)
                continue
            try:
                self._child(parent, name, child, operation, trail)
            except RpcError as refusal:
                self.refused.append(refusal)

    def _child(self, parent: Branch, name: str, element: etree._Element, inherited: str, trail: Trail | None) -> None:
        node = parent.schema.children.get(name)
        if node is None or node.is_state:
            raise self._unknown(parent, element, trail)
        own = element.get(OPERATION) if self._marked else None
        operation = inherited if own is None else _operation(own, element, trail)
        if node.kind == "leaf":
            self._leaf(parent, node, element, operation, trail)
        elif node.kind == "container":
            self._container(parent, node, element, operation, trail)
        else:
            self._entry(parent, node, element, operation, trail)

    def _unknown(self, parent: Branch, element: etree._Element, trail: Trail | None) -> RpcError:
        name = etree.QName(element)
        where = str(trail or "") + "/" + self._label(name)
        if name.namespace not in self._schema.prefixes:
            info = (("bad-element", name.localname), ("bad-namespace", name.namespace or ""))
            message = f"unknown namespace {name.namespace or '(none)'} of element {name.localname}"
            return RpcError("unknown-namespace", message, path=where, info=info)
        legal = ", ".join(child.label for child in parent.schema.children.values() if not child.is_state)
        message = f"unknown element {self._label(name)} in {trail or '/'}; known: {legal}"
        return bad_element("unknown-element", message, path=where, element=name.localname)

    def _label(self, name: etree.QName) -> str:
        prefix = self._schema.prefixes.get(name.namespace or "")
        return f"{prefix}:{name.localname}" if prefix else name.localname

    def _leaf(
        self, parent: Branch, node: SchemaNode, element: etree._Element, operation: str, trail: Trail | None
    ) -> None:
        if operation in MINDING:
            _check_existence(operation, Trail(trail, node), exists=node.qname in parent.children)
        if operation in {"delete", "remove"}:
            parent.children.pop(node.qname, None)
        elif operation != "none":
            parent.children[node.qname] = parse_leaf(node, element, trail)

    def _container(
        self, parent: Branch, node: SchemaNode, element: etree._Element, operation: str, trail: Trail | None
    ) -> None:
        existing = parent.branch(node.qname)
        here = Trail(trail, node)
        _check_existence(operation, here, exists=existing is not None)
        if operation in {"delete", "remove"}:
            parent.children.pop(node.qname, None)
            return
        fresh = existing is None or operation == "replace"
        branch = Branch(node, self) if fresh or existing is None else self.own_branch(existing)
        parent.children[node.qname] = branch
        try:
            self.children(branch, element, operation, here)
        finally:
            # A container without presence exists only through what is in it.
            if not branch.children:
                del parent.children[node.qname]

    def _entry(
        self, parent: Branch, node: SchemaNode, element: etree._Element, operation: str, trail: Trail | None
    ) -> None:
        key = entry_key(node, element, trail)
        here = Trail(trail, node, key)
        known = parent.entries(node.qname)
        existing = known.by_key.get(key) if known is not None else None
        _check_existence(operation, here, exists=existing is not None)
        if operation == "none" and existing is None:
            raise RpcError("data-missing", f"{here} does not exist", path=str(here))
        if operation in {"delete", "remove"}:
            if existing is not None:
                self._drop_entry(parent, node, key)
            return
        if existing is None or operation == "replace":
            branch = Branch(node, self)
            branch.children.update(zip(node.keys, key, strict=True))
        else:
            branch = self.own_branch(existing)
        self._own_entries(parent, node).put(key, branch)
        self.children(branch, element, operation, here)

    def _drop_entry(self, parent: Branch, node: SchemaNode, key: Key) -> None:
        entries = self._own_entries(parent, node)
        entries.drop(key)
        if not entries.by_key:
            del parent.children[node.qname]


def parse_leaf(node: SchemaNode, element: etree._Element, trail: Trail | None) -> Value:
    """Return the canonical value of a leaf element.

    Raises:
        RpcError: ``invalid-value``, with the path and what is legal.
    """
    text = element.text or ""
    leaf_type = node.leaf_type
    try:
        if leaf_type is None:
            raise ValueError("is not a leaf")  # noqa: TRY301  # it is told like every other unfit value
        return leaf_type.parse(text, element.nsmap if node.prefixed else NO_PREFIXES)
    except ValueError as refused:
        where = str(Trail(trail, node))
        message = f"invalid value {text!r} of {where}: {refused}"
        raise bad_element("invalid-value", message, path=where, element=node.name) from None


def entry_key(node: SchemaNode, element: etree._Element, trail: Trail | None) -> Key:
    """Return the key of a list entry element.

    Raises:
        RpcError: ``missing-element`` or ``invalid-value``.
    """
    values: list[Value] = []
    for qname in node.keys:
        leaf = element.find(qname)
        if leaf is None:
            name = node.children[qname].name
            where = str(Trail(trail, node))
            raise bad_element("missing-element", f"{where} lacks its key {name}", path=where, element=name)
        values.append(parse_leaf(node.children[qname], leaf, Trail(trail, node)))
    return tuple(values)


def _operation(operation: str, element: etree._Element, trail: Trail | None) -> str:
    if operation not in OPERATIONS:
        info = (("bad-attribute", "operation"), ("bad-element", etree.QName(element).localname))
        message = f"unknown operation {operation!r}; known: {', '.join(sorted(OPERATIONS))}"
        raise RpcError("bad-attribute", message, path=str(trail or ""), info=info)
    return operation


def _check_existence(operation: str, trail: Trail, *, exists: bool) -> None:
    if operation == "create" and exists:
        raise RpcError("data-exists", f"{trail} already exists", path=str(trail))
    if operation == "delete" and not exists:
        raise RpcError("data-missing", f"{trail} does not exist", path=str(trail))
