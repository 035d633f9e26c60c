"""The TMF622 shapes of an incoming product order."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from orders.inbound import (
    Action,
    CharacteristicBody,
    DateTime,
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
from orders.product.price_bodies import OrderPriceBody, OrderTermBody, ProductPriceBody, ProductTermBody

ITEMS: Final = "productOrderItem"


class RelatedProductBody(Inbound):
    """A product that another one relates to."""

    id: Text | None = None


class ProductRelationshipBody(Inbound):
    """How a product relates to another."""

    relationship_type: str = ""
    product: RelatedProductBody | None = None


class ProductBody(Inbound):
    """The product of an item."""

    id: Text | None = None
    href: str | None = None
    name: str | None = None
    description: str | None = None
    is_bundle: bool | None = None
    is_customer_visible: bool | None = None
    order_date: DateTime | None = None
    product_serial_number: str | None = None
    start_date: DateTime | None = None
    termination_date: DateTime | None = None
    agreement: list[ReferenceBody] = Field(default_factory=list)
    billing_account: ReferenceBody | None = None
    product_offering: SpecificationBody | None = None
    realizing_resource: list[ReferenceBody] = Field(default_factory=list)
    realizing_service: list[ReferenceBody] = Field(default_factory=list)
    place: list[PlaceBody] = Field(default_factory=list)
    product_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    product_specification: SpecificationBody | None = None
    product_price: list[ProductPriceBody] = Field(default_factory=list)
    product_term: list[ProductTermBody] = Field(default_factory=list)
    product_relationship: list[ProductRelationshipBody] = Field(default_factory=list)
    related_party: list[PartyBody] = Field(default_factory=list)


class ProductOrderItemBody(ItemBody):
    """An item of an incoming product order."""

    action: Action
    appointment: ReferenceBody | None = None
    billing_account: ReferenceBody | None = None
    item_price: list[OrderPriceBody] = Field(default_factory=list)
    item_term: list[OrderTermBody] = Field(default_factory=list)
    item_total_price: list[OrderPriceBody] = Field(default_factory=list)
    payment: list[ReferenceBody] = Field(default_factory=list)
    product: ProductBody | None = None
    product_offering: SpecificationBody | None = None
    product_order_item: "list[ProductOrderItemBody]" = Field(default_factory=list)
    product_order_item_relationship: list[RelationshipBody] = Field(default_factory=list)
    quote_item: ReferenceBody | None = None

    @property
    def inner(self) -> "Sequence[ProductOrderItemBody]":
        """The items inside it."""
        return self.product_order_item

    @property
    def relationships(self) -> tuple[str, Sequence[RelationshipBody]]:
        """What it says of other items, and the attribute where that stands."""
        return "productOrderItemRelationship", self.product_order_item_relationship


class ChannelBody(ReferenceBody):
    """A sales channel."""

    role: str | None = None


class ProductOrderBody(OrderBody):
    """A TMF622 ProductOrder_Create body."""

    cancellation_reason: str | None = None
    notification_contact: str | None = None
    note: list[NoteBody] = Field(default_factory=list)
    priority: str | None = None
    billing_account: ReferenceBody | None = None
    channel: list[ChannelBody] = Field(default_factory=list)
    agreement: list[ReferenceBody] = Field(default_factory=list)
    order_total_price: list[OrderPriceBody] = Field(default_factory=list)
    payment: list[ReferenceBody] = Field(default_factory=list)
    product_offering_qualification: list[ReferenceBody] = Field(default_factory=list)
    quote: list[ReferenceBody] = Field(default_factory=list)
    product_order_item: list[ProductOrderItemBody] = Field(min_length=1)
