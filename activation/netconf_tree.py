"""NETCONF configuration as nodes: list entries and leaves, read from XML and written as XML.

Containers without meaning of their own are no nodes: they are there when something stands in them.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from lxml import etree

from activation.errors import PlanError
from activation.model import Path
from activation.netconf_shapes import Shapes
from activation.netconf_step import VALUE, has_value, is_entry, predicate, schema_path
from activation.netconf_text import BASE_NAMESPACE, Writer
from activation.notation import EVERYTHING, Nodes, Scope, grow
from activation.platforms import NetconfRules, SchemaNode

CONFIG: Final = f"{{{BASE_NAMESPACE}}}config"
OPERATION: Final = f"{{{BASE_NAMESPACE}}}operation"

_ENVELOPES: Final = frozenset({CONFIG, f"{{{BASE_NAMESPACE}}}data"})
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
LARGE: Final = 8192
"""Characters of a text from which on its entries are read by their shapes."""
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


def slot(path: Path, rules: NetconfRules) -> Path:
    """Return ``path`` without the value of its leaf; an entry of a leaf-list is its own slot."""
    last = path[-1]
    if not has_value(last) or (rules.multiple and schema_path(path) in rules.multiple):
        return path
    return (*path[:-1], last[: last.index("[", last.index("}"))])


def parse(text: str, rules: NetconfRules, scope: Scope) -> Nodes:
    """Return the nodes of a ``<config>`` element, of a ``<data>`` element, or of what stands in one.

    Raises:
        PlanError: no XML, a list the schema profile does not know, a list entry without its keys, or a prefix that
            is not declared.
    """
    return frozenset(read(text, rules, scope).values())


def read(text: str, rules: NetconfRules, scope: Scope) -> Mapping[Path, Path]:
    """Return what :func:`parse` returns, by slot.

    Raises:
        PlanError: as there.
    """
    reader = _Reader(scope, rules.shapes if len(text) > LARGE else None)
    reader.read(_envelope(text), (), rules.tree, inside=scope.covers is None)
    return reader.nodes


def show(nodes: Nodes, rules: NetconfRules) -> str:
    """Return the canonical ``<config>`` of ``nodes``, pretty-printed; empty without nodes."""
    return Writer(rules).write(grow(nodes)) if nodes else ""


def _envelope(text: str) -> etree._Element:
    try:
        root = etree.fromstring(f"<config>{_DECLARATION.sub('', text, count=1)}</config>", _PARSER)
    except etree.XMLSyntaxError as error:
        raise PlanError(f"the configuration is no XML: {error}") from error
    if len(root) == 1 and root[0].tag in _ENVELOPES:
        return root[0]
    return root


class _Reader:
    """Walks elements and collects nodes by slot; ``inside`` says that everything below is in the scope."""

    def __init__(self, scope: Scope, shapes: Shapes | None = None) -> None:
        self._covers, self._above, self._shapes = scope.covers or frozenset(), scope.above, shapes
        self.nodes: dict[Path, Path] = {}

    def read(
        self, element: etree._Element, parent: Path, schema: SchemaNode, *, inside: bool, keys: Collection[str] = ()
    ) -> None:
        """Collect the nodes below ``element``."""
        seen: set[str] = set()
        for child in element.iterchildren(tag=etree.Element):
            tag = child.tag
            if tag in keys:
                continue
            node = schema.child(tag)
            if node.keys is not None:
                self.read_entry(child, parent, node, inside=inside)
                continue
            if not node.is_multiple:
                if tag in seen:
                    where = _readable((*parent, tag))
                    raise PlanError(f"{where} stands there twice and the schema profile has no such list")
                seen.add(tag)
            if len(child):
                self._container(child, (*parent, tag), node, inside=inside)
            else:
                self._leaf(child, parent, node, inside=inside)

    def _container(self, child: etree._Element, path: Path, node: SchemaNode, *, inside: bool) -> None:
        inside = inside or path in self._covers
        if inside or path in self._above:
            if node.is_presence:
                self.nodes[path] = path
            self.read(child, path, node, inside=inside)

    def read_entry(self, child: etree._Element, parent: Path, node: SchemaNode, *, inside: bool) -> None:
        """Collect the nodes of a list entry."""
        step = tag = child.tag
        for key in node.keys or ():
            value = child.findtext(key)
            if value is None:
                lacking = [etree.QName(name).localname for name in node.keys or () if child.find(name) is None]
                raise PlanError(f"{_readable((*parent, tag))}: an entry lacks its key {', '.join(lacking)}")
            step += predicate(key[key.index("}") + 1 :], value.strip())
        path = (*parent, step)
        inside = inside or path in self._covers
        if inside and self._shapes is not None and not any(map(is_entry, parent)):
            text = etree.tostring(child, encoding="unicode", with_tail=False)
            self.nodes |= self._shapes.nodes(text, parent, lambda one: _entry_nodes(one, parent, node))
        elif inside or path in self._above:
            self.nodes[path] = path
            self.read(child, path, node, inside=inside, keys=node.keys or ())

    def _leaf(self, child: etree._Element, parent: Path, node: SchemaNode, *, inside: bool) -> None:
        tag = child.tag
        text = (child.text or "").strip()
        if text:
            value = _qualified(child, text) if node.is_qualified else text
            path = (*parent, tag + predicate(VALUE, value))
            place = path if node.is_multiple else (*parent, tag)
        elif node.is_presence:
            path = place = (*parent, tag)
        else:
            return
        if inside or place in self._covers or place in self._above:
            self.nodes[place] = path


def _entry_nodes(text: str, parent: Path, node: SchemaNode) -> Mapping[Path, Path]:
    """Return the nodes of one list entry that stands in ``parent``."""
    reader = _Reader(EVERYTHING)
    reader.read_entry(_envelope(text)[0], parent, node, inside=True)
    return reader.nodes


def _qualified(child: etree._Element, text: str) -> str:
    prefix, colon, name = text.rpartition(":")
    namespace = child.nsmap.get(prefix if colon else None)
    if namespace is None:
        raise PlanError(f"{child.tag}: the prefix of {text!r} is not declared")
    return f"{{{namespace}}}{name}"


def _readable(path: Path) -> str:
    return "/" + "/".join(etree.QName(tag).localname for tag in schema_path(path))
