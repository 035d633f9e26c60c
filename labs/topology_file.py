"""containerlab topology files: read, expanded, inherited, checked."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from labs.errors import TopologyError
from labs.kinds import KNOWN_KINDS
from labs.topology_links import LinkReader
from labs.topology_place import Place, Source, close_to
from labs.topology_values import Node, Topology
from labs.yaml_text import load_yaml

_MERGED: Final = frozenset({"labels", "env", "sysctls"})
_JOINED: Final = frozenset({"exec", "binds", "ports", "devices", "cap-add", "aliases", "env-files"})
"""Lists that containerlab adds up along the inheritance instead of replacing them."""
_VARIABLE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[=-])(?P<default>[^}]*))?\}")
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]*")
TOP: Final = frozenset({"name", "prefix", "mgmt", "topology", "settings", "debug"})
INNER: Final = frozenset({"defaults", "kinds", "groups", "nodes", "links"})
_NODE_FIELDS: Final = """
    image image-pull-policy restart-policy kind license type group startup-config startup-delay enforce-startup-config
    suppress-startup-config auto-remove exec binds volumes ports env credentials env-files user hostname entrypoint cmd
    labels runtime mgmt-ipv4 mgmt-ipv6 network-mode link-apply-mode cpu memory cpu-set extras config stages dns
    certificate healthcheck components aliases shm-size cap-add privileged cgroupns-mode cgroup-parent pid-mode tmpfs
    security-opts sysctls devices
"""
NODE: Final = frozenset(_NODE_FIELDS.split())
_A = TypeVar("_A", IPv4Address, IPv6Address)


def load_topology(path: Path, environ: Mapping[str, str]) -> Topology:
    """Return the topology in ``path``, with ``${VAR}`` expanded from ``environ`` and inheritance resolved.

    Raises:
        TopologyError: the file cannot be read or is no topology; names the line, the place and what is legal there.
    """
    text = expand(read_text(path), environ, path)
    return _Reader(Source(path, text)).topology(parsed(path, text))


def read_text(path: Path) -> str:
    """Return the file's text.

    Raises:
        TopologyError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise TopologyError(path, "", f"cannot be read: {unreadable}") from None


def expand(text: str, environ: Mapping[str, str], path: Path) -> str:
    """Return ``text`` with ``${VAR}``, ``${VAR:=default}`` and ``${VAR:-default}`` replaced, as containerlab does.

    With a colon an empty variable counts as unset; without, only a missing one. Comments are left alone.

    Raises:
        TopologyError: a variable without default is not set.
    """

    def value(match: re.Match[str]) -> str:
        name, operator, default = match["name"], match["operator"], match["default"]
        known = environ.get(name)
        if known or (known is not None and not (operator or "").startswith(":")):
            return known
        if operator is None:
            if _in_comment(text, match.start()):
                return match[0]
            line = text.count("\n", 0, match.start()) + 1
            raise TopologyError(
                path, f"line {line}", f"variable {name} is not set; set it, or write ${{{name}:=default}}"
            )
        return str(default)

    return _VARIABLE.sub(value, text)


def _in_comment(text: str, position: int) -> bool:
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before.lstrip().startswith("#") or " #" in before


def parsed(path: Path, text: str) -> dict[str, Any]:
    """Return the YAML in ``text``.

    Raises:
        TopologyError: it is no YAML, or no mapping.
    """
    try:
        raw = load_yaml(text)
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
    def __init__(self, source: Source) -> None:
        self._source = source
        self._remarks: list[str] = []

    def topology(self, raw: dict[str, Any]) -> Topology:
        root = Place(self._source, ())
        name = raw.get("name")
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise root.under("name").error("name", f"{name!r} is no lab name: letters, digits, '-', '.' and '_'")
        if "topology" not in raw:
            raise root.error(
                "", f"there is no 'topology'; the file has {', '.join(map(str, raw))}; legal: {_list(TOP)}"
            )
        self._remark_unknown(raw, TOP, root, "")
        at = root.under("topology")
        inner = at.mapping(raw["topology"], "topology")
        self._remark_unknown(inner, INNER, at, "topology")
        nodes = dict(self._nodes(inner, at))
        links = LinkReader(nodes, self._remarks.append)
        cables, outside = links.read(inner.get("links"), at.under("links"))
        return Topology(
            name=name,
            path=self._source.path,
            nodes=nodes,
            links=cables,
            outside=outside,
            prefix=str(raw.get("prefix", "clab") or ""),
            mgmt=self._mgmt(raw.get("mgmt"), root.under("mgmt")),
            remarks=tuple(self._remarks),
        )

    def _mgmt(self, raw: object, at: Place) -> dict[str, Any]:
        mgmt = at.mapping(raw, "mgmt")
        subnet = mgmt.get("ipv4-subnet", "auto")
        try:
            if subnet != "auto":
                IPv4Network(str(subnet), strict=False)
        except ValueError:
            problem = f"{subnet!r} is no IPv4 network; legal: e.g. 172.20.20.0/24, auto"
            raise at.under("ipv4-subnet").error("mgmt, ipv4-subnet", problem) from None
        return mgmt

    def _nodes(self, inner: dict[str, Any], at: Place) -> Iterator[tuple[str, Node]]:
        layers = {
            key: at.under(key).mapping(inner.get(key), f"topology.{key}") for key in ("defaults", "kinds", "groups")
        }
        raw_nodes: dict[Any, Any] = at.under("nodes").mapping(inner.get("nodes"), "topology.nodes")
        if not raw_nodes:
            raise at.under("nodes").error("topology.nodes", "there is no node")
        for name, raw_node in raw_nodes.items():
            here = at.under("nodes", name)
            if _NAME.fullmatch(str(name)) is None or not isinstance(name, str):
                raise here.error(f"node {name}", f"{name!r} is no node name: letters, digits, '-', '.' and '_'")
            own = here.mapping(raw_node, f"node {name}")
            yield name, self._node(name, here, own, (layers, at))

    def _node(self, name: str, here: Place, own: dict[str, Any], around: tuple[dict[str, Any], Place]) -> Node:
        layers, at = around
        defaults, where = layers["defaults"], f"node {name}"
        group = own.get("group", defaults.get("group", ""))
        of_group = at.under("groups", group).mapping(layers["groups"].get(group), f"group {group}")
        kind = own.get("kind") or of_group.get("kind") or defaults.get("kind")
        if not isinstance(kind, str):
            raise here.error(where, "has no kind, and neither its group nor the defaults give it one; e.g. kind: linux")
        of_kind = at.under("kinds", kind).mapping(layers["kinds"].get(kind), f"kind {kind}")
        merged = _inherited((defaults, of_kind, of_group, own), here, where)
        self._remark_kind(name, kind)
        self._remark_unknown(own, NODE, here, where)
        startup = merged.get("startup-config")
        return Node(
            name=name,
            kind=kind,
            image=str(merged.get("image", "")),
            group=str(merged.get("group", "")),
            mgmt_ipv4=_address(IPv4Address, merged.get("mgmt-ipv4"), here.under("mgmt-ipv4"), where),
            mgmt_ipv6=_address(IPv6Address, merged.get("mgmt-ipv6"), here.under("mgmt-ipv6"), where),
            startup_config=self._file(startup, name) if startup is not None else None,
            labels=_texts(merged.get("labels", {})),
            env=_texts(merged.get("env", {})),
            exec=tuple(map(str, merged.get("exec", ()))),
            ports=tuple(map(str, merged.get("ports", ()))),
            settings={**merged, "kind": kind},
        )

    def _file(self, startup: object, name: str) -> Path:
        return self._source.path.parent / str(startup).replace("__clabNodeName__", name)

    def _remark_kind(self, name: str, kind: str) -> None:
        if kind not in KNOWN_KINDS:
            meant = close_to(kind, KNOWN_KINDS)
            self._remarks.append(f"node {name}: unknown kind {kind!r}{meant}; interface names are taken as they stand")

    def _remark_unknown(self, raw: Mapping[str, Any], known: frozenset[str], at: Place, where: str) -> None:
        for key in raw:
            if key not in known:
                line, named = at.under(key).line(), f"{where}: " if where else ""
                self._remarks.append(
                    f"line {line}: {named}unknown field {key!r}{close_to(str(key), known)} is left out"
                )


def _inherited(layers: tuple[dict[str, Any], ...], here: Place, where: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if key in _MERGED:
                merged[key] = {**merged.get(key, {}), **here.under(key).mapping(value, f"{where}, {key}")}
            elif key in _JOINED:
                merged[key] = [*merged.get(key, ()), *here.under(key).items(value, f"{where}, {key}")]
            else:
                merged[key] = value
    return merged


def _address(kind: Callable[[str], _A], raw: object, at: Place, where: str) -> _A | None:
    if raw is None:
        return None
    try:
        return kind(str(raw))
    except ValueError as wrong:
        raise at.error(where, f"{at.steps[-1]} {wrong}; legal: one address, e.g. 172.20.20.11") from None


def _texts(raw: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): _text(value) for key, value in raw.items()}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
