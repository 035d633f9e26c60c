"""Checks TMF622 bodies against the catalog and the products there are; every problem with its path. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from orders.catalog.characteristics import check_values, with_defaults
from orders.catalog.expressions import place_context
from orders.catalog.model import Catalog, Offering, ProductSpecification, Ref, ref_of
from orders.dependencies import after
from orders.errors import MappingError, Problem
from orders.inbound import (
    SpecificationBody,
    common_problems,
    nodes_of,
    offer_problems,
    parse,
    refuse,
    values_of,
)
from orders.items import walked
from orders.product.bodies import ITEMS, ProductBody, ProductOrderBody, ProductOrderItemBody
from orders.product.bundle import bundle_problems, part_names
from orders.product.model import ItemTask
from orders.product.reliance import Reliances, named_reliances
from orders.states import OrderState

AttributesOf = Callable[[str], Mapping[str, Any]]
"""What is known of a place, by its id."""


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
    attributes: AttributesOf
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
    for placed in walked(order.product_order_item, ITEMS):
        item = placed.item
        if item.action in {"modify", "delete"} and item.product is not None and item.product.id is not None:
            found.setdefault(item.product.id, f"{placed.path}.product.id")
    return found


def related_products(order: ProductOrderBody) -> dict[str, str]:
    """Return the further products that the order has to do with: those inside a bundle that stay, those relied on."""
    found: dict[str, str] = {}
    for placed in walked(order.product_order_item, ITEMS):
        item = placed.item
        if item.action == "noChange" and item.product is not None and item.product.id is not None:
            found.setdefault(item.product.id, f"{placed.path}.product.id")
        for key in named_reliances(item):
            found.setdefault(key, f"{placed.path}.product.productRelationship")
    return found


def check_order(
    order: ProductOrderBody,
    document: Document,
    catalog: Catalog,
    products: Mapping[str, ItemTask],
    attributes: AttributesOf = lambda _: {},
    there: Sequence[ItemTask] = (),
) -> ProductOrder:
    """Return the checked order; ``products`` holds those of :func:`named_products` that exist, as they are now.

    ``there`` are items that were taken in before, which others of ``order`` may wait for and rely on. The product id of
    an added item is empty: the layer gives it.

    Raises:
        InvalidOrder: with every problem.
    """
    context = _Context(catalog=catalog, products=products, attributes=attributes, problems=[])
    context.problems.extend(common_problems(order.product_order_item, ITEMS))
    context.problems.extend(_named_twice(order))
    items = [_check_item(context, placed.item, placed.path) for placed in walked(order.product_order_item, ITEMS)]
    context.problems.extend(bundle_problems(order, catalog, products))
    refuse(context.problems)
    found = _in_bundles(order, products, _with_waits(order, [item for item in items if item is not None], there))
    placed = {each.item.id: each for each in walked(order.product_order_item, ITEMS)}
    reliances = Reliances(catalog=catalog, placed=placed, items=found, products=products, there=there)
    refuse(reliances.problems())
    return ProductOrder(external_id=order.external_id, document=document, items=reliances.completed())


def _in_bundles(
    order: ProductOrderBody, products: Mapping[str, ItemTask], items: Sequence[ItemTask]
) -> tuple[ItemTask, ...]:
    """Return the items with the bundles that they are parts of, and the bundles with the products that join them."""
    bundles = {item.item_id: item for item in items if item.is_bundle}
    holder: dict[str, str] = {}
    joins: dict[str, list[str]] = {}
    for placed in walked(order.product_order_item, ITEMS):
        above = placed.above[-1] if placed.above and placed.above[-1] in bundles else ""
        holder[placed.item.id] = above
        key = placed.item.product.id or "" if placed.item.product is not None else ""
        stays = above and placed.item.action in {"noChange", "modify"} and key in products
        if stays and not products[key].bundle:
            joins.setdefault(above, []).append(key)
    return tuple(
        replace(item, bundle_item=holder[item.item_id], adopts=tuple(joins.get(item.item_id, ()))) for item in items
    )


def _with_waits(order: ProductOrderBody, items: Sequence[ItemTask], there: Sequence[ItemTask]) -> tuple[ItemTask, ...]:
    # A bundle is realized by its parts alone: who waits for it waits for them.
    worked = (item.item_id for item in (*items, *there) if not item.is_bundle)
    waited = after(nodes_of(order.product_order_item, ITEMS), worked)
    holders = {placed.item.id for placed in walked(order.product_order_item, ITEMS) if placed.item.inner}
    holders -= {item.item_id for item in items if item.is_bundle}
    return tuple(
        replace(
            item,
            after=waited.get(item.item_id, ()),
            state=OrderState.ACKNOWLEDGED if item.item_id in holders else None,
        )
        for item in items
    )


def _named_twice(order: ProductOrderBody) -> Iterator[Problem]:
    first = named_products(order)
    for placed in walked(order.product_order_item, ITEMS):
        item, path = placed.item, f"{placed.path}.product.id"
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
    if offering is not None and offering.bundles:
        given = _of_bundle(context, offering, given)
    place = next((each for each in product.place if each.id is not None), None)
    if place is None:
        context.report(f"{path}.product.place[0].id", "is missing", "the id of the place to serve")
    if offering is None:
        return None
    task = ItemTask(
        item_id=item.id,
        action="add",
        product_id="",
        offering_id=offering.id,
        offering_version=offering.version,
        specification=ref_of(context.catalog.specification_of(offering)),
        values=_fixed(context, offering, context.catalog.specification_of(offering), given, path),
        place=place.model_dump(by_alias=True, exclude_none=True) if place is not None else {},
        is_bundle=bool(offering.bundles),
    )
    return None if place is None else _where_sold(context, task, offering, path)


def _of_bundle(context: _Context, offering: Offering, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left for the bundle itself of what an order says of it; the rest is its parts'."""
    own = {each.name for each in context.catalog.specification_of(offering).characteristics}
    handed = part_names(context.catalog, offering) - own
    return {name: value for name, value in given.items() if name not in handed}


def _modified(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    current = _current(context, item, path)
    if current is None or item.product is None:
        return None
    before = context.catalog.offerings.named(current.offering_id, current.offering_version)
    wanted = item.product_offering
    if wanted is None or (wanted.id == current.offering_id and wanted.version in (None, current.offering_version)):
        offering = _kept_offering(context, current, path)
    else:
        offering = _offering(context, wanted, path)
    if offering is None:
        return None
    if not _can_become(context, current, before, offering, path):
        return None
    if any(each.id not in (None, current.place.get("id")) for each in item.product.place):
        context.report(f"{path}.product.place", "cannot change", "cease the product and order it at the new place")
    given = _given(context, item.product, path)
    if offering.bundles:
        given = _of_bundle(context, offering, given)
    loosened = before.fixed if before is not None else {}
    task = replace(_under(context.catalog, current, offering), item_id=item.id, action="modify")
    specification = _specification(context, task, offering)
    stays = _names(specification) if task.renewed else current.values.keys()
    kept = {name: value for name, value in current.values.items() if name not in loosened and name in stays}
    task = replace(task, values=_fixed(context, offering, specification, {**kept, **given}, path))
    return _where_sold(context, task, offering, path) if offering != before else _located(context, task)


def _can_become(context: _Context, current: ItemTask, before: Offering | None, offering: Offering, path: str) -> bool:
    """Say whether the product can be moved to ``offering``: of its own specification, or of one it migrates to."""
    old = current.specification or (before.specification if before is not None else offering.specification)
    made_by = context.catalog.product_specifications.named(old.id, old.version)
    legal = {old.id, *(made_by.migrates_to if made_by is not None else ())}
    if offering.specification.id in legal:
        return True
    wrong = f"{offering.id!r} sells another product specification"
    context.report(f"{path}.productOffering.id", wrong, _legal_offerings(context.catalog, legal))
    return False


def _names(specification: ProductSpecification) -> frozenset[str]:
    return frozenset(each.name for each in specification.characteristics)


def _kept_offering(context: _Context, current: ItemTask, path: str) -> Offering | None:
    """Return the offering that a product was sold by, whether it still is sold or not."""
    ref = Ref(id=current.offering_id, version=current.offering_version)
    found = context.catalog.offerings.named(ref.id, ref.version)
    if found is None:
        legal = _legal_offerings(context.catalog, [current.specification.id] if current.specification else [])
        context.report(f"{path}.product.id", f"was sold by {str(ref)!r}, which the catalog no longer has", legal)
    return found


def _under(catalog: Catalog, current: ItemTask, offering: Offering) -> ItemTask:
    """Return the product under ``offering``: in its own version where that is the offering it has."""
    if (offering.id, offering.version) == (current.offering_id, current.offering_version or offering.version):
        return replace(current, offering_version=offering.version)
    specification = ref_of(catalog.specification_of(offering))
    return replace(
        current,
        offering_id=offering.id,
        offering_version=offering.version,
        specification=specification,
        renewed=specification != current.specification,
    )


def _located(context: _Context, task: ItemTask) -> ItemTask:
    return replace(task, place_attributes=dict(context.attributes(task.place.get("id", ""))))


def _where_sold(context: _Context, task: ItemTask, offering: Offering, path: str) -> ItemTask:
    """Return the task with what is known of its place; an offering that is not sold there is reported."""
    located = _located(context, task)
    try:
        reason = not_sold(offering, located)
    except MappingError as error:
        context.report(f"{path}.productOffering.id", f"{offering.id!r} cannot be judged: {error}")
        return located
    if reason is not None:
        wrong = f"{offering.id!r} is not sold at {task.place.get('id')!r}: {reason}"
        context.report(f"{path}.productOffering.id", wrong, ", ".join(_sold_there(context, located)) or "none")
    return located


def not_sold(offering: Offering, task: ItemTask) -> str | None:
    """Return why the offering is not sold at the item's place; None where it is.

    Raises:
        MappingError: what is known of the place does not say.
    """
    place = place_context(task.place, task.place_attributes)
    values = {"product": task.values, "place": place}
    broken = next((rule for rule in offering.eligibility if not rule.when.evaluate(values)), None)
    return None if broken is None else broken.reason or f"{broken.when.source} does not hold"


def _sold_there(context: _Context, task: ItemTask) -> Iterator[str]:
    for each in sorted(context.catalog.offerings.values(), key=lambda offering: offering.id):
        try:
            if not_sold(each, replace(task, values={**task.values, **each.fixed})) is None:
                yield each.id
        except MappingError:
            # What this place says nothing about cannot be promised here.
            continue


def _current(context: _Context, item: ProductOrderItemBody, path: str) -> ItemTask | None:
    key = item.product.id if item.product is not None else None
    current = context.products.get(key or "")
    if current is None:
        wrong = "is missing" if key is None else f"{key!r} does not exist"
        context.report(f"{path}.product.id", wrong, "the id of a product in the product inventory")
    return current


def _offering(context: _Context, wanted: SpecificationBody | None, path: str) -> Offering | None:
    known = context.catalog.offerings
    if wanted is None:
        context.report(f"{path}.productOffering", "is missing", ", ".join(sorted(known)))
        return None
    problems = tuple(offer_problems(known, wanted, f"{path}.productOffering"))
    context.problems.extend(problems)
    return None if problems else known.named(wanted.id, wanted.version or "")


def _given(context: _Context, product: ProductBody, path: str) -> dict[str, Any]:
    values, problems = values_of(product.product_characteristic, f"{path}.product.productCharacteristic")
    context.problems.extend(problems)
    return values


def _specification(context: _Context, task: ItemTask, offering: Offering) -> ProductSpecification:
    """Return the specification that the product was made by; where the catalog lost it, the one that is sold now."""
    pinned = task.specification
    found = context.catalog.product_specifications.named(pinned.id, pinned.version) if pinned else None
    return found or context.catalog.specification_of(offering)


def _fixed(
    context: _Context, offering: Offering, specification: ProductSpecification, given: Mapping[str, Any], path: str
) -> dict[str, Any]:
    """Return the product's full set of values under ``offering``; what contradicts it or is illegal is reported."""
    path = f"{path}.product.productCharacteristic"
    for name in offering.fixed.keys() & given.keys():
        if given[name] != offering.fixed[name]:
            wrong = f"{given[name]!r} contradicts product offering {offering.id!r}"
            context.report(f"{path}.{name}", wrong, str(offering.fixed[name]))
    specifications = specification.characteristics
    values = with_defaults(specifications, {**given, **offering.fixed})
    context.problems.extend(check_values(specifications, values, path))
    return values


def _legal_offerings(catalog: Catalog, specification_ids: Collection[str]) -> str:
    """Return the offerings that sell one of the specifications."""
    return ", ".join(
        sorted(each.id for each in catalog.offerings.values() if each.specification.id in specification_ids)
    )
