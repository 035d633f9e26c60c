"""The bodies of TMF620, TMF633 and TMF634 entries: what has a type in the official files has it here."""

from typing import Any

from pydantic import Field

from orders.inbound import DateTime, Inbound, PartyBody, ReferenceBody, SpecificationBody, Text


class ValueBody(Inbound):
    """One value that a characteristic may have, or a range of them."""

    value: Any = None
    is_default: bool = False
    value_from: float | None = None
    value_to: float | None = None
    unit_of_measure: str | None = None


class SpecCharacteristicBody(Inbound):
    """A characteristic of a specification, in the words of any of the three APIs."""

    name: Text
    value_type: str | None = None
    description: str | None = None
    regex: str | None = None
    min_cardinality: int | None = None
    max_cardinality: int | None = None
    extensible: bool | None = None
    lastmile: dict[str, Any] | None = None
    product_spec_characteristic_value: list[ValueBody] = Field(default_factory=list)
    characteristic_value_specification: list[ValueBody] = Field(default_factory=list)
    resource_spec_characteristic_value: list[ValueBody] = Field(default_factory=list)


class ValueUseBody(Inbound):
    """A characteristic that an offering fixes."""

    name: Text
    product_spec_characteristic_value: list[ValueBody] = Field(default_factory=list)


class RelatedSpecificationBody(ReferenceBody):
    """A specification that another one relies on."""

    relationship_type: str | None = None


class PeriodBody(Inbound):
    """When something can be ordered."""

    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None


class LimitsBody(Inbound):
    """How many of an offering a bundle may have."""

    number_rel_offer_lower_limit: int | None = None
    number_rel_offer_upper_limit: int | None = None
    number_rel_offer_default: int | None = None


class BundledBody(ReferenceBody):
    """An offering inside a bundle."""

    bundled_product_offering_option: LimitsBody | None = None


class EntryBody(Inbound):
    """What the platform reads of a catalog entry, and what it keeps for others; anything else is kept as it is."""

    id: Text | None = None
    name: Text
    version: Text | None = None
    description: str | None = None
    lifecycle_status: str | None = None
    valid_for: PeriodBody | None = None
    is_bundle: bool | None = None
    attachment: list[Inbound] = Field(default_factory=list)
    related_party: list[PartyBody] = Field(default_factory=list)
    lastmile: dict[str, Any] | None = None
    product_spec_characteristic: list[SpecCharacteristicBody] = Field(default_factory=list)
    spec_characteristic: list[SpecCharacteristicBody] = Field(default_factory=list)
    resource_spec_characteristic: list[SpecCharacteristicBody] = Field(default_factory=list)


class OfferingBody(EntryBody):
    """A TMF620 product offering."""

    product_specification: SpecificationBody | None = None
    prod_spec_char_value_use: list[ValueUseBody] = Field(default_factory=list)
    bundled_product_offering: list[BundledBody] = Field(default_factory=list)
    is_sellable: bool | None = None
    status_reason: str | None = None
    category: list[ReferenceBody] = Field(default_factory=list)
    agreement: list[ReferenceBody] = Field(default_factory=list)
    channel: list[ReferenceBody] = Field(default_factory=list)
    market_segment: list[ReferenceBody] = Field(default_factory=list)
    place: list[Inbound] = Field(default_factory=list)
    product_offering_price: list[Inbound] = Field(default_factory=list)
    product_offering_relationship: list[Inbound] = Field(default_factory=list)
    product_offering_term: list[Inbound] = Field(default_factory=list)
    resource_candidate: ReferenceBody | None = None
    service_candidate: ReferenceBody | None = None
    service_level_agreement: Inbound | None = None


class ServedBody(EntryBody):
    """A specification that names what it is realized by."""

    service_specification: list[SpecificationBody] = Field(default_factory=list)
    service_spec_relationship: list[RelatedSpecificationBody] = Field(default_factory=list)
    resource_specification: list[SpecificationBody] = Field(default_factory=list)
    brand: str | None = None
    product_number: str | None = None
    bundled_product_specification: list[Inbound] = Field(default_factory=list)
    product_specification_relationship: list[Inbound] = Field(default_factory=list)
    target_product_schema: Inbound | None = None
    constraint: list[ReferenceBody] = Field(default_factory=list)
    entity_spec_relationship: list[Inbound] = Field(default_factory=list)
    feature_specification: list[Inbound] = Field(default_factory=list)
    service_level_specification: list[ReferenceBody] = Field(default_factory=list)
    target_entity_schema: Inbound | None = None


class ResourceBody(EntryBody):
    """A TMF634 resource specification."""

    category: str | None = None
    feature_specification: list[Inbound] = Field(default_factory=list)
    resource_spec_relationship: list[Inbound] = Field(default_factory=list)
    target_resource_schema: Inbound | None = None
