"""Checks TMF641 bodies against the catalog and the services there are; every problem with its path. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from inventory.documents import Document
from orders.catalog.characteristics import check_values, with_defaults
from orders.catalog.model import Catalog, CustomerService, Ref
from orders.dependencies import STANDING, after, waits
from orders.documents import with_items
from orders.errors import Problem
from orders.inbound import (
    common_problems,
    nodes_of,
    offer_problems,
    parse,
    refuse,
    values_of,
)
from orders.items import Placed, walked
from orders.service.bodies import ITEMS, ServiceBody, ServiceOrderBody, ServiceOrderItemBody
from orders.service.model import Composition

AttributesOf = Callable[[str], Mapping[str, Any]]
"""What is known of a place, by its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceItem:
    """A checked item.

    Attributes:
        composition: the service as it shall be, without what is only known later.
        after: the items that it waits for.
        relied: the items that bring what it relies on, by the id of what that is to be.
    """

    item_id: str
    action: str
    service_id: str | None
    composition: Composition
    after: tuple[str, ...] = ()
    relied: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrder:
    """A checked order: ``document`` is the body to store; noChange items are not among ``items``."""

    external_id: str | None
    document: Document
    items: tuple[ServiceItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    catalog: Catalog
    services: Mapping[str, Composition]
    attributes: AttributesOf
    problems: list[Problem]

    def report(self, path: str, wrong: str, legal: str = "") -> None:
        self.problems.append(Problem(path=path, wrong=wrong, legal=legal))


def read_order(body: object) -> tuple[ServiceOrderBody, Document]:
    """Return the body with every type checked, and the document to store.

    Raises:
        InvalidOrder: with every ill-typed attribute.
    """
    order, document = parse(ServiceOrderBody, body)
    return order, with_items(document, "serviceOrderItem", _with_complete_references)


def named_services(order: ServiceOrderBody) -> dict[str, str]:
    """Return the existing services that the order is about: service id to the path that names it first."""
    found: dict[str, str] = {}
    for placed in walked(order.service_order_item, ITEMS):
        item = placed.item
        if item.action in {"modify", "delete"} and item.service.id is not None:
            found.setdefault(item.service.id, f"{placed.path}.service.id")
    return found


def relied_services(order: ServiceOrderBody) -> dict[str, str]:
    """Return the existing services that new ones are to rely on: service id to the path that names it first."""
    found: dict[str, str] = {}
    for placed in walked(order.service_order_item, ITEMS):
        for path, key in _named_relied(placed) if placed.item.action == "add" else ():
            found.setdefault(key, path)
    return found


def _named_relied(placed: Placed[ServiceOrderItemBody]) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(placed.item.service.service_relationship):
        if each.relationship_type.casefold() in STANDING and each.service is not None and each.service.id is not None:
            yield f"{placed.path}.service.serviceRelationship[{number}].service.id", each.service.id


def check_order(
    order: ServiceOrderBody,
    document: Document,
    catalog: Catalog,
    services: Mapping[str, Composition],
    attributes: AttributesOf = lambda _: {},
    there: Sequence[ServiceItem] = (),
) -> ServiceOrder:
    """Return the checked order; ``services`` holds those of :func:`named_services` that exist.

    ``there`` are items that were taken in before, which others of ``order`` may wait for and rely on.

    Raises:
        InvalidOrder: with every problem.
    """
    context = _Context(catalog=catalog, services=services, attributes=attributes, problems=[])
    context.problems.extend(common_problems(order.service_order_item, ITEMS))
    context.problems.extend(_named_twice(order))
    checked = [_check_item(context, placed.item, placed.path) for placed in walked(order.service_order_item, ITEMS)]
    refuse(context.problems)
    items = _reliant(context, order, [item for item in checked if item is not None], there)
    refuse(context.problems)
    return ServiceOrder(external_id=order.external_id, document=document, items=items)


def _reliant(
    context: _Context, order: ServiceOrderBody, items: Sequence[ServiceItem], there: Sequence[ServiceItem]
) -> tuple[ServiceItem, ...]:
    """Return the items with what they wait for and rely on; what is needed and not named is reported."""
    nodes = nodes_of(order.service_order_item, ITEMS)
    waited = after(nodes, (item.item_id for item in (*items, *there)))
    named = {wait: dict[str, None]() for wait in (node.id for node in nodes)}
    for wait in waits(nodes):
        named[wait.item][wait.other] = None
    made = {item.item_id: item for item in (*items, *there) if item.action != "delete"}
    placed = {each.item.id: each for each in walked(order.service_order_item, ITEMS)}
    completed = []
    for item in items:
        others = [made[key] for key in named[item.item_id] if key in made]
        item = replace(item, after=waited.get(item.item_id, ()))  # noqa: PLW2901 - the item, completed
        completed.append(_relied(context, placed[item.item_id], item, others) if item.action == "add" else item)
    found = _ceased_in_turn(completed)
    try:
        TopologicalSorter({item.item_id: item.after for item in found}).prepare()
    except CycleError as error:
        way = " → ".join(reversed(error.args[1]))
        context.report(
            ITEMS, f"the items wait for each other: {way}", "of two that are ceased, the one that relies first"
        )
    return found


def _relied(
    context: _Context, placed: Placed[ServiceOrderItemBody], item: ServiceItem, others: Sequence[ServiceItem]
) -> ServiceItem:
    specification = context.catalog.customer_service(item.composition.specification)
    here: dict[str, str] = {}
    there: dict[str, str] = {}
    for key in specification.relies_on:
        inside = [each.item_id for each in others if each.composition.specification_id == key]
        outside = [
            name
            for _, name in _named_relied(placed)
            if name in context.services and context.services[name].specification_id == key
        ]
        if len(inside) + len(outside) != 1:
            wrong = f"{specification.id!r} relies on one {key!r}, and {len(inside) + len(outside)} are named"
            legal = "reliesOn with the id of a service, or a dependency on the item that adds it"
            context.report(f"{placed.path}.service.serviceRelationship", wrong, legal)
        if inside:
            here[key] = inside[0]
        elif outside:
            there[key] = outside[0]
    return replace(item, relied=here, composition=replace(item.composition, relied=there))


def _ceased_in_turn(items: Sequence[ServiceItem]) -> tuple[ServiceItem, ...]:
    """Return the items so that of two services that are ceased the one that relies on the other goes first."""
    ceased = {item.service_id: item for item in items if item.action == "delete"}
    first: dict[str, tuple[str, ...]] = {}
    for item in ceased.values():
        for other in (ceased[key] for key in item.composition.relied.values() if key in ceased):
            if other.item_id not in item.after:
                first[other.item_id] = (*first.get(other.item_id, ()), item.item_id)
    return tuple(
        replace(item, after=tuple(dict.fromkeys((*item.after, *first.get(item.item_id, ()))))) for item in items
    )


def _named_twice(order: ServiceOrderBody) -> Iterator[Problem]:
    first = named_services(order)
    for placed in walked(order.service_order_item, ITEMS):
        item, path = placed.item, f"{placed.path}.service.id"
        if item.action in {"modify", "delete"} and item.service.id in first and first[item.service.id] != path:
            yield Problem(path=path, wrong=f"{item.service.id!r} is in another item too", legal="one item per service")


def _check_item(context: _Context, item: ServiceOrderItemBody, path: str) -> ServiceItem | None:
    if item.action == "noChange":
        return None
    given, problems = values_of(item.service.service_characteristic, f"{path}.service.serviceCharacteristic")
    context.problems.extend(problems)
    if item.action == "add":
        composition = _added(context, item.service, given, f"{path}.service")
        service_id = None
    else:
        composition = _changed(context, item, given, f"{path}.service")
        service_id = item.service.id
    if composition is None:
        return None
    return ServiceItem(item_id=item.id, action=item.action, service_id=service_id, composition=composition)


def _added(context: _Context, service: ServiceBody, given: Mapping[str, Any], path: str) -> Composition | None:
    place = next((each for each in service.place if each.id is not None), None)
    if place is None:
        context.report(f"{path}.place[0].id", "is missing", "the id of the place to serve")
    specification = _specification(context, service, path)
    if specification is None or place is None:
        return None
    values = with_defaults(specification.characteristics, given)
    expected = specification.to_be_given(values)
    context.problems.extend(check_values(expected, values, f"{path}.serviceCharacteristic"))
    kept = {"id": place.id, "name": place.name, "role": place.role}
    return Composition(
        specification_id=specification.id,
        version=specification.version,
        place=kept,
        place_attributes=dict(context.attributes(place.id or "")),
        values=values,
    )


def _specification(context: _Context, service: ServiceBody, path: str) -> CustomerService | None:
    """Return what is ordered anew: the version that is named, where it is offered, or the one that is."""
    known = context.catalog.customer_services
    wanted = service.service_specification
    if wanted is None:
        context.report(f"{path}.serviceSpecification", "is missing", ", ".join(sorted(known)))
        return None
    path = f"{path}.serviceSpecification"
    if wanted.id in context.catalog.resource_services:
        wrong = f"{wanted.id!r} is resource-facing and cannot be ordered by itself"
        context.report(f"{path}.id", wrong, ", ".join(sorted(known)))
        return None
    context.problems.extend(offer_problems(known, wanted, path))
    return known.named(wanted.id, wanted.version or "")


def _changed(context: _Context, item: ServiceOrderItemBody, given: Mapping[str, Any], path: str) -> Composition | None:
    current = context.services.get(item.service.id or "")
    if current is None:
        wrong = "is missing" if item.service.id is None else f"{item.service.id!r} does not exist"
        context.report(f"{path}.id", wrong, "the id of a customer-facing service in the service inventory")
        return None
    if item.action == "delete":
        return current
    specification = _wanted_specification(context, item.service, current, path)
    if specification is None:
        return None
    kept = (specification.id, specification.version) == (current.specification_id, current.version)
    known = {each.name for each in specification.characteristics}
    same = {name: value for name, value in current.values.items() if kept or name in known}
    values = {**same, **given} if kept else with_defaults(specification.characteristics, {**same, **given})
    context.problems.extend(check_values(specification.characteristics, values, f"{path}.serviceCharacteristic"))
    return replace(
        current,
        # Another specification, or another version of it, decides anew in which versions its parts are made.
        parts=current.parts if kept else tuple(replace(part, version="") for part in current.parts),
        nested=current.nested if kept else {},
        specification_id=specification.id,
        version=specification.version,
        place_attributes=dict(context.attributes(current.place.get("id") or "")),
        values=values,
    )


def _wanted_specification(
    context: _Context, service: ServiceBody, current: Composition, path: str
) -> CustomerService | None:
    """Return the specification that a changed service has then: the one it was made by, unless another is named."""
    known, wanted = context.catalog.customer_services, service.service_specification
    path_of_ref = f"{path}.serviceSpecification"
    if wanted is not None and wanted.id != current.specification_id:
        problems = tuple(offer_problems(known, wanted, path_of_ref))
        context.problems.extend(problems)
        target = None if problems else known.named(wanted.id, wanted.version or "")
        old = known.named(current.specification_id, current.version)
        if target is not None and (old is None or target.id not in old.migrates_to):
            legal = ", ".join(old.migrates_to) if old is not None else ""
            wrong = f"a service of {current.specification_id!r} cannot become one of {wanted.id!r}"
            context.report(f"{path_of_ref}.id", wrong, legal or current.specification_id)
            return None
        return target
    named = wanted.version if wanted is not None else None
    ref = Ref(id=current.specification_id, version=named or current.version)
    found = known.named(ref.id, ref.version)
    if found is None:
        legal = ", ".join(each.version for each in known.versions.get(ref.id, ()))
        where = f"{path_of_ref}.version" if named else f"{path}.id"
        context.report(where, f"is of {str(ref)!r}, which the catalog no longer has", legal)
    return found


def _with_complete_references(item: Document) -> Document:
    """Return ``item``, the items it relates to with the ``id`` that TMF641 demands of them and does not declare."""
    related = [_completed(each) for each in item.get("serviceOrderItemRelationship", ())]
    return {**item, "serviceOrderItemRelationship": related} if related else item


def _completed(relationship: Document) -> Document:
    named = relationship.get("orderItem")
    if named is None:
        return relationship
    return {**relationship, "orderItem": {"id": named.get("itemId", ""), **named}}
