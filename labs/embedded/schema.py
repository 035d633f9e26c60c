"""The schema of an emulated NETCONF device, compiled from a profile in YAML."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal
from xml.sax.saxutils import quoteattr

from labs.embedded.leaf_types import (
    NO_PREFIXES,
    EmptyType,
    EnumType,
    Identity,
    IdentityType,
    IntegerType,
    LeafrefType,
    LeafType,
    StringType,
    UnionType,
    Value,
)
from labs.embedded.profile import ModuleSpec, NodeSpec, ProfileSpec, TypeSpec, load_profile

Kind = Literal["container", "list", "leaf"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SchemaNode:
    """One node of the data tree. ``children`` is keyed by qualified name (``{namespace}name``), in schema order.

    Attributes:
        label: prefixed name for paths in error messages.
        keys: qualified names of a list's key leaves.
        for_types: identities one of which the sibling leaf ``type`` must have for this node to exist; empty: always.
        at_least_sum_of: sibling leaves whose sum this leaf must reach.
        default: what a leaf holds where nobody set it.
        path: qualified names from the top down to here.
        is_state: whether it is operational state, which nobody configures.
        qname: the qualified name.
        demands: whether its absence is a fault: a mandatory leaf, or a container that holds one.
        prefixed: whether its text may hold a prefix.
        start: its start tag where its namespace is the default one already; ``start_qualified`` elsewhere.
    """

    name: str
    namespace: str
    label: str
    kind: Kind
    children: Mapping[str, "SchemaNode"] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    leaf_type: LeafType | None = None
    mandatory: bool = False
    for_types: frozenset[Identity] = frozenset()
    at_least_sum_of: tuple[str, ...] = ()
    default: Value | None = None
    path: tuple[str, ...] = ()
    is_state: bool = False
    qname: str = field(init=False)
    demands: bool = field(init=False)
    prefixed: bool = field(init=False)
    start: str = field(init=False)
    start_qualified: str = field(init=False)
    end: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute once what every message needs."""
        inside = any(child.demands and not child.for_types for child in self.children.values())
        computed = {
            "qname": f"{{{self.namespace}}}{self.name}",
            "demands": self.mandatory or (self.kind == "container" and inside),
            "prefixed": self.leaf_type is not None and self.leaf_type.has_prefix,
            "start": f"<{self.name}>",
            "start_qualified": f"<{self.name} xmlns={quoteattr(self.namespace)}>",
            "end": f"</{self.name}>",
        }
        for name, value in computed.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """All a device knows about its own configuration.

    Attributes:
        root: a container without a name that holds the top-level nodes.
        prefixes: namespace to the module's own prefix.
        capabilities: one capability URI per module.
        referred: paths of the lists that leafrefs point to.
        profile: what all of that was compiled from.
    """

    root: SchemaNode
    prefixes: Mapping[str, str]
    capabilities: tuple[str, ...]
    referred: frozenset[tuple[str, ...]]
    profile: ProfileSpec


@cache
def shipped_schema(name: str) -> Schema:
    """Return the schema of the profile ``name`` in this package; all devices of a process share it."""
    return load_schema(files("labs.embedded").joinpath(f"profiles/{name}.yaml"))


def load_schema(profile: Traversable) -> Schema:
    """Return the schema that ``profile`` describes.

    Raises:
        TypeError: the profile has unknown fields.
        KeyError: it uses a prefix, identity or type that it does not define.
    """
    return _Compiler(load_profile(profile)).compile()


class _Compiler:
    def __init__(self, spec: ProfileSpec) -> None:
        self._spec = spec
        self._namespaces = {module.prefix: module.namespace for module in spec.modules}
        self._types: dict[str, LeafType] = {}
        for name, type_spec in spec.types.items():
            self._types[name] = self._leaf_type(type_spec)

    def compile(self) -> Schema:
        children = dict(self._node(label, spec, "", ()) for label, spec in self._spec.data.items())
        root = SchemaNode(name="", namespace="", label="", kind="container", children=children)
        return Schema(
            root=root,
            prefixes={namespace: prefix for prefix, namespace in self._namespaces.items()},
            capabilities=tuple(_capability(module) for module in self._spec.modules),
            referred=frozenset(each.target for each in self._types.values() if isinstance(each, LeafrefType)),
            profile=self._spec,
        )

    def _node(self, label: str, spec: NodeSpec, module: str, above: tuple[str, ...]) -> tuple[str, SchemaNode]:
        prefix, _, name = label.rpartition(":")
        prefix = prefix or module
        path = (*above, f"{{{self._namespaces[prefix]}}}{name}")
        leaf_type = self._types[spec.type] if spec.type is not None else None
        node = SchemaNode(
            name=name,
            namespace=self._namespaces[prefix],
            label=f"{prefix}:{name}",
            kind=_kind(spec),
            children=dict(self._node(child, inner, prefix, path) for child, inner in spec.children.items()),
            keys=tuple(self._qname(key, prefix) for key in spec.keys),
            leaf_type=leaf_type,
            # State that is always there is nothing that a configuration could lack.
            mandatory=spec.mandatory and not spec.state,
            for_types=self._derived(spec.for_types),
            at_least_sum_of=tuple(self._qname(sibling, prefix) for sibling in spec.at_least_sum_of),
            default=leaf_type.parse(spec.default, NO_PREFIXES) if leaf_type and spec.default is not None else None,
            path=path,
            is_state=spec.state,
        )
        return node.qname, node

    def _qname(self, label: str, module: str) -> str:
        prefix, _, name = label.rpartition(":")
        return f"{{{self._namespaces[prefix or module]}}}{name}"

    def _leaf_type(self, spec: TypeSpec) -> LeafType:
        builders: dict[str, Callable[[TypeSpec], LeafType]] = {
            "string": _string,
            "integer": _integer,
            "boolean": lambda _: EnumType(values=("true", "false")),
            "empty": lambda _: EmptyType(),
            "enumeration": lambda wanted: EnumType(values=wanted.values),
            "identityref": self._identityref,
            "leafref": self._leafref,
            "union": self._union,
        }
        return builders[spec.base](spec)

    def _identityref(self, spec: TypeSpec) -> LeafType:
        return IdentityType(base=spec.identity, legal=self._derived((spec.identity,)))

    def _union(self, spec: TypeSpec) -> LeafType:
        return UnionType(members=tuple(self._types[member] for member in spec.members))

    def _leafref(self, spec: TypeSpec) -> LeafType:
        return LeafrefType(
            target=tuple(self._path(spec.target)),
            points_to=self._derived(spec.points_to),
            points_to_text=" or ".join(spec.points_to),
        )

    def _path(self, path: str) -> Iterator[str]:
        module = ""
        for label in path.strip("/").split("/"):
            module = label.partition(":")[0] if ":" in label else module
            yield self._qname(label, module)

    def _derived(self, bases: tuple[str, ...]) -> frozenset[Identity]:
        """Return every identity that is one of the bases or derived from one."""
        found = set(bases)
        while new := {name for name, of in self._spec.identities.items() if name not in found and found & set(of)}:
            found |= new
        return frozenset(self._identity(label) for label in found)

    def _identity(self, label: str) -> Identity:
        prefix, _, name = label.partition(":")
        return Identity(self._namespaces[prefix], name)


def _string(spec: TypeSpec) -> LeafType:
    pattern = re.compile(spec.pattern) if spec.pattern is not None else None
    return StringType(length=spec.length, pattern=pattern)


def _integer(spec: TypeSpec) -> LeafType:
    lowest, highest = spec.range or (0, 0)
    return IntegerType(lowest=lowest, highest=highest)


def _kind(spec: NodeSpec) -> Kind:
    if spec.type is not None:
        return "leaf"
    return "list" if spec.keys else "container"


def _capability(module: ModuleSpec) -> str:
    features = f"&features={','.join(module.features)}" if module.features else ""
    return f"{module.namespace}?module={module.name}&revision={module.revision.isoformat()}{features}"
