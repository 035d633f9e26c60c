"""A schema profile as it stands in YAML: modules, identities, types and data nodes of an emulated NETCONF device.

Nodes are named ``name``, or ``prefix:name`` where they are of another module than their parent.
"""

from datetime import date
from importlib.resources.abc import Traversable
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModuleSpec(_Data):
    """One YANG module."""

    prefix: str
    name: str
    namespace: str
    revision: date
    features: tuple[str, ...] = ()


class TypeSpec(_Data):
    """One type, by the base that YANG knows."""

    base: Literal["string", "integer", "boolean", "empty", "enumeration", "identityref", "leafref", "union"]
    length: tuple[int, int] | None = None
    pattern: str | None = None
    range: tuple[int, int] | None = None
    values: tuple[str, ...] = ()
    identity: str = ""
    target: str = ""
    points_to: tuple[str, ...] = Field(default=(), alias="points-to")
    members: tuple[str, ...] = ()


class NodeSpec(_Data):
    """One data node; what it says is explained at the top of the shipped profile.

    Attributes:
        default: what a leaf holds where nobody set it.
    """

    type: str | None = None
    keys: tuple[str, ...] = ()
    mandatory: bool = False
    default: str | None = None
    for_types: tuple[str, ...] = Field(default=(), alias="for-types")
    at_least_sum_of: tuple[str, ...] = Field(default=(), alias="at-least-sum-of")
    children: dict[str, "NodeSpec"] = {}


class ProfileSpec(_Data):
    """A whole profile."""

    modules: tuple[ModuleSpec, ...]
    identities: dict[str, tuple[str, ...]]
    types: dict[str, TypeSpec]
    data: dict[str, NodeSpec]


def load_profile(file: Traversable) -> ProfileSpec:
    """Return the profile in a YAML file.

    Raises:
        pydantic.ValidationError: it has unknown or ill-typed fields.
    """
    return ProfileSpec.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
