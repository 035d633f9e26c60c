"""Checks TMF652 bodies: wire text in, checked values out, every problem with its path."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from inventory.documents import Document
from orders.catalog.model import Catalog, Ref
from orders.errors import Problem
from orders.inbound import (
    BareNoteBody,
    CharacteristicBody,
    DateTime,
    Inbound,
    ItemBody,
    OrderBody,
    PlaceBody,
    RelationshipBody,
    SpecificationBody,
    Text,
    common_problems,
    offer_problems,
    parse,
    refuse,
)


class ResourceBody(Inbound):
    """The resource of an item."""

    id: Text | None = None
    href: str | None = None
    name: str | None = None
    place: PlaceBody | None = None
    resource_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    resource_specification: SpecificationBody | None = None


class ResourceOrderItemBody(ItemBody):
    """An item of an incoming resource order."""

    action: Literal["add", "delete", "noChange"]
    order_item_relationship: list[RelationshipBody] = Field(default_factory=list)
    resource: ResourceBody | None = None
    resource_specification: SpecificationBody | None = None


class ResourceOrderBody(OrderBody):
    """A TMF652 ResourceOrder_Create body."""

    name: str | None = None
    order_type: str | None = None
    note: list[BareNoteBody] = Field(default_factory=list)
    priority: int | None = None
    expected_completion_date: DateTime | None = None
    order_item: list[ResourceOrderItemBody] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOrder:
    """A checked order: ``document`` is the body to store."""

    external_id: str | None
    document: Document


def check_order(body: object, catalog: Catalog) -> ResourceOrder:
    """Return the checked order.

    Raises:
        InvalidOrder: with every problem.
    """
    order, document = parse(ResourceOrderBody, body)
    refuse((*common_problems(order.order_item, "orderItem"), *_problems(order.order_item, catalog)))
    return ResourceOrder(external_id=order.external_id, document=document)


def specification_ref(item: Document) -> Ref:
    """Return the resource specification that a checked item names, on itself or on its resource."""
    found = item.get("resourceSpecification") or item["resource"]["resourceSpecification"]
    return Ref(id=str(found["id"]), version=str(found.get("version") or ""))


def _problems(items: Sequence[ResourceOrderItemBody], catalog: Catalog) -> Iterator[Problem]:
    for number, item in enumerate(items):
        path = f"orderItem[{number}]"
        if item.action == "add":
            yield from _add_problems(item, catalog, path)
        elif item.action == "delete" and (item.resource is None or item.resource.id is None):
            yield Problem(path=f"{path}.resource.id", wrong="is missing", legal="the id of the resource to release")


def _add_problems(item: ResourceOrderItemBody, catalog: Catalog, path: str) -> Iterator[Problem]:
    named = item.resource_specification or (item.resource.resource_specification if item.resource else None)
    known = catalog.resource_specifications
    legal = ", ".join(sorted(known))
    if named is None:
        yield Problem(path=f"{path}.resourceSpecification", wrong="is missing", legal=legal)
    elif known.named(named.id, named.version or "") is None:
        # Retired ones too: a service made by an old version may need its resources in another place.
        yield from offer_problems(known, named, f"{path}.resourceSpecification")
    place = item.resource.place if item.resource else None
    if place is None or place.id is None:
        yield Problem(path=f"{path}.resource.place.id", wrong="is missing", legal="the place the resource serves")
