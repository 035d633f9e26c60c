"""The YAML shape of the catalog; camelCase keys, nothing unknown allowed."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from inventory.model import Allocation
from orders.catalog.characteristics import Value, ValueType
from orders.catalog.model import OnFailure, PointOfNoReturn, TaskGate

ID_PATTERN = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
NAME_PATTERN = r"^[a-z][A-Za-z0-9]*$"
VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9.+-]*$"
Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(@[A-Za-z0-9][A-Za-z0-9.+-]*)?$")]
"""A specification by id, or by ``id@version``."""
Status = Literal["inStudy", "inDesign", "inTest", "active", "launched", "retired", "obsolete", "rejected"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class CharacteristicShape(_Shape):
    """One characteristic specification."""

    name: str = Field(pattern=NAME_PATTERN)
    value_type: ValueType
    description: str = ""
    required: bool = False
    default: Value | list[Value] | None = None
    minimum: float | None = Field(default=None, alias="min")
    maximum: float | None = Field(default=None, alias="max")
    pattern: str | None = None
    allowed: list[Value] = Field(default_factory=list)
    unit: str = ""
    min_values: int = Field(default=0, ge=0)
    max_values: int | Literal["*"] = 1


class ValidForShape(_Shape):
    """When an entry can be ordered."""

    model_config = ConfigDict(strict=False)

    start_date_time: AwareDatetime | None = None
    end_date_time: AwareDatetime | None = None


class EntryShape(_Shape):
    """What every entry has."""

    id: str = Field(pattern=ID_PATTERN)
    name: str = Field(min_length=1)
    version: str = Field(pattern=VERSION_PATTERN)
    description: str = ""
    lifecycle_status: Status = "active"
    valid_for: ValidForShape = ValidForShape()


class UseShape(_Shape):
    """A specification used by another; each characteristic of the used one is an expression."""

    specification: Reference
    characteristics: dict[str, str] = Field(default_factory=dict)
    when: str | None = None


class RequirementShape(_Shape):
    """A resource to be reserved."""

    specification: Reference
    when: str | None = None


class EligibilityShape(_Shape):
    """Where an offering is sold."""

    when: str
    reason: str = ""


class BundlePartShape(_Shape):
    """An offering inside a bundle."""

    offering: str = Field(pattern=ID_PATTERN)
    lower_limit: int = Field(default=1, ge=0)
    upper_limit: int | None = Field(default=None, ge=1, le=100)
    default: int | None = Field(default=None, ge=0)


class OfferingShape(EntryShape):
    """A product offering."""

    product_specification: Reference
    fixes: dict[str, Value | list[Value]] = Field(default_factory=dict)
    eligibility: list[EligibilityShape] = Field(default_factory=list)
    bundles: list[BundlePartShape] = Field(default_factory=list)


class ProductShape(EntryShape):
    """A product specification."""

    migrates_to: list[str] = Field(default_factory=list)
    characteristics: list[CharacteristicShape] = Field(default_factory=list)
    realized_by: UseShape | None = None


class ManualTaskShape(_Shape):
    """What somebody has to do and to answer before a service goes on."""

    name: str = Field(pattern=ID_PATTERN)
    instruction: str = Field(min_length=1)
    role: str = Field(min_length=1)
    before: TaskGate = "reserving"
    asks: list[str] = Field(default_factory=list)
    escalate_after_h: float | None = Field(default=None, gt=0, le=8760)


class CustomerServiceShape(EntryShape):
    """A customer-facing service specification."""

    migrates_to: list[str] = Field(default_factory=list)
    characteristics: list[CharacteristicShape] = Field(default_factory=list)
    relies_on: list[str] = Field(default_factory=list)
    supported_by: list[UseShape] = Field(min_length=1)
    point_of_no_return: PointOfNoReturn | None = None
    on_failure: OnFailure = "fail"
    manual_tasks: list[ManualTaskShape] = Field(default_factory=list)


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


KINDS: Final[Mapping[str, str]] = {
    "productOfferings": "productOffering",
    "productSpecifications": "productSpecification",
    "customerFacingServices": "serviceSpecification",
    "resourceFacingServices": "serviceSpecification",
    "resourceSpecifications": "resourceSpecification",
}
"""Section of a file to the kind of TMF document that its entries are."""


def dumped(shape: BaseModel) -> dict[str, Any]:
    """Return what a file says, defaults left out."""
    return shape.model_dump(mode="json", by_alias=True, exclude_defaults=True)
