"""NETCONF configuration as nodes: list entries and leaves, read from XML and written as XML.

Containers without meaning of their own are no nodes: they are there when something stands in them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from lxml import etree

from activation.errors import PlanError
from activation.model import Path
from activation.notation import Branch, Nodes, Scope, grow, natural
from activation.platforms import NetconfRules, SchemaPath

BASE_NAMESPACE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
CONFIG: Final = f"{{{BASE_NAMESPACE}}}config"
OPERATION: Final = f"{{{BASE_NAMESPACE}}}operation"

_ENVELOPES: Final = frozenset({CONFIG, f"{{{BASE_NAMESPACE}}}data"})
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_STEP: Final = re.compile(r"(?P<tag>\{[^}]*\}[^\[]+)(?P<predicates>.*)", re.DOTALL)
_PREDICATE: Final = re.compile(r"""\[(?P<name>[^=]+)=(?P<quote>['"])(?P<value>.*?)(?P=quote)\]""", re.DOTALL)
_VALUE: Final = "."


class Step(NamedTuple):
    """One step of a path: a container, a list entry with ``keys``, or a leaf with its ``value``."""

    tag: str
    keys: tuple[tuple[str, str], ...]
    value: str | None


@lru_cache(maxsize=65536)
def parse_step(text: str) -> Step:
    """Return the step that ``text`` stands for.

    Raises:
        PlanError: the text is no such step.
    """
    if (match := _STEP.fullmatch(text)) is None:
        raise PlanError(f"{text!r} is no step of a path; legal: {{namespace}}name[key='value']")
    predicates = tuple((found["name"], found["value"]) for found in _PREDICATE.finditer(match["predicates"]))
    value = next((value for name, value in predicates if name == _VALUE), None)
    return Step(match["tag"], tuple(p for p in predicates if p[0] != _VALUE), value)


def predicate(name: str, value: str) -> str:
    """Return ``[name='value']``.

    Raises:
        PlanError: the value holds both kinds of quotes, which XPath cannot write.
    """
    if "'" not in value:
        return f"[{name}='{value}']"
    if '"' not in value:
        return f'[{name}="{value}"]'
    raise PlanError(f"{name}: {value!r} holds both kinds of quotes")


def schema_path(path: Path) -> SchemaPath:
    """Return the schema node of a path."""
    return tuple(parse_step(step).tag for step in path)


def slot(path: Path, rules: NetconfRules) -> Path:
    """Return ``path`` without the value of its leaf; an entry of a leaf-list is its own slot."""
    last = parse_step(path[-1])
    if last.value is None or (rules.multiple and schema_path(path) in rules.multiple):
        return path
    return (*path[:-1], last.tag)


def unit(path: Path) -> Path:
    """Return the innermost list entry that ``path`` is or stands in, ``path`` itself when there is none."""
    depths = [depth for depth, step in enumerate(path, start=1) if parse_step(step).keys]
    return path[: depths[-1]] if depths else path


def parse(text: str, rules: NetconfRules, scope: Scope) -> Nodes:
    """Return the nodes of a ``<config>`` element, of a ``<data>`` element, or of what stands in one.

    Raises:
        PlanError: no XML, a list the schema profile does not know, a list entry without its keys, or a prefix that
            is not declared.
    """
    return frozenset(_Reader(rules, scope).read(_envelope(text), (), ()))


def _envelope(text: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(f"<config>{_DECLARATION.sub('', text, count=1)}</config>", parser)
    except etree.XMLSyntaxError as error:
        raise PlanError(f"the configuration is no XML: {error}") from error
    if len(root) == 1 and root[0].tag in _ENVELOPES:
        return root[0]
    return root


class _Reader:
    """Walks elements; ``parent`` and ``schema`` are the way down so far."""

    def __init__(self, rules: NetconfRules, scope: Scope) -> None:
        self._rules, self._scope = rules, scope

    def read(
        self, element: etree._Element, parent: Path, schema: SchemaPath, keys: frozenset[str] = frozenset()
    ) -> Iterator[Path]:
        single: set[str] = set()
        for child in element.iterchildren(tag=etree.Element):
            if child.tag in keys:
                continue
            here = (*schema, child.tag)
            if here not in self._rules.keys and here not in self._rules.multiple:
                if child.tag in single:
                    raise PlanError(f"{_readable(here)} stands there twice and the schema profile has no such list")
                single.add(child.tag)
            yield from self._child(child, parent, here)

    def _child(self, child: etree._Element, parent: Path, schema: SchemaPath) -> Iterator[Path]:
        key_names = self._rules.keys.get(schema)
        if key_names is not None:
            yield from self._entry(child, parent, schema, key_names)
        elif len(child):
            path = (*parent, child.tag)
            if self._scope.admits(path):
                if schema in self._rules.meaningful_when_empty:
                    yield path
                yield from self.read(child, path, schema)
        elif self._scope.admits((*parent, child.tag)) or schema in self._rules.multiple:
            yield from self._leaf(child, parent, schema)

    def _entry(
        self, child: etree._Element, parent: Path, schema: SchemaPath, key_names: tuple[str, ...]
    ) -> Iterator[Path]:
        namespace = etree.QName(child).namespace
        values = {name: child.findtext(f"{{{namespace}}}{name}") for name in key_names}
        if missing := [name for name, value in values.items() if value is None]:
            raise PlanError(f"{_readable(schema)}: an entry lacks its key {', '.join(missing)}")
        step = child.tag + "".join(predicate(name, (value or "").strip()) for name, value in values.items())
        path = (*parent, step)
        if self._scope.admits(path):
            yield path
            yield from self.read(child, path, schema, frozenset(f"{{{namespace}}}{name}" for name in key_names))

    def _leaf(self, child: etree._Element, parent: Path, schema: SchemaPath) -> Iterator[Path]:
        text = (child.text or "").strip()
        if text:
            value = self._qualified(child, text) if schema in self._rules.qualified_values else text
            path = (*parent, child.tag + predicate(_VALUE, value))
            if self._scope.admits(path if schema in self._rules.multiple else (*parent, child.tag)):
                yield path
        elif schema in self._rules.meaningful_when_empty:
            yield (*parent, child.tag)

    def _qualified(self, child: etree._Element, text: str) -> str:
        prefix, colon, name = text.rpartition(":")
        namespace = child.nsmap.get(prefix if colon else None)
        if namespace is None:
            raise PlanError(f"{child.tag}: the prefix of {text!r} is not declared")
        return f"{{{namespace}}}{name}"


def _readable(schema: SchemaPath) -> str:
    return "/" + "/".join(etree.QName(tag).localname for tag in schema)


def show(nodes: Nodes, rules: NetconfRules) -> str:
    """Return the canonical ``<config>`` of ``nodes``, pretty-printed; empty without nodes."""
    return write(nodes, {}, rules) if nodes else ""


def write(nodes: Iterable[Path], operations: Mapping[Path, str], rules: NetconfRules) -> str:
    """Return the ``<config>`` element of ``nodes`` with the ``nc:operation`` of each node in ``operations``."""
    root = etree.Element(CONFIG, nsmap={"nc": BASE_NAMESPACE})
    _Writer(rules, operations).write(root, grow(nodes), ())
    return etree.tostring(root, pretty_print=True, encoding="unicode")


class _Writer:
    def __init__(self, rules: NetconfRules, operations: Mapping[Path, str]) -> None:
        self._rules, self._operations = rules, operations

    def write(self, parent: etree._Element, branch: Branch, above: Path) -> None:
        for text in sorted(branch, key=self._position):
            path = (*above, text)
            element = self._element(parent, parse_step(text))
            if (operation := self._operations.get(path)) is not None:
                element.set(OPERATION, operation)
            self.write(element, branch[text], path)

    def _position(self, text: str) -> tuple[int, tuple[tuple[int, str], ...]]:
        return self._rules.rank.get(parse_step(text).tag, len(self._rules.rank)), natural(text)

    def _element(self, parent: etree._Element, step: Step) -> etree._Element:
        namespace = etree.QName(step.tag).namespace
        identity = self._identity(step)
        nsmap: dict[str | None, str | None] = {None: namespace}
        if identity:
            nsmap[identity[0]] = identity[1]
        element = etree.SubElement(parent, step.tag, nsmap=nsmap)  # type: ignore[arg-type]  # stubs: no default namespace
        for name, value in step.keys:
            etree.SubElement(element, f"{{{namespace}}}{name}").text = value
        if step.value is not None:
            element.text = f"{identity[0]}:{identity[2]}" if identity else step.value
        return element

    def _identity(self, step: Step) -> tuple[str, str, str] | None:
        """Return prefix, namespace and name of a qualified value; a prefix is made up where the profile has none."""
        if step.value is None or not step.value.startswith("{") or "}" not in step.value:
            return None
        name = etree.QName(step.value)
        return self._rules.prefixes.get(str(name.namespace), "id"), str(name.namespace), name.localname
