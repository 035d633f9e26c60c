"""What an offering decomposes into, as a tree of parts with their conditions and values. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orders.catalog.characteristics import CharacteristicSpecification, with_defaults
from orders.catalog.expressions import Expression, place_context
from orders.catalog.model import BundlePart, Catalog, Entry, Offering, Ref, ResourceService, ResourceSpecification, Use
from orders.errors import MappingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """Where a resource-facing service ends: its intent's device, and which platforms have a template for it."""

    role: str
    templates: tuple[str, ...] = ()
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One part of the tree.

    Attributes:
        holds: whether its condition holds; None: not known with the values given, or there is none.
        values: characteristic → its value, or how it is computed where a value is not known yet.
    """

    kind: str
    id: str
    version: str = ""
    name: str = ""
    when: str = ""
    holds: bool | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    children: "tuple[Node, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: an offering, with as much as is known of the order."""

    offering: Offering
    given: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] | None = None
    landings: Mapping[str, Landing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A value that is not known yet: the expression that gives it."""

    source: str

    def __str__(self) -> str:
        return f"= {self.source}"


def explain(catalog: Catalog, question: Question) -> Node:
    """Return the tree of what the offering would decompose into."""
    return _Teller(catalog=catalog, question=question).offering(question.offering)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Teller:
    catalog: Catalog
    question: Question

    def offering(self, offering: Offering, part: BundlePart | None = None) -> Node:
        specification = self.catalog.specification_of(offering)
        values = self._full(specification.characteristics, {**self.question.given, **offering.fixed})
        rules = [rule.when for rule in offering.eligibility]
        context = self._context("product", values)
        use = specification.realized_by
        services = (self._service(use, context),) if use is not None else ()
        product = _node("product", specification, values=values, children=services)
        parts = (self.offering(self.catalog.offering(Ref(id=each.offering)), each) for each in offering.bundles)
        told = {"inTheBundle": _how_many(part), **offering.fixed} if part is not None else offering.fixed
        return _node("offering", offering, rules, context, values=told, children=(product, *parts))

    def _service(self, use: Use, context: Mapping[str, Any]) -> Node:
        rules = [use.when] if use.when is not None else []
        given = _mapped(use, context)
        customer = self.catalog.customer_services.named(use.specification.id, use.specification.version)
        if customer is None:
            return self._resource_facing(use, rules, given, context)
        values = self._full(customer.characteristics, given)
        inner = self._context("service", values)
        relied = (_node("relies on", self.catalog.customer_service(Ref(id=key))) for key in customer.relies_on)
        children = (*relied, *(self._service(each, inner) for each in customer.supported_by))
        return _node("CFS", customer, rules, context, values=values, children=children)

    def _resource_facing(
        self, use: Use, rules: list[Expression], values: dict[str, Any], context: Mapping[str, Any]
    ) -> Node:
        service = self.catalog.resource_service(use.specification)
        values = self._full(service.characteristics, values)
        children = (*self._resources(service, context), *self._landing(service))
        return _node("RFS", service, rules, context, values=values, children=children)

    def _resources(self, service: ResourceService, context: Mapping[str, Any]) -> Iterator[Node]:
        for requirement in service.requires:
            resource = self.catalog.resource(requirement.specification)
            rules = [requirement.when] if requirement.when is not None else []
            yield _node("resource", resource, rules, context, values={"from": _source(resource)})

    def _landing(self, service: ResourceService) -> Iterator[Node]:
        landing = self.question.landings.get(service.id)
        if landing is None:
            return
        templates = tuple(Node(kind="template", id=each) for each in landing.templates)
        device = Node(kind="device", id=landing.device or f"any {landing.role}")
        yield Node(kind="intent", id=service.id, children=(*templates, device))

    def _full(self, specifications: Iterable[CharacteristicSpecification], values: Mapping[str, Any]) -> dict[str, Any]:
        specifications = tuple(specifications)
        known = with_defaults(specifications, values)
        return {each.name: known.get(each.name, _asked(each)) for each in specifications if _is_told(each, known)}

    def _context(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        known = {key: value for key, value in values.items() if not isinstance(value, Computed)}
        place = self.question.place
        return {name: known} if place is None else {name: known, "place": place_context(place, place)}


def _how_many(part: BundlePart) -> str:
    return f"{part.lower} to {part.upper}, {part.default} unless the order says"


def _is_told(specification: CharacteristicSpecification, known: Mapping[str, Any]) -> bool:
    return specification.required or specification.name in known


def _asked(specification: CharacteristicSpecification) -> Computed:
    return Computed(source=f"the order's {specification.name}: {specification.legal()}")


def _mapped(use: Use, context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(expression, context) for name, expression in use.characteristics.items()}


def _value(expression: Expression, context: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON values of any type
    try:
        return expression.evaluate(context)
    except MappingError:
        return Computed(source=expression.source)


def _node(
    kind: str,
    entry: Entry,
    rules: Iterable[Expression] = (),
    context: Mapping[str, Any] | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    children: tuple[Node, ...] = (),
) -> Node:
    rules = tuple(rules)
    judged = [_value(rule, context or {}) for rule in rules]
    known = rules and not any(isinstance(each, Computed) for each in judged)
    return Node(
        kind=kind,
        id=entry.id,
        version=entry.version,
        name=entry.name,
        when=" and ".join(rule.source for rule in rules),
        holds=all(judged) if known else None,
        values=values or {},
        children=children,
    )


def _source(resource: ResourceSpecification) -> str:
    return (
        "the PON that passes the place"
        if resource.allocation == "pon"
        else f"{resource.allocation} pool {resource.pool}"
    )
