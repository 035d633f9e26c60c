"""Checks TMF652 bodies: wire text in, checked values out, every problem with its path."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from inventory.documents import Document, characteristics
from inventory.errors import PortUnfit
from orders.catalog.model import Catalog, Ref
from orders.dependencies import Node, Relation, in_order, waits
from orders.errors import Problem
from orders.inbound import (
    BareNoteBody,
    CharacteristicBody,
    DateTime,
    Inbound,
    ItemBody,
    NoNestedItems,
    OrderBody,
    PlaceBody,
    RelationshipBody,
    SpecificationBody,
    common_problems,
    nodes_of,
    offer_problems,
    parse,
    refuse,
)

_PORT: Final[Mapping[str, str]] = {"olt": "olt", "ponPort": "pon_port"}
"""Characteristics of a resource that is asked for at a port of people's choice."""


class ResourceBody(Inbound):
    """The resource of an item; its id is empty where it is still to be found."""

    id: str | None = None
    href: str | None = None
    name: str | None = None
    place: PlaceBody | None = None
    resource_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    resource_specification: SpecificationBody | None = None


class RelatedItemBody(Inbound):
    """An item that another one relates to."""

    item_id: str | None = None
    resource_order_id: str | None = None


class ItemRelationshipBody(RelationshipBody):
    """How an item relates to another."""

    order_item: RelatedItemBody | None = None

    def relation(self, path: str) -> Relation:
        """Return what it says; ``path`` is where it stands."""
        named = self.order_item or RelatedItemBody()
        return Relation(
            kind=self.relationship_type or "",
            target=named.item_id,
            path=f"{path}.orderItem.itemId",
            order=named.resource_order_id or "",
        )


class ResourceOrderItemBody(ItemBody):
    """An item of an incoming resource order."""

    action: Literal["add", "delete", "noChange"]
    order_item: NoNestedItems = Field(default_factory=list)
    order_item_relationship: list[ItemRelationshipBody] = Field(default_factory=list)
    resource: ResourceBody | None = None
    resource_specification: SpecificationBody | None = None

    @property
    def relationships(self) -> tuple[str, Sequence[RelationshipBody]]:
        """What it says of other items, and the attribute where that stands."""
        return "orderItemRelationship", self.order_item_relationship


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
    """A checked order: ``document`` is the body to store; ``sequence`` has the ids in the order of the work."""

    external_id: str | None
    document: Document
    sequence: tuple[str, ...]


def check_order(body: object, catalog: Catalog) -> ResourceOrder:
    """Return the checked order.

    Raises:
        InvalidOrder: with every problem.
    """
    order, document = parse(ResourceOrderBody, body)
    refuse((*common_problems(order.order_item, "orderItem"), *_problems(order.order_item, catalog)))
    nodes = nodes_of(order.order_item, "orderItem")
    refuse(_waits_for_release(nodes))
    return ResourceOrder(external_id=order.external_id, document=document, sequence=in_order(nodes))


def specification_ref(item: Document) -> Ref:
    """Return the resource specification that a checked item names, on itself or on its resource."""
    found = item.get("resourceSpecification") or item["resource"]["resourceSpecification"]
    return Ref(id=str(found["id"]), version=str(found.get("version") or ""))


def asked_port(item: Document) -> dict[str, str]:
    """Return the port that a checked item asks for: ``pon_port``, and ``olt`` where it names that; or nothing."""
    if item["action"] != "add":
        return {}
    said = characteristics(item.get("resource") or {}, "resourceCharacteristic")
    found = {field: str(said[name]) for name, field in _PORT.items() if said.get(name)}
    return found if "pon_port" in found else {}


def port_problems(items: Sequence[Document], check: Callable[[Document, Mapping[str, str]], None]) -> Iterator[Problem]:
    """Yield each port that is asked for and cannot be had, as ``check`` finds."""
    for number, item in enumerate(items):
        asked = asked_port(item)
        if not asked:
            continue
        try:
            check(item, asked)
        except PortUnfit as error:
            path = f"orderItem[{number}].resource.resourceCharacteristic.ponPort"
            yield Problem(path=path, wrong=f"{error.device} {error.port}: {error.reason}", legal=error.legal)


def _problems(items: Sequence[ResourceOrderItemBody], catalog: Catalog) -> Iterator[Problem]:
    for number, item in enumerate(items):
        path = f"orderItem[{number}]"
        if item.action == "add":
            yield from _add_problems(item, catalog, path)
        elif item.action == "delete" and (item.resource is None or not item.resource.id):
            yield Problem(path=f"{path}.resource.id", wrong="is missing", legal="the id of the resource to release")


def _waits_for_release(nodes: Sequence[Node]) -> Iterator[Problem]:
    """Yield each item that takes something when something else is given back: that could not be undone."""
    actions = {node.id: node.action for node in nodes}
    for wait in waits(nodes):
        if (actions[wait.item], actions[wait.other]) == ("add", "delete"):
            wrong = f"{wait.item!r} cannot wait for the release {wait.other!r}: all items of an order are kept, or none"
            yield Problem(path=wait.path, wrong=wrong, legal="an order of its own")


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
