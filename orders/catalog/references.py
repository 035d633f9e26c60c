"""Proves that what a catalog refers to is there, and that no service is made of itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orders.catalog.expressions import Expression
from orders.catalog.model import (
    Catalog,
    CharacteristicSpecification,
    CustomerService,
    Entry,
    Offering,
    ProductSpecification,
    ResourceService,
    Use,
    check_values,
)
from orders.errors import Problem

Places = Mapping[tuple[type[Entry], str], str]
"""Where each entry stands, by type and id."""
Scope = Mapping[str, Iterable[str] | None]
"""The names an expression may read: dotted prefix → legal attributes, None = any."""


def check_references(catalog: Catalog, places: Places) -> tuple[Problem, ...]:
    """Return every reference that leads nowhere and every cycle; expressions are checked once those are right."""
    problems = (*_dangling(catalog, places), *_cycles(catalog, places))
    return problems or (
        *_required_twice(catalog, places),
        *_fixed_values(catalog, places),
        *_expressions(catalog, places),
    )


def resource_name(specification_id: str) -> str:
    """Return the name by which expressions call a reserved resource."""
    return specification_id.replace("-", "_")


def _dangling(catalog: Catalog, places: Places) -> Iterator[Problem]:
    services = {**catalog.customer_services, **catalog.resource_services}
    for offering in catalog.offerings.values():
        path = places[Offering, offering.id] + ".productSpecification"
        yield from _unknown(offering.specification_id, catalog.product_specifications, path)
    for product in catalog.product_specifications.values():
        path = places[ProductSpecification, product.id] + ".realizedBy.specification"
        yield from _unknown(product.realized_by.specification_id, catalog.customer_services, path)
    for customer in catalog.customer_services.values():
        for number, use in enumerate(customer.supported_by):
            path = f"{places[CustomerService, customer.id]}.supportedBy[{number}].specification"
            yield from _unknown(use.specification_id, services, path)
    for service in catalog.resource_services.values():
        for number, requirement in enumerate(service.requires):
            path = f"{places[ResourceService, service.id]}.requires[{number}].specification"
            yield from _unknown(requirement.specification_id, catalog.resource_specifications, path)
    for shared in sorted(catalog.customer_services.keys() & catalog.resource_services.keys()):
        other = places[CustomerService, shared]
        yield Problem(path=places[ResourceService, shared], wrong=f"id {shared!r} is already taken by {other}")


def _unknown(key: str, known: Iterable[str], path: str) -> Iterator[Problem]:
    if key not in known:
        yield Problem(path=path, wrong=f"{key!r} does not exist", legal=", ".join(sorted(known)))


def _cycles(catalog: Catalog, places: Places) -> Iterator[Problem]:
    for start in catalog.customer_services:
        way = _way_back(catalog, (start,))
        if way and start == min(way):
            yield Problem(
                path=places[CustomerService, start] + ".supportedBy",
                wrong="the service is made of itself: " + " → ".join(way),
            )


def _way_back(catalog: Catalog, way: tuple[str, ...]) -> tuple[str, ...]:
    """Return the way from ``way[0]`` back to itself, or nothing."""
    service = catalog.customer_services.get(way[-1])
    for use in service.supported_by if service is not None else ():
        if use.specification_id == way[0]:
            return (*way, way[0])
        found = () if use.specification_id in way else _way_back(catalog, (*way, use.specification_id))
        if found:
            return found
    return ()


def _required(catalog: Catalog, service_id: str) -> tuple[str, ...]:
    """Return the resource specifications that a service and all that supports it reserve, one entry for each time."""
    if service_id in catalog.resource_services:
        return tuple(each.specification_id for each in catalog.resource_services[service_id].requires)
    uses = catalog.customer_services[service_id].supported_by
    return tuple(found for use in uses for found in _required(catalog, use.specification_id))


def _required_twice(catalog: Catalog, places: Places) -> Iterator[Problem]:
    for customer in catalog.customer_services:
        required = _required(catalog, customer)
        for name in sorted({each for each in required if required.count(each) > 1}):
            wrong = f"reserves {name!r} more than once: resource.{resource_name(name)} would not be one resource"
            yield Problem(path=places[CustomerService, customer] + ".supportedBy", wrong=wrong)


def _fixed_values(catalog: Catalog, places: Places) -> Iterator[Problem]:
    for offering in catalog.offerings.values():
        specifications = catalog.specification_of(offering).characteristics
        fixed = [each for each in specifications if each.name in offering.fixed]
        yield from check_values(fixed, offering.fixed, places[Offering, offering.id] + ".fixes")


def _expressions(catalog: Catalog, places: Places) -> Iterator[Problem]:
    for product in catalog.product_specifications.values():
        path = places[ProductSpecification, product.id] + ".realizedBy"
        target = catalog.customer_services[product.realized_by.specification_id]
        scope: Scope = {"product": _names(product.characteristics), "place": None}
        yield from _check_use(product.realized_by, target.characteristics, scope, path)
    for customer in catalog.customer_services.values():
        yield from _check_customer_service(catalog, customer, places[CustomerService, customer.id])


def _check_customer_service(catalog: Catalog, customer: CustomerService, place: str) -> Iterator[Problem]:
    own: Scope = {"service": _names(customer.characteristics), "place": None}
    for number, use in enumerate(customer.supported_by):
        path = f"{place}.supportedBy[{number}]"
        nested = catalog.customer_services.get(use.specification_id)
        if nested is not None:
            yield from _check_use(use, nested.characteristics, own, path)
            continue
        target = catalog.resource_services[use.specification_id]
        yield from _check_use(use, target.characteristics, {**own, **_resource_scope(catalog, customer)}, path)
        for requirement in target.requires:
            if requirement.when is not None:
                yield from _check_expression(requirement.when, own)


def _resource_scope(catalog: Catalog, customer: CustomerService) -> Scope:
    return {
        f"resource.{resource_name(each)}": _names(catalog.resource_specifications[each].characteristics)
        for each in _required(catalog, customer.id)
    }


def _check_use(use: Use, target: Sequence[CharacteristicSpecification], scope: Scope, path: str) -> Iterator[Problem]:
    known = _names(target)
    for name, expression in use.characteristics.items():
        yield from _unknown(name, known, f"{path}.characteristics.{name}")
        yield from _check_expression(expression, scope)
    for each in target:
        if each.required and each.default is None and each.name not in use.characteristics:
            yield Problem(path=f"{path}.characteristics.{each.name}", wrong="is missing", legal=each.legal())


def _check_expression(expression: Expression, scope: Scope) -> Iterator[Problem]:
    for reference in sorted(expression.references):
        head, name = ".".join(reference[:-1]), reference[-1]
        legal = scope.get(head, ())
        if legal is not None and name not in legal:
            yield Problem(
                path=expression.path,
                wrong=f"{'.'.join(reference)!r} does not exist",
                legal=", ".join(sorted(f"{prefix}.{each}" for prefix, names in scope.items() for each in names or "*")),
            )


def _names(characteristics: Iterable[CharacteristicSpecification]) -> tuple[str, ...]:
    return tuple(each.name for each in characteristics)
