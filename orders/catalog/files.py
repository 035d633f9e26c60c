"""The YAML shape of the catalog; camelCase keys, nothing unknown allowed."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from inventory.model import Allocation
from orders.catalog.model import PointOfNoReturn, Value, ValueType

ID_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
NAME_PATTERN = r"^[a-z][A-Za-z0-9]*$"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class CharacteristicShape(_Shape):
    """One characteristic specification."""

    name: str = Field(pattern=NAME_PATTERN)
    value_type: ValueType
    description: str = ""
    required: bool = False
    default: Value | None = None
    minimum: float | None = Field(default=None, alias="min")
    maximum: float | None = Field(default=None, alias="max")
    pattern: str | None = None
    allowed: list[Value] = Field(default_factory=list)
    unit: str = ""


class EntryShape(_Shape):
    """What every entry has."""

    id: str = Field(pattern=ID_PATTERN)
    name: str = Field(min_length=1)
    version: str
    description: str = ""


class UseShape(_Shape):
    """A specification used by another; each characteristic of the used one is an expression."""

    specification: str
    characteristics: dict[str, str] = Field(default_factory=dict)


class RequirementShape(_Shape):
    """A resource to be reserved."""

    specification: str
    when: str | None = None


class OfferingShape(EntryShape):
    """A product offering."""

    product_specification: str
    fixes: dict[str, Value] = Field(default_factory=dict)


class ProductShape(EntryShape):
    """A product specification."""

    characteristics: list[CharacteristicShape] = Field(default_factory=list)
    realized_by: UseShape


class CustomerServiceShape(EntryShape):
    """A customer-facing service specification."""

    characteristics: list[CharacteristicShape] = Field(default_factory=list)
    supported_by: list[UseShape] = Field(min_length=1)
    point_of_no_return: PointOfNoReturn | None = None


class ResourceServiceShape(EntryShape):
    """A resource-facing service specification."""

    characteristics: list[CharacteristicShape] = Field(default_factory=list)
    requires: list[RequirementShape] = Field(default_factory=list)


class ResourceShape(EntryShape):
    """A resource specification."""

    allocation: Allocation
    pool: str = ""
    characteristics: list[CharacteristicShape] = Field(default_factory=list)


class CatalogFile(_Shape):
    """One file; every file may hold entries of every kind."""

    product_offerings: list[OfferingShape] = Field(default_factory=list)
    product_specifications: list[ProductShape] = Field(default_factory=list)
    customer_facing_services: list[CustomerServiceShape] = Field(default_factory=list)
    resource_facing_services: list[ResourceServiceShape] = Field(default_factory=list)
    resource_specifications: list[ResourceShape] = Field(default_factory=list)
