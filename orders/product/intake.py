"""Checks TMF622 bodies against the catalog and the products there are; every problem with its path. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from inventory.documents import Document
from orders.catalog.model import Catalog, Offering, check_values, with_defaults
from orders.errors import Problem
from orders.inbound import (
    Action,
    CharacteristicBody,
    Inbound,
    ItemBody,
    NoNestedItems,
    OrderBody,
    PartyBody,
    PlaceBody,
    ReferenceBody,
    RelationshipBody,
    Text,
    common_problems,
    parse,
    refuse,
    values_of,
)
from orders.product.model import ItemTask


class ProductBody(Inbound):
    """The product of an item."""

    id: Text | None = None
    href: str | None = None
    name: str | None = None
    description: str | None = None
    is_bundle: bool | None = None
    is_customer_visible: bool | None = None
    place: list[PlaceBody] = Field(default_factory=list)
    product_characteristic: list[CharacteristicBody] = Field(default_factory=list)
    product_specification: ReferenceBody | None = None
    product_price: list[Inbound] = Field(default_factory=list)
    product_term: list[Inbound] = Field(default_factory=list)
    product_relationship: list[Inbound] = Field(default_factory=list)
    related_party: list[PartyBody] = Field(default_factory=list)


class ProductOrderItemBody(ItemBody):
    """An item of an incoming product order."""

    action: Action
    appointment: ReferenceBody | None = None
    billing_account: ReferenceBody | None = None
    item_price: list[Inbound] = Field(default_factory=list)
    item_term: list[Inbound] = Field(default_factory=list)
    item_total_price: list[Inbound] = Field(default_factory=list)
    payment: list[ReferenceBody] = Field(default_factory=list)
    product: ProductBody | None = None
    product_offering: ReferenceBody | None = None
    product_order_item: NoNestedItems = Field(default_factory=list)
    product_order_item_relationship: list[RelationshipBody] = Field(default_factory=list)
    quote_item: ReferenceBody | None = None


class ChannelBody(ReferenceBody):
    """A sales channel."""

    role: str | None = None


class ProductOrderBody(OrderBody):
    """A TMF622 ProductOrder_Create body."""

    cancellation_reason: str | None = None
    notification_contact: str | None = None
    priority: str | None = None
    billing_account: ReferenceBody | None = None
    channel: list[ChannelBody] = Field(default_factory=list)
    agreement: list[ReferenceBody] = Field(default_factory=list)
    order_total_price: list[Inbound] = Field(default_factory=list)
    payment: list[ReferenceBody] = Field(default_factory=list)
    product_offering_qualification: list[ReferenceBody] = Field(default_factory=list)
    quote: list[ReferenceBody] = Field(default_factory=list)
    product_order_item: list[ProductOrderItemBody] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrder:
    """A checked order: ``document`` is the body to store; noChange items are not among ``items``."""

    external_id: str | None
    document: Document
    items: tuple[ItemTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    catalog: Catalog
    products: Mapping[str, ItemTask]
    problems: list[Problem]

    def report(self, path: str, wrong: str, legal: str = "") -> None:
        self.problems.append(Problem(path=path, wrong=wrong, legal=legal))


def read_order(body: object) -> tuple[ProductOrderBody, Document]:
    """Return the body with every type checked, and the document to store.

    Raises:
        InvalidOrder: with every ill-typed attribute.
    """
    return parse(ProductOrderBody, body)


def named_products(order: ProductOrderBody) -> dict[str, str]:
    """Return the existing products that the order is about: product id to the path that names it first."""
    found: dict[str, str] = {}
    for number, item in enumerate(order.product_order_item):
        if item.action in {"modify", "delete"} and item.product is not None and item.product.id is not None:
            found.setdefault(item.product.id, f"productOrderItem[{number}].product.id")
    return found


def check_order(
    order: ProductOrderBody, document: Document, catalog: Catalog, products: Mapping[str, ItemTask]
) -> ProductOrder:
    """Return the checked order; ``products`` holds those of :func:`named_products` that exist, as they are now.

    The product id of an added item is empty: the layer gives it.

    Raises:
        InvalidOrder: with every problem.
    """
    context = _Context(catalog=catalog, products=products, problems=[])
    context.problems.extend(common_problems(order.product_order_item, "productOrderItem"))
    context.problems.extend(_named_twice(order))
    items = [
        _check_item(context, item, f"productOrderItem[{number}]")
        for number, item in enumerate(order.product_order_item)
    ]
    refuse(context.problems)
    found = tuple(item for item in items if item is not None)
    return ProductOrder(external_id=order.external_id, document=document, items=found)


def _named_twice(order: ProductOrderBody) -> Iterator[Problem]:
    first = named_products(order)
    for number, item in enumerate(order.product_order_item):
        path = f"productOrderItem[{number}].product.id"
        named = item.product.id if item.product is not None and item.action in {"modify", "delete"} else None
        if named is not None and first[named] != path:
            yield Problem(path=path, wrong=f"{named!r} is in another item too", legal="one item per product")


def _check_item(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    match item.action:
        case "add":
            return _added(context, item, path)
        case "modify":
            return _modified(context, item, path)
        case "delete":
            current = _current(context, item, path)
            return None if current is None else replace(current, item_id=item.id, action="delete")
        case _:
            return None


def _added(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    product = item.product if item.product is not None else ProductBody()
    offering = _offering(context, item.product_offering, path)
    given = _given(context, product, path)
    place = next((each for each in product.place if each.id is not None), None)
    if place is None:
        context.report(f"{path}.product.place[0].id", "is missing", "the id of the place to serve")
    if offering is None:
        return None
    values = _fixed(context, offering, given, path)
    return ItemTask(
        item_id=item.id,
        action="add",
        product_id="",
        offering_id=offering.id,
        values=values,
        place=place.model_dump(by_alias=True, exclude_none=True) if place is not None else {},
    )


def _modified(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    current = _current(context, item, path)
    if current is None or item.product is None:
        return None
    before = context.catalog.offerings.get(current.offering_id)
    wanted = item.product_offering or ReferenceBody(id=current.offering_id)
    offering = _offering(context, wanted, path)
    if offering is None:
        return None
    if before is not None and offering.specification_id != before.specification_id:
        legal = _legal_offerings(context.catalog, before.specification_id)
        context.report(f"{path}.productOffering.id", f"{offering.id!r} sells another product specification", legal)
        return None
    if any(each.id not in (None, current.place.get("id")) for each in item.product.place):
        context.report(f"{path}.product.place", "cannot change", "cease the product and order it at the new place")
    given = _given(context, item.product, path)
    loosened = before.fixed if before is not None else {}
    kept = {name: value for name, value in current.values.items() if name not in loosened}
    values = _fixed(context, offering, {**kept, **given}, path)
    return replace(current, item_id=item.id, action="modify", offering_id=offering.id, values=values)


def _current(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    key = item.product.id if item.product is not None else None
    current = context.products.get(key or "")
    if current is None:
        wrong = "is missing" if key is None else f"{key!r} does not exist"
        context.report(f"{path}.product.id", wrong, "the id of a product in the product inventory")
    return current


def _offering(context: _Context, wanted: ReferenceBody | None, path: str) -> Offering | None:
    known = context.catalog.offerings
    if wanted is None:
        context.report(f"{path}.productOffering", "is missing", ", ".join(sorted(known)))
        return None
    if wanted.id not in known:
        context.report(f"{path}.productOffering.id", f"{wanted.id!r} does not exist", ", ".join(sorted(known)))
    return known.get(wanted.id)


def _given(context: _Context, product: ProductBody, path: str) -> dict[str, Any]:
    values, problems = values_of(product.product_characteristic, f"{path}.product.productCharacteristic")
    context.problems.extend(problems)
    return values


def _fixed(context: _Context, offering: Offering, given: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the product's full set of values under ``offering``; what contradicts it or is illegal is reported."""
    path = f"{path}.product.productCharacteristic"
    for name in offering.fixed.keys() & given.keys():
        if given[name] != offering.fixed[name]:
            wrong = f"{given[name]!r} contradicts product offering {offering.id!r}"
            context.report(f"{path}.{name}", wrong, str(offering.fixed[name]))
    specifications = context.catalog.specification_of(offering).characteristics
    values = with_defaults(specifications, {**given, **offering.fixed})
    context.problems.extend(check_values(specifications, values, path))
    return values


def _legal_offerings(catalog: Catalog, specification_id: str) -> str:
    return ", ".join(_sold_as(catalog.offerings.values(), specification_id))


def _sold_as(offerings: Iterable[Offering], specification_id: str) -> list[str]:
    return sorted(each.id for each in offerings if each.specification_id == specification_id)
