"""A schema profile as it stands in YAML: modules, identities, types and data nodes of an emulated NETCONF device.

Nodes are named ``name``, or ``prefix:name`` where they are of another module than their parent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources.abc import Traversable
from typing import Any, Literal

import yaml

# Dataclasses, not pydantic: its import alone would take a quarter as long as a lab takes to deploy.


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSpec:
    """One YANG module."""

    prefix: str
    name: str
    namespace: str
    revision: date
    features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeSpec:
    """One type, by the base that YANG knows."""

    base: Literal["string", "integer", "boolean", "empty", "enumeration", "identityref", "leafref", "union"]
    length: tuple[int, int] | None = None
    pattern: str | None = None
    range: tuple[int, int] | None = None
    values: tuple[str, ...] = ()
    identity: str = ""
    target: str = ""
    points_to: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One data node; what it says is explained at the top of the shipped profile.

    Attributes:
        default: what a leaf holds where nobody set it.
    """

    type: str | None = None
    keys: tuple[str, ...] = ()
    mandatory: bool = False
    state: bool = False
    default: str | None = None
    for_types: tuple[str, ...] = ()
    at_least_sum_of: tuple[str, ...] = ()
    children: Mapping[str, "NodeSpec"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSpec:
    """A whole profile."""

    modules: tuple[ModuleSpec, ...]
    identities: Mapping[str, tuple[str, ...]]
    types: Mapping[str, TypeSpec]
    data: Mapping[str, NodeSpec]

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "ProfileSpec":
        """Return the profile that ``raw`` holds.

        Raises:
            TypeError: it has unknown fields, or lacks one.
        """
        parts = {
            "modules": tuple(ModuleSpec(**_fields(module)) for module in raw.get("modules", ())),
            "identities": {name: tuple(of) for name, of in raw.get("identities", {}).items()},
            "types": {name: TypeSpec(**_fields(spec)) for name, spec in raw.get("types", {}).items()},
            "data": _nodes(raw.get("data")),
        }
        return cls(**_fields(raw) | {name: part for name, part in parts.items() if name in raw})


def load_profile(file: Traversable) -> ProfileSpec:
    """Return the profile in a YAML file.

    Raises:
        TypeError: it has unknown fields, or lacks one.
    """
    return ProfileSpec.of(yaml.safe_load(file.read_text(encoding="utf-8")))


def _nodes(raw: Mapping[str, Any] | None) -> Mapping[str, NodeSpec]:
    return {
        label: NodeSpec(**_fields(spec or {}) | {"children": _nodes((spec or {}).get("children"))})
        for label, spec in (raw or {}).items()
    }


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a YAML mapping as arguments: ``points-to`` is ``points_to``, a list a tuple."""
    return {name.replace("-", "_"): tuple(value) if isinstance(value, list) else value for name, value in raw.items()}
