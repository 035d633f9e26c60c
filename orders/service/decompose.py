"""Decomposition by the catalog: what a customer-facing service is made of, and the values of its parts. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from orders.catalog.characteristics import check_values, with_defaults
from orders.catalog.expressions import place_context
from orders.catalog.model import Catalog, CustomerService, Ref, ResourceService, Use, ref_of_text
from orders.catalog.references import resource_name
from orders.errors import MappingError
from orders.service.model import Composition, Reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A resource-facing service that is needed, in which version, and the resources it reserves (``id[@version]``)."""

    specification_id: str
    version: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    use: Use
    specification: ResourceService
    service: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads the catalog for one service: parts that are there keep the version they were made by.

    Attributes:
        nested: the same of customer-facing services; those that are met are noted.
    """

    catalog: Catalog
    place: Mapping[str, Any]
    made_by: Mapping[str, str]
    nested: dict[str, str]

    def leaves(self, customer: CustomerService, values: Mapping[str, Any]) -> Iterator[_Leaf]:
        for use in customer.supported_by:
            context = {"service": values, "place": self.place}
            if use.when is not None and not use.when.evaluate(context):
                continue
            ref = use.specification
            nested = self.catalog.customer_services.named(ref.id, ref.version or self.nested.get(ref.id, ""))
            if nested is None:
                yield _Leaf(use=use, specification=self._specification(use.specification), service=values)
            else:
                self.nested.setdefault(nested.id, nested.version)
                yield from self.leaves(nested, with_defaults(nested.characteristics, _evaluate(use, context)))

    def required(self, leaf: _Leaf) -> Iterator[Ref]:
        for requirement in leaf.specification.requires:
            when = requirement.when
            if when is None or when.evaluate({"service": leaf.service, "place": self.place}):
                yield requirement.specification

    def _specification(self, ref: Ref) -> ResourceService:
        version = ref.version or self.made_by.get(ref.id, "")
        return self.catalog.resource_service(Ref(id=ref.id, version=version))


def needs(catalog: Catalog, composition: Composition) -> tuple[Need, ...]:
    """Return what the service is made of, in the catalog's order.

    Raises:
        MappingError: a catalog expression gave no value, or the conditions that hold reserve one resource twice.
        UnknownSpecification: the catalog no longer has a version that the service was made by.
    """
    reader, leaves = _leaves(catalog, composition)
    found = tuple(
        Need(
            specification_id=leaf.specification.id,
            version=leaf.specification.version,
            requires=tuple(str(each) for each in reader.required(leaf)),
        )
        for leaf in leaves
    )
    asked = Counter(ref_of_text(name).id for need in found for name in need.requires)
    twice = [name for name, times in asked.items() if times > 1]
    if twice:
        reason = f"the conditions that hold here reserve {', '.join(twice)} more than once"
        raise MappingError(composition.specification_id, "supportedBy", reason)
    return found


def pinned(catalog: Catalog, composition: Composition) -> Composition:
    """Return the service with the versions of the customer-facing services that it is made of by now.

    Raises:
        MappingError: a catalog expression gave no value.
    """
    reader, _ = _leaves(catalog, composition)
    return replace(composition, nested=reader.nested)


def part_values(
    catalog: Catalog, composition: Composition, relied: Mapping[str, Composition] = MappingProxyType({})
) -> dict[str, dict[str, Any]]:
    """Return the characteristics of each part, by service id, computed from the service and what was reserved.

    ``relied`` are the services that it relies on, by their ids.

    Raises:
        MappingError: an expression gave no value or one that the specification does not allow, or the catalog
            composes the service in another way than when it was ordered.
        UnknownSpecification: the catalog no longer has a version that the service was made by.
    """
    reader, leaves = _leaves(catalog, composition)
    expected = [leaf.specification.id for leaf in leaves]
    if expected != [part.specification_id for part in composition.parts]:
        raise MappingError(composition.specification_id, "supportedBy", f"the catalog now says {', '.join(expected)}")
    read = {"resource": _resource_context(composition.resources), "relied": _relied_context(composition, relied)}
    return {
        part.service_id: _values(leaf, reader.place, read) for part, leaf in zip(composition.parts, leaves, strict=True)
    }


def _leaves(catalog: Catalog, composition: Composition) -> tuple[_Reader, tuple[_Leaf, ...]]:
    reader = _Reader(
        catalog=catalog,
        place=place_context(composition.place, composition.place_attributes),
        made_by={part.specification_id: part.version for part in composition.parts},
        nested=dict(composition.nested),
    )
    customer = catalog.customer_service(composition.specification)
    return reader, tuple(reader.leaves(customer, composition.values))


def _relied_context(composition: Composition, relied: Mapping[str, Composition]) -> dict[str, dict[str, Any]]:
    found = {}
    for specification_id, service_id in composition.relied.items():
        other = relied.get(service_id)
        if other is None:
            reason = f"service {service_id}, on which it relies, is not there"
            raise MappingError(composition.specification_id, specification_id, reason)
        found[resource_name(specification_id)] = {"service": other.values, **_resource_context(other.resources)}
    return found


def _values(leaf: _Leaf, place: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    context = {"service": leaf.service, "place": place, **read}
    specifications = leaf.specification.characteristics
    values = with_defaults(specifications, _evaluate(leaf.use, context))
    problem = next(iter(check_values(specifications, values, leaf.specification.id)), None)
    if problem is not None:
        expression = leaf.use.characteristics.get(problem.path.rpartition(".")[2])
        source = expression.source if expression is not None else ""
        raise MappingError(problem.path, source, f"{problem.wrong} (legal: {problem.legal})")
    return values


def _evaluate(use: Use, context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: expression.evaluate(context) for name, expression in use.characteristics.items()}


def _resource_context(resources: Iterable[Reserved]) -> dict[str, dict[str, Any]]:
    return {resource_name(each.specification_id): each.characteristics for each in resources}
