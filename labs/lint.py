"""What a containerlab topology could be told before it is deployed: hints, never a gate."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from labs.errors import LabError, TopologyError
from labs.kinds import PLATFORM_NAMES, kind_named
from labs.topology import PLATFORM_LABEL, Topology, expand, load_topology
from labs.topology_file import parsed, read_text
from labs.topology_place import Place, Source, close_to

_INTERFACE_BYTES: Final = 15
_LISTS: Final = ("exec", "binds", "ports", "devices", "cap-add", "aliases", "env-files")
_TEXTS: Final = ("image", "kind", "group", "type", "license", "startup-config", "user", "hostname", "entrypoint", "cmd")
_OURS: Final = frozenset(
    {"lastmile.role", PLATFORM_LABEL, "lastmile.username", "lastmile.password", "lastmile.ont", "lastmile.vlan"}
)
_OF_INTERFACES: Final = ("lastmile.interface", "lastmile.channel-pair")
"""Labels that go on with the name of an interface."""


class Weight(Enum):
    """How much a finding matters."""

    ERROR = "error"
    """No runtime can deploy it."""
    WARNING = "warning"
    """A runtime leaves something out, or does what was hardly meant."""
    HINT = "hint"
    """Others would write it differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing about a file.

    Attributes:
        line: where it stands; 0 where that is not known.
        rule: a short name of what looked for it.
    """

    weight: Weight
    line: int
    rule: str
    text: str


Rule = Callable[[Topology, Place], Iterator[Finding]]


def lint(path: Path, environ: Mapping[str, str], *, schema: Path | None = None) -> tuple[Finding, ...]:
    """Return all that can be said about the file, by line.

    Args:
        path: the topology.
        environ: for its variables.
        schema: containerlab's official JSON schema, to hold the file against that as well.

    Raises:
        LabError: the schema cannot be read.
    """
    try:
        text = expand(read_text(path), environ, path)
        raw = parsed(path, text)
        topology = load_topology(path, environ)
    except TopologyError as broken:
        message = str(broken).removeprefix(f"{path}: ")
        return (Finding(weight=Weight.ERROR, line=_line_in(message), rule="loads", text=message),)
    root = Place(Source(path, text), ())
    found = [finding for rule in RULES for finding in rule(topology, root)]
    found += _shapes(raw, root)
    found += _official(raw, root, schema) if schema is not None else ()
    return tuple(sorted(found, key=lambda finding: (finding.line, finding.rule, finding.text)))


def _remarks(topology: Topology, root: Place) -> Iterator[Finding]:
    for remark in topology.remarks:
        line = _line_in(remark)
        if not line and remark.startswith("node "):
            line = root.under("topology", "nodes", remark.removeprefix("node ").partition(":")[0]).line()
        elif remark.startswith("link "):
            number = int(remark.removeprefix("link ").partition(":")[0])
            line = root.under("topology", "links", number - 1).line()
        yield Finding(weight=Weight.WARNING, line=line, rule="unknown", text=remark.removeprefix(f"line {line}: "))


def _addresses(topology: Topology, root: Place) -> Iterator[Finding]:
    given = Counter(node.mgmt_ipv4 for node in topology.nodes.values() if node.mgmt_ipv4 is not None)
    for node in topology.nodes.values():
        if node.mgmt_ipv4 is None:
            continue
        line = root.under("topology", "nodes", node.name, "mgmt-ipv4").line()
        if given[node.mgmt_ipv4] > 1:
            text = f"node {node.name}: mgmt-ipv4 {node.mgmt_ipv4} belongs to {given[node.mgmt_ipv4]} nodes"
            yield Finding(weight=Weight.ERROR, line=line, rule="mgmt-ipv4", text=text)
        if node.mgmt_ipv4 not in topology.subnet:
            text = f"node {node.name}: mgmt-ipv4 {node.mgmt_ipv4} is outside the management subnet {topology.subnet}"
            yield Finding(weight=Weight.WARNING, line=line, rule="mgmt-ipv4", text=text)


def _files(topology: Topology, root: Place) -> Iterator[Finding]:
    for node in topology.nodes.values():
        file = node.startup_config
        if file is not None and "://" not in str(file) and not file.is_file() and "\n" not in str(file):
            line = root.under("topology", "nodes", node.name, "startup-config").line()
            text = f"node {node.name}: startup-config {file} does not exist"
            yield Finding(weight=Weight.ERROR, line=line, rule="startup-config", text=text)


def _images(topology: Topology, root: Place) -> Iterator[Finding]:
    for node in topology.nodes.values():
        if not node.image and kind_named(node.kind).name not in {"bridge", "ovs-bridge", "host", "ext-container"}:
            line = root.under("topology", "nodes", node.name).line()
            text = f"node {node.name}: no image; the containerlab runtime needs one"
            yield Finding(weight=Weight.HINT, line=line, rule="image", text=text)


def _labels(topology: Topology, root: Place) -> Iterator[Finding]:
    for node in topology.nodes.values():
        at = root.under("topology", "nodes", node.name, "labels")
        for label, value in node.labels.items():
            of_interface = label.startswith(tuple(f"{each}." for each in _OF_INTERFACES))
            if label.startswith("lastmile.") and not of_interface and label not in _OURS:
                known = [*_OURS, *(f"{each}.ethN" for each in _OF_INTERFACES)]
                text = f"node {node.name}: unknown label {label}{close_to(label, known)}; known: {_listed(known)}"
                yield Finding(weight=Weight.WARNING, line=at.under(label).line(), rule="label", text=text)
            if label == PLATFORM_LABEL and value and value not in PLATFORM_NAMES:
                meant = close_to(value, PLATFORM_NAMES)
                text = f"node {node.name}: platform {value!r}{meant} is not one of {_listed(PLATFORM_NAMES)}"
                yield Finding(weight=Weight.WARNING, line=at.under(label).line(), rule="platform", text=text)


def _interfaces(topology: Topology, root: Place) -> Iterator[Finding]:
    for number, link in enumerate(topology.links):
        for end in (link.a, link.b):
            if len(end.interface.encode()) > _INTERFACE_BYTES:
                text = f"link {number + 1}: {end.interface} is longer than the {_INTERFACE_BYTES} bytes Linux allows"
                line = root.under("topology", "links", number).line()
                yield Finding(weight=Weight.WARNING, line=line, rule="interface", text=text)


def _shapes(raw: Mapping[str, Any], root: Place) -> Iterator[Finding]:
    inner = raw["topology"] or {}
    for section in ("kinds", "groups", "nodes"):
        for name, node in (inner.get(section) or {}).items():
            at = root.under("topology", section, name)
            yield from _shape(node if isinstance(node, dict) else {}, at, f"{section.rstrip('s')} {name}")
    for section, key in (("kinds", "kind"), ("groups", "group")):
        used = {(node or {}).get(key) for each in ("nodes", "groups") for node in (inner.get(each) or {}).values()}
        used.add((inner.get("defaults") or {}).get(key))
        for name in sorted(set(inner.get(section) or {}) - used, key=str):
            line = root.under("topology", section, name).line()
            text = f"{key} {name} is described, but no node is of it"
            yield Finding(weight=Weight.HINT, line=line, rule="unused", text=text)


def _shape(node: Mapping[str, Any], at: Place, where: str) -> Iterator[Finding]:
    for key, value in node.items():
        wanted = "a list of texts" if key in _LISTS else "a text" if key in _TEXTS else ""
        legal = _is_texts(value) if key in _LISTS else isinstance(value, str)
        if wanted and not legal:
            text = f"{where}: {key} is {value!r}, not {wanted}"
            yield Finding(weight=Weight.WARNING, line=at.under(key).line(), rule="shape", text=text)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _official(raw: Mapping[str, Any], root: Place, schema: Path) -> Iterator[Finding]:
    try:
        validator = jsonschema_rs.validator_for(read_text(schema))
    except (TopologyError, ValueError, jsonschema_rs.ValidationError) as unreadable:
        raise LabError(f"{schema} is no JSON schema: {unreadable}") from unreadable
    for error in validator.iter_errors(raw):
        place = root.under(*error.instance_path)
        where = "/".join(map(str, error.instance_path))
        text = f"{where}: {error.message.splitlines()[0][:300]}"
        yield Finding(weight=Weight.WARNING, line=place.line(), rule="schema", text=text)


def _line_in(message: str) -> int:
    digits = message.removeprefix("line ").partition(":")[0].partition(",")[0]
    return int(digits) if message.startswith("line ") and digits.isdecimal() else 0


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


RULES: Final[tuple[Rule, ...]] = (_remarks, _addresses, _files, _images, _labels, _interfaces)
