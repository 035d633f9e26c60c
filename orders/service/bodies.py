"""The TMF641 shapes of an incoming service order."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from orders.dependencies import Relation
from orders.inbound import (
    Action,
    CharacteristicBody,
    Inbound,
    ItemBody,
    NoteBody,
    OrderBody,
    PartyBody,
    PlaceBody,
    ReferenceBody,
    RelationshipBody,
    SpecificationBody,
    Text,
)

ITEMS: Final = "serviceOrderItem"


class RelatedServiceBody(Inbound):
    """A service that another one relates to."""

    id: Text | None = None


class ServiceRelationshipBody(Inbound):
    """How a service relates to another."""

    relationship_type: str = ""
    service: RelatedServiceBody | None = None


class ServiceBody(Inbound):
    """The service of an item."""

    id: Text | None = None
    href: str | None = None
    name: str | None = None
    category: str | None = None
    description: str | None = None
    service_type: str | None = None
    note: list[NoteBody] = Field(default_factory=list)
    place: list[PlaceBody] = Field(default_factory=list)
    service_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    service_specification: SpecificationBody | None = None
    service_relationship: list[ServiceRelationshipBody] = Field(default_factory=list)
    related_party: list[PartyBody] = Field(default_factory=list)
    supporting_resource: list[ReferenceBody] = Field(default_factory=list)
    supporting_service: list[Inbound] = Field(default_factory=list)


class RelatedItemBody(Inbound):
    """An item that another one relates to."""

    id: str | None = None
    item_id: str | None = None
    service_order_id: str | None = None
    service_order_href: str | None = None


class ItemRelationshipBody(RelationshipBody):
    """How an item relates to another."""

    order_item: RelatedItemBody | None = None

    def relation(self, path: str) -> Relation:
        """Return what it says; ``path`` is where it stands."""
        named = self.order_item or RelatedItemBody()
        return Relation(
            kind=self.relationship_type or "",
            target=named.item_id or named.id,
            path=f"{path}.orderItem.itemId",
            order=named.service_order_id or "",
        )


class ServiceOrderItemBody(ItemBody):
    """An item of an incoming service order."""

    action: Action
    service: ServiceBody
    service_order_item: "list[ServiceOrderItemBody]" = Field(default_factory=list)
    service_order_item_relationship: list[ItemRelationshipBody] = Field(default_factory=list)

    @property
    def inner(self) -> "Sequence[ServiceOrderItemBody]":
        """The items inside it."""
        return self.service_order_item

    @property
    def relationships(self) -> tuple[str, Sequence[RelationshipBody]]:
        """What it says of other items, and the attribute where that stands."""
        return "serviceOrderItemRelationship", self.service_order_item_relationship


class ServiceOrderBody(OrderBody):
    """A TMF641 ServiceOrder_Create body."""

    notification_contact: str | None = None
    note: list[NoteBody] = Field(default_factory=list)
    priority: str | None = None
    external_reference: list[Inbound] = Field(default_factory=list)
    order_relationship: list[Inbound] = Field(default_factory=list)
    service_order_item: list[ServiceOrderItemBody] = Field(min_length=1)
