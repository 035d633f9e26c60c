"""The catalog's values: offerings, specifications and the decomposition they declare. All frozen."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from inventory.model import Allocation
from orders.catalog.expressions import Expression
from orders.errors import Problem

ValueType = Literal["string", "integer", "number", "boolean"]
PointOfNoReturn = Literal["reserving", "activating", "completed"]
Value: TypeAlias = str | int | float | bool
_TYPES: Final[Mapping[ValueType, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicSpecification:
    """What one characteristic may be.

    Attributes:
        minimum: smallest legal value, included; numbers only, like ``maximum``.
        pattern: regular expression the whole string must match.
        allowed: the only legal values; empty means any.
    """

    name: str
    value_type: ValueType
    description: str = ""
    required: bool = False
    default: Value | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[Value, ...] = ()
    unit: str = ""

    def accepts(self, value: object) -> bool:
        """Say whether ``value`` is legal here."""
        if not self._fits_type(value):
            return False
        if isinstance(value, str):
            return self._allows(value) and (self.pattern is None or re.fullmatch(self.pattern, value) is not None)
        return self._allows(value) and self._in_range(value)

    def legal(self) -> str:
        """Return in words what is legal here, for messages."""
        words: list[str] = [self.value_type]
        words += [f">= {self.minimum:g}"] if self.minimum is not None else []
        words += [f"<= {self.maximum:g}"] if self.maximum is not None else []
        words += [f"matching {self.pattern}"] if self.pattern is not None else []
        words += ["one of " + ", ".join(map(str, self.allowed))] if self.allowed else []
        return " ".join(words) + (f", in {self.unit}" if self.unit else "")

    def _fits_type(self, value: object) -> bool:
        # Python's bool is an int; JSON's is not.
        if isinstance(value, bool):
            return self.value_type == "boolean"
        return isinstance(value, _TYPES[self.value_type]) and not (
            isinstance(value, float) and not math.isfinite(value)
        )

    def _allows(self, value: object) -> bool:
        return not self.allowed or value in self.allowed

    def _in_range(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def check_values(
    specifications: Sequence[CharacteristicSpecification], values: Mapping[str, object], path: str
) -> tuple[Problem, ...]:
    """Return what is wrong with a full set of characteristic ``values``: unknown, missing or illegal ones."""
    known = {each.name: each for each in specifications}
    unknown = [
        Problem(path=f"{path}.{name}", wrong="is no characteristic of this specification", legal=", ".join(known))
        for name in values
        if name not in known
    ]
    return (*unknown, *(problem for each in specifications for problem in _check_one(each, values, path)))


def _check_one(
    specification: CharacteristicSpecification, values: Mapping[str, object], path: str
) -> Iterable[Problem]:
    name = specification.name
    if name not in values:
        if specification.required:
            yield Problem(path=f"{path}.{name}", wrong="is missing", legal=specification.legal())
    elif not specification.accepts(values[name]):
        yield Problem(path=f"{path}.{name}", wrong=f"{values[name]!r} is not legal", legal=specification.legal())


def with_defaults(
    specifications: Iterable[CharacteristicSpecification], values: Mapping[str, Value]
) -> dict[str, Value]:
    """Return ``values`` with the default of each characteristic that is absent and has one."""
    defaults = {each.name: each.default for each in specifications if each.default is not None}
    return defaults | dict(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every catalog entry has."""

    id: str
    name: str
    version: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpecification(Entry):
    """A kind of resource and where it is taken from; ``pool`` is empty where the place decides."""

    allocation: Allocation
    pool: str
    characteristics: tuple[CharacteristicSpecification, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A resource that a resource-facing service reserves; ``when`` (over ``service``, ``place``) None = always."""

    specification_id: str
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceService(Entry):
    """A resource-facing service (RFS): what is configured on one kind of device."""

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One specification used by another, and how the used one's characteristics come about."""

    specification_id: str
    characteristics: Mapping[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerService(Entry):
    """A customer-facing service (CFS), supported by resource-facing ones or by further customer-facing ones.

    Attributes:
        point_of_no_return: from where on an order for it is not cancelled any more; None: as long as it can be undone.
    """

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    supported_by: tuple[Use, ...] = ()
    point_of_no_return: PointOfNoReturn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSpecification(Entry):
    """What a product is, and the customer-facing service that makes it real."""

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    realized_by: Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering(Entry):
    """A product specification as it is sold: some characteristics are fixed."""

    specification_id: str
    fixed: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that can be ordered, by id. :func:`orders.catalog.load.load_catalog` proves that references hold."""

    offerings: Mapping[str, Offering]
    product_specifications: Mapping[str, ProductSpecification]
    customer_services: Mapping[str, CustomerService]
    resource_services: Mapping[str, ResourceService]
    resource_specifications: Mapping[str, ResourceSpecification]

    def specification_of(self, offering: Offering) -> ProductSpecification:
        """Return the product specification that ``offering`` sells."""
        return self.product_specifications[offering.specification_id]
