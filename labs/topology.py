"""containerlab topology files: read, expanded, inherited, checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

import yaml

from labs.errors import TopologyError
from labs.kinds import KNOWN_KINDS, device_interface

_MERGED: Final = frozenset({"labels", "env"})
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[=-])(?P<default>[^}]*))?\}")
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]*")
_TOP: Final = frozenset({"name", "prefix", "mgmt", "topology", "settings", "debug"})
_INNER: Final = frozenset({"defaults", "kinds", "groups", "nodes", "links"})
_ENDS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node, with all it inherits.

    Attributes:
        mgmt_ipv4: management address; None when containerlab would choose one.
        startup_config: file with the start configuration.
        settings: everything else the file says about the node, as it stands there.
    """

    name: str
    kind: str
    image: str
    group: str
    mgmt_ipv4: IPv4Address | None
    startup_config: Path | None
    labels: Mapping[str, str]
    env: Mapping[str, str]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One end of a link.

    Attributes:
        interface: as containerlab names it.
        device_interface: as the device itself names it.
    """

    node: str
    interface: str
    device_interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable between two nodes."""

    a: Endpoint
    b: Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole topology file.

    Attributes:
        remarks: what was read but is not understood, e.g. a kind this version does not know.
    """

    name: str
    path: Path
    nodes: Mapping[str, Node]
    links: tuple[Link, ...]
    remarks: tuple[str, ...]


def load_topology(path: Path, environ: Mapping[str, str]) -> Topology:
    """Return the topology in ``path``, with ``${VAR}`` expanded from ``environ`` and inheritance resolved.

    Raises:
        TopologyError: the file cannot be read or is no topology; names the place and what is legal there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise TopologyError(path, "", f"cannot be read: {unreadable}") from None
    return _Reader(path).topology(_parsed(path, expand(text, environ, path)))


def expand(text: str, environ: Mapping[str, str], path: Path) -> str:
    """Return ``text`` with ``${VAR}``, ``${VAR:=default}`` and ``${VAR:-default}`` replaced, as containerlab does.

    With a colon an empty variable counts as unset; without, only a missing one.

    Raises:
        TopologyError: a variable without default is not set.
    """

    def value(match: re.Match[str]) -> str:
        name, operator, default = match["name"], match["operator"], match["default"]
        known = environ.get(name)
        if known or (known is not None and not (operator or "").startswith(":")):
            return known
        if operator is None:
            line = text.count("\n", 0, match.start()) + 1
            raise TopologyError(
                path, f"line {line}", f"variable {name} is not set; set it, or write ${{{name}:=default}}"
            )
        return str(default)

    return _VARIABLE.sub(value, text)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(text)
    except yaml.MarkedYAMLError as broken:
        mark = broken.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise TopologyError(path, where, f"not YAML: {broken.problem}") from None
    except yaml.YAMLError as broken:
        raise TopologyError(path, "", f"not YAML: {broken}") from None
    if not isinstance(raw, dict):
        raise TopologyError(path, "", "is no mapping; a topology has name and topology")
    return raw


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._remarks: list[str] = []

    def topology(self, raw: dict[str, Any]) -> Topology:
        self._check_keys(raw, _TOP, "")
        name = raw.get("name")
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise self._error("name", f"{name!r} is no lab name: letters, digits, '-', '.' and '_'")
        inner = self._mapping(raw.get("topology"), "topology")
        self._check_keys(inner, _INNER, "topology")
        nodes = dict(self._nodes(inner))
        return Topology(
            name=name,
            path=self._path,
            nodes=nodes,
            links=tuple(self._links(inner.get("links"), nodes)),
            remarks=tuple(self._remarks),
        )

    def _nodes(self, inner: dict[str, Any]) -> Iterator[tuple[str, Node]]:
        defaults = self._mapping(inner.get("defaults"), "topology.defaults")
        kinds = self._mapping(inner.get("kinds"), "topology.kinds")
        groups = self._mapping(inner.get("groups"), "topology.groups")
        raw_nodes: dict[Any, Any] = self._mapping(inner.get("nodes"), "topology.nodes")
        if not raw_nodes:
            raise self._error("topology.nodes", "there is no node")
        for name, raw_node in raw_nodes.items():
            where = f"node {name}"
            if not isinstance(name, str) or _NAME.fullmatch(name) is None:
                raise self._error(where, f"{name!r} is no node name: letters, digits, '-', '.' and '_'")
            own = self._mapping(raw_node, where)
            group = own.get("group", defaults.get("group", ""))
            of_group = self._mapping(groups.get(group), f"group {group}")
            kind = own.get("kind") or of_group.get("kind") or defaults.get("kind")
            if not isinstance(kind, str):
                raise self._error(where, "has no kind, and neither its group nor the defaults give it one")
            of_kind = self._mapping(kinds.get(kind), f"kind {kind}")
            merged = self._inherited((defaults, of_kind, of_group, own), where)
            yield name, self._node(name, kind, merged)

    def _inherited(self, layers: tuple[dict[str, Any], ...], where: str) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for layer in layers:
            for key, value in layer.items():
                if key in _MERGED:
                    merged[key] = {**merged.get(key, {}), **self._mapping(value, f"{where}, {key}")}
                else:
                    merged[key] = value
        return merged

    def _node(self, name: str, kind: str, merged: dict[str, Any]) -> Node:
        if kind not in KNOWN_KINDS:
            self._remarks.append(f"node {name}: unknown kind {kind!r}; interface names are taken as they stand")
        startup = merged.get("startup-config")
        return Node(
            name=name,
            kind=kind,
            image=str(merged.get("image", "")),
            group=str(merged.get("group", "")),
            mgmt_ipv4=self._address(name, merged.get("mgmt-ipv4")),
            startup_config=self._path.parent / str(startup) if startup is not None else None,
            labels=_texts(merged.get("labels", {})),
            env=_texts(merged.get("env", {})),
            settings=merged,
        )

    def _address(self, name: str, raw: object) -> IPv4Address | None:
        if raw is None:
            return None
        try:
            return IPv4Address(str(raw))
        except ValueError:
            raise self._error(f"node {name}", f"mgmt-ipv4 {raw!r} is no IPv4 address") from None

    def _links(self, raw_links: object, nodes: Mapping[str, Node]) -> Iterator[Link]:
        if raw_links is None:
            return
        if not isinstance(raw_links, list):
            raise self._error("topology.links", "is no list")
        taken: dict[tuple[str, str], int] = {}
        for number, raw in enumerate(raw_links, start=1):
            link = self._mapping(raw, f"link {number}")
            if link.get("type", "veth") != "veth":
                self._remarks.append(f"link {number}: type {link['type']!r} is left out; known: veth")
                continue
            ends = self._endpoints(link.get("endpoints"), number, nodes)
            for end in ends:
                first = taken.setdefault((end.node, end.interface), number)
                if first != number or ends[0] == ends[1]:
                    raise self._error(f"link {number}", f"{end.node}:{end.interface} is already used by link {first}")
            yield Link(a=ends[0], b=ends[1])

    def _endpoints(self, raw: object, number: int, nodes: Mapping[str, Node]) -> tuple[Endpoint, Endpoint]:
        if not isinstance(raw, list) or len(raw) != _ENDS:
            raise self._error(f"link {number}", "endpoints must be a list of two, e.g. ['a:eth1', 'b:eth1']")
        first, second = (self._endpoint(end, number, nodes) for end in raw)
        return first, second

    def _endpoint(self, raw: object, number: int, nodes: Mapping[str, Node]) -> Endpoint:
        if isinstance(raw, dict):
            name, interface = raw.get("node"), raw.get("interface")
        else:
            name, _, interface = str(raw).partition(":")
        if not name or not interface:
            raise self._error(f"link {number}", f"endpoint {raw!r} is neither 'node:interface' nor {{node, interface}}")
        node = nodes.get(str(name))
        if node is None:
            raise self._error(f"link {number}", f"unknown node {name!r}; known: {', '.join(sorted(nodes))}")
        own_name = device_interface(node.kind, node.labels, str(interface))
        return Endpoint(node=node.name, interface=str(interface), device_interface=own_name)

    def _mapping(self, raw: object, where: str) -> dict[str, Any]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            raise self._error(where, f"is no mapping but {raw!r}")
        return raw

    def _check_keys(self, raw: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for key in raw:
            if key not in known:
                raise self._error(where, f"unknown field {key!r}; known: {', '.join(sorted(known))}")

    def _error(self, where: str, problem: str) -> TopologyError:
        return TopologyError(self._path, where, problem)


def _texts(raw: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): _text(value) for key, value in raw.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
