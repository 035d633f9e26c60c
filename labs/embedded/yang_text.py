"""YANG modules written from a schema profile: what the device implements of each, under the module's own name.

A client that compiles them knows the device as well as the device does: names, keys, types, references, conditions,
defaults. They are this project's own text, not the modules that the standards bodies publish.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from labs.embedded.profile import ModuleSpec, NodeSpec, ProfileSpec, TypeSpec

INDENT: Final = "  "
INTEGERS: Final = (
    ("uint8", 0, 2**8 - 1),
    ("uint16", 0, 2**16 - 1),
    ("uint32", 0, 2**32 - 1),
    ("uint64", 0, 2**64 - 1),
    ("int64", -(2**63), 2**63 - 1),
)
CONTACT: Final = "Written from the schema profile of lastmile's emulated device; holds what the device implements."


def module_text(profile: ProfileSpec, name: str) -> str:
    """Return the YANG text of a module.

    Raises:
        KeyError: the profile has no such module.
    """
    module = {each.name: each for each in profile.modules}[name]
    return _Writer(profile=profile, module=module).text()


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Writes one module; ``_used`` gathers the prefixes that need an import."""

    profile: ProfileSpec
    module: ModuleSpec
    _used: set[str] = field(default_factory=set)

    def text(self) -> str:
        body = [*self._identities(), *self._nodes(self.profile.data, "", "")]
        lines = [
            f"module {self.module.name} {{",
            *_inside(
                [
                    "yang-version 1.1;",
                    f"namespace {_quoted(self.module.namespace)};",
                    f"prefix {self.module.prefix};",
                    *self._imports(),
                    f"description {_quoted(CONTACT)};",
                    f"revision {self.module.revision.isoformat()};",
                    *(f"feature {name};" for name in self.module.features),
                    *body,
                ]
            ),
            "}",
        ]
        return "".join(f"{line}\n" for line in lines)

    def _imports(self) -> Iterator[str]:
        for other in self.profile.modules:
            if other.prefix in self._used and other is not self.module:
                yield f"import {other.name} {{ prefix {other.prefix}; }}"

    def _identities(self) -> Iterator[str]:
        for label, bases in self.profile.identities.items():
            prefix, _, name = label.partition(":")
            if prefix == self.module.prefix:
                inner = "".join(f" base {self._named(base)};" for base in bases)
                yield f"identity {name} {{{inner} }}" if inner else f"identity {name};"

    def _named(self, label: str) -> str:
        """Return a prefixed name, and note that its module is imported."""
        self._used.add(label.partition(":")[0])
        return label

    def _nodes(self, nodes: Mapping[str, NodeSpec], above: str, path: str) -> Iterator[str]:
        """Return this module's nodes at the top, and below nodes of other modules as augments of these."""
        for label, spec in nodes.items():
            prefix, _, name = label.rpartition(":")
            own = prefix or above
            here = f"{path}/{own}:{name}"
            if own == self.module.prefix and above != own:
                yield from self._statement(name, spec) if not path else self._augment(name, spec, above, path)
            yield from self._nodes(spec.children, own, here)

    def _augment(self, name: str, spec: NodeSpec, above: str, path: str) -> Iterator[str]:
        for step in path.strip("/").split("/"):
            self._named(step)
        yield f"augment {_quoted(path)} {{"
        if spec.for_types:
            yield INDENT + f"when {_quoted(self._is_of_type(f'{above}:type', spec.for_types))};"
        yield from _inside(self._statement(name, spec))
        yield "}"

    def _is_of_type(self, leaf: str, types: tuple[str, ...]) -> str:
        """Return the condition that ``leaf``, a path whose last step has a prefix, is one of these identities."""
        self._named(leaf.rpartition("/")[2])
        return " or ".join(f"derived-from-or-self({leaf}, '{self._named(each)}')" for each in types)

    def _statement(self, name: str, spec: NodeSpec) -> Iterator[str]:
        if spec.type is not None:
            yield f"leaf {name} {{"
            yield from _inside(self._leaf(spec))
        else:
            yield f"{'list' if spec.keys else 'container'} {name} {{"
            yield from _inside(self._holder(spec))
        yield "}"

    def _holder(self, spec: NodeSpec) -> Iterator[str]:
        if spec.keys:
            yield f"key {_quoted(' '.join(spec.keys))};"
        for label, child in spec.children.items():
            prefix, _, name = label.rpartition(":")
            if prefix in {"", self.module.prefix}:
                yield from self._statement(name, child)

    def _leaf(self, spec: NodeSpec) -> Iterator[str]:
        type_spec = self.profile.types[spec.type or ""]
        yield from self._type(type_spec)
        if type_spec.points_to:
            module = type_spec.target.strip("/").partition(":")[0]
            yield f"must {_quoted(self._is_of_type(f'deref(.)/../{module}:type', type_spec.points_to))};"
        if spec.at_least_sum_of:
            yield f"must {_quoted('. >= ' + ' + '.join(f'sum(../{name})' for name in spec.at_least_sum_of))};"
        if spec.default is not None:
            yield f"default {_quoted(spec.default)};"
        if spec.state:
            yield "config false;"
        if spec.mandatory:
            yield "mandatory true;"

    def _type(self, spec: TypeSpec) -> Iterator[str]:
        details = list(self._details(spec))
        yield f"type {_base(spec)} {{" if details else f"type {_base(spec)};"
        if details:
            yield from _inside(details)
            yield "}"

    def _details(self, spec: TypeSpec) -> Iterator[str]:
        if spec.base == "integer" and spec.range is not None and not _is_whole(spec.range):
            yield f"range {_quoted(f'{spec.range[0]}..{spec.range[1]}')};"
        if spec.length is not None:
            yield f"length {_quoted(f'{spec.length[0]}..{spec.length[1]}')};"
        if spec.pattern is not None:
            yield f"pattern '{spec.pattern}';"
        yield from (f"enum {value};" for value in spec.values)
        if spec.identity:
            yield f"base {self._named(spec.identity)};"
        if spec.target:
            yield f"path {_quoted(self._reference(spec.target))};"
        for member in spec.members:
            yield from self._type(self.profile.types[member])

    def _reference(self, target: str) -> str:
        """Return the path of the key of the list at ``target``, each step with its prefix."""
        steps, nodes, prefix = [], self.profile.data, ""
        keys: tuple[str, ...] = ()
        for label in target.strip("/").split("/"):
            prefix = label.rpartition(":")[0] or prefix
            spec = nodes[label]
            steps.append(self._named(f"{prefix}:{label.rpartition(':')[2]}"))
            nodes, keys = spec.children, spec.keys
        return "/" + "/".join([*steps, f"{prefix}:{keys[0]}"])


def _base(spec: TypeSpec) -> str:
    if spec.base != "integer":
        return spec.base
    low, high = spec.range or (0, 0)
    return next(name for name, least, most in INTEGERS if least <= low and high <= most)


def _is_whole(limits: tuple[int, int]) -> bool:
    return any(limits == (least, most) for _, least, most in INTEGERS)


def _inside(lines: "list[str] | Iterator[str]") -> Iterator[str]:
    yield from (f"{INDENT}{line}" for line in lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
