"""What a TMF640 service may look like: the shapes of ``Service_Create``, every wrong attribute named by its path."""

from typing import Any, Literal

from pydantic import Field

from inventory.documents import Document
from orders.inbound import (
    BareNoteBody,
    DateTime,
    Inbound,
    PartyBody,
    PlaceBody,
    ReferenceBody,
    Text,
    parse,
)
from orders.inbound import (
    CharacteristicBody as PlainCharacteristicBody,
)

State = Literal["feasibilityChecked", "designed", "reserved", "inactive", "active"]


class SpecificationBody(ReferenceBody):
    """The specification of a service: its id is the intent's name."""

    version: str | None = None


class CharacteristicRelationshipBody(Inbound):
    """How a characteristic relates to another."""

    id: str | None = None
    relationship_type: str | None = None


class CharacteristicBody(PlainCharacteristicBody):
    """A characteristic of a service."""

    id: str | None = None
    characteristic_relationship: list[CharacteristicRelationshipBody] = Field(default_factory=list)


class FeatureRelationshipBody(Inbound):
    """How a feature relates to another."""

    id: str | None = None
    name: Text
    relationship_type: Text


class FeatureBody(Inbound):
    """A feature."""

    id: str | None = None
    name: str
    is_bundle: bool | None = None
    is_enabled: bool | None = None
    constraint: list[ReferenceBody] = Field(default_factory=list)
    feature_characteristic: list[CharacteristicBody] = Field(min_length=1)
    feature_relationship: list[FeatureRelationshipBody] = Field(default_factory=list)


class OrderItemBody(Inbound):
    """The order item that a service comes from."""

    item_id: Text
    service_order_id: Text
    role: str | None = None
    service_order_href: str | None = None
    item_action: Literal["add", "modify", "delete", "noChange"] | None = None


class ServiceShape(Inbound):
    """What a service and its parts share."""

    href: str | None = None
    category: str | None = None
    description: str | None = None
    end_date: DateTime | None = None
    has_started: bool | None = None
    is_bundle: bool | None = None
    is_service_enabled: bool | None = None
    is_stateful: bool | None = None
    name: str | None = None
    service_date: str | None = None
    service_type: str | None = None
    start_date: DateTime | None = None
    start_mode: str | None = None
    feature: list[FeatureBody] = Field(default_factory=list)
    note: list[BareNoteBody] = Field(default_factory=list)
    place: list[PlaceBody] = Field(default_factory=list)
    related_entity: list[PlaceBody] = Field(default_factory=list)
    related_party: list[PartyBody] = Field(default_factory=list)
    service_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    service_order_item: list[OrderItemBody] = Field(default_factory=list)
    supporting_resource: list[ReferenceBody] = Field(default_factory=list)


class RelatedService(ServiceShape):
    """A service that this one relates to; only named."""

    id: Text | None = None


class RelationshipBody(Inbound):
    """How a service relates to another."""

    relationship_type: Text
    service: RelatedService | None = None
    characteristics: list[CharacteristicBody] = Field(default_factory=list, alias="ServiceRelationshipCharacteristic")


class PartBody(ServiceShape):
    """A supporting service by value."""

    id: Text
    state: str | None = None
    service_specification: SpecificationBody
    service_relationship: list[RelationshipBody] = Field(default_factory=list)
    supporting_service: list[Any] = Field(default_factory=list, max_length=0)


class ServiceBody(ServiceShape):
    """A TMF640 Service_Create body; an ``id`` and an ``externalId`` may come with it."""

    id: Text | None = None
    external_id: Text | None = None
    state: State
    service_specification: SpecificationBody
    service_relationship: list[RelationshipBody] = Field(default_factory=list)
    supporting_service: list[PartBody] = Field(default_factory=list)


def checked(body: object) -> Document:
    """Return the service in ``body`` as it is to be stored: without nulls, parties complete.

    Raises:
        InvalidOrder: with every attribute that is missing or of a wrong type, and its path.
    """
    _, document = parse(ServiceBody, body)
    return document
