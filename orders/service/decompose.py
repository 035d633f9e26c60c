"""Decomposition by the catalog: what a customer-facing service is made of, and the values of its parts. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orders.catalog.model import Catalog, ResourceService, Use, check_values, with_defaults
from orders.catalog.references import resource_name
from orders.errors import MappingError
from orders.service.model import Composition, Part, Reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A resource-facing service that is needed, and the resource specifications it reserves."""

    specification_id: str
    requires: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    use: Use
    specification: ResourceService
    service: Mapping[str, Any]


def needs(catalog: Catalog, composition: Composition) -> tuple[Need, ...]:
    """Return what the service is made of, in the catalog's order.

    Raises:
        MappingError: a catalog expression gave no value.
    """
    return tuple(
        Need(specification_id=leaf.specification.id, requires=tuple(_required(leaf, composition.place)))
        for leaf in _leaves(catalog, composition.specification_id, composition.values, composition.place)
    )


def part_values(catalog: Catalog, composition: Composition) -> dict[str, dict[str, Any]]:
    """Return the characteristics of each part, by service id, computed from the service and what was reserved.

    Raises:
        MappingError: an expression gave no value or one that the specification does not allow, or the catalog
            composes the service in another way than when it was ordered.
    """
    leaves = tuple(_leaves(catalog, composition.specification_id, composition.values, composition.place))
    expected = [leaf.specification.id for leaf in leaves]
    if expected != [part.specification_id for part in composition.parts]:
        raise MappingError(composition.specification_id, "supportedBy", f"the catalog now says {', '.join(expected)}")
    resources = _resource_context(composition.resources)
    return {
        part.service_id: _values(leaf, composition.place, resources)
        for part, leaf in zip(composition.parts, leaves, strict=True)
    }


def _leaves(catalog: Catalog, service_id: str, values: Mapping[str, Any], place: Mapping[str, Any]) -> Iterator[_Leaf]:
    for use in catalog.customer_services[service_id].supported_by:
        nested = catalog.customer_services.get(use.specification_id)
        if nested is None:
            yield _Leaf(use=use, specification=catalog.resource_services[use.specification_id], service=values)
        else:
            inner = _evaluate(use, {"service": values, "place": place})
            yield from _leaves(catalog, nested.id, with_defaults(nested.characteristics, inner), place)


def _required(leaf: _Leaf, place: Mapping[str, Any]) -> Iterator[str]:
    for requirement in leaf.specification.requires:
        when = requirement.when
        if when is None or when.evaluate({"service": leaf.service, "place": place}):
            yield requirement.specification_id


def _values(leaf: _Leaf, place: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    context = {"service": leaf.service, "place": place, "resource": resources}
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


def same_needs(parts: Iterable[Part], wanted: Iterable[Need]) -> bool:
    """Say whether ``wanted`` can be met with the parts and resources that are there."""
    return [(each.specification_id, each.requires) for each in parts] == [
        (each.specification_id, each.requires) for each in wanted
    ]
