"""Proves that what a catalog refers to is there, and that no service is made of itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orders.catalog.book import Book, unknown
from orders.catalog.bundles import bundle_cycles, bundle_problems, dangling_bundles
from orders.catalog.characteristics import CharacteristicSpecification, check_values
from orders.catalog.expressions import Expression
from orders.catalog.model import CustomerService, Ref, ResourceService, Use
from orders.errors import Problem

Scope = Mapping[str, Iterable[str] | None]
"""The names an expression may read: dotted prefix → legal attributes, None = any."""


def check_references(book: Book) -> tuple[Problem, ...]:
    """Return every reference that leads nowhere and every cycle; expressions are checked once those are right."""
    problems = (*_dangling(book), *_cycles(book), *bundle_cycles(book))
    if problems or book.unread:
        return problems
    return (*_required_twice(book), *_fixed_values(book), *bundle_problems(book), *_expressions(book))


def resource_name(specification_id: str) -> str:
    """Return the name by which expressions call a reserved resource."""
    return specification_id.replace("-", "_")


def _dangling(book: Book) -> Iterator[Problem]:
    catalog = book.catalog
    for offering in catalog.offerings.every():
        path = book.place(offering) + ".productSpecification"
        yield from unknown(book, offering.specification, path, catalog.product_specifications)
    for product in catalog.product_specifications.every():
        if product.realized_by is not None:
            path = book.place(product) + ".realizedBy.specification"
            yield from unknown(book, product.realized_by.specification, path, catalog.customer_services)
    for customer in catalog.customer_services.every():
        for number, use in enumerate(customer.supported_by):
            path = f"{book.place(customer)}.supportedBy[{number}].specification"
            yield from unknown(book, use.specification, path, catalog.customer_services, catalog.resource_services)
    for service in catalog.resource_services.every():
        for number, requirement in enumerate(service.requires):
            path = f"{book.place(service)}.requires[{number}].specification"
            yield from unknown(book, requirement.specification, path, catalog.resource_specifications)
    yield from _migrations(book)
    yield from dangling_bundles(book)
    yield from _shared_ids(book)


def _migrations(book: Book) -> Iterator[Problem]:
    products, services = book.catalog.product_specifications, book.catalog.customer_services
    for product in products.every():
        for number, old in enumerate(product.migrates_to):
            yield from unknown(book, Ref(id=old), f"{book.place(product)}.migratesTo[{number}]", products)
    for service in services.every():
        for number, old in enumerate(service.migrates_to):
            yield from unknown(book, Ref(id=old), f"{book.place(service)}.migratesTo[{number}]", services)


def _shared_ids(book: Book) -> Iterator[Problem]:
    customers, services = book.catalog.customer_services, book.catalog.resource_services
    for shared in sorted(customers.versions.keys() & services.versions.keys()):
        other = book.place(customers.versions[shared][0])
        yield Problem(path=book.place(services.versions[shared][0]), wrong=f"id {shared!r} is already taken by {other}")


def _cycles(book: Book) -> Iterator[Problem]:
    for start in book.catalog.customer_services.every():
        way = _way_back(book, (start,))
        if way and start.id == min(each.id for each in way):
            path = book.place(start) + ".supportedBy"
            yield Problem(path=path, wrong="the service is made of itself: " + " → ".join(each.id for each in way))


def _way_back(book: Book, way: tuple[CustomerService, ...]) -> tuple[CustomerService, ...]:
    """Return the way from ``way[0]`` back to itself, or nothing."""
    for use in way[-1].supported_by:
        following = book.catalog.customer_services.named(use.specification.id, use.specification.version)
        if following is None:
            continue
        if following == way[0]:
            return (*way, way[0])
        found = () if following in way else _way_back(book, (*way, following))
        if found:
            return found
    return ()


def _required(book: Book, service: CustomerService | ResourceService | None) -> tuple[str, ...]:
    """Return the resource specifications that a service and all that supports it reserve, one entry for each time."""
    if isinstance(service, ResourceService):
        return tuple(each.specification.id for each in service.requires)
    uses = service.supported_by if service is not None else ()
    return tuple(found for use in uses for found in _required(book, book.service(use.specification)))


def _always_required(book: Book, service: CustomerService | ResourceService | None) -> tuple[str, ...]:
    if isinstance(service, ResourceService):
        return tuple(each.specification.id for each in service.requires if each.when is None)
    uses = [use for use in service.supported_by if use.when is None] if service is not None else []
    return tuple(found for use in uses for found in _always_required(book, book.service(use.specification)))


def _required_twice(book: Book) -> Iterator[Problem]:
    for customer in book.catalog.customer_services.every():
        # What is reserved on a condition may exclude each other; the order finds out.
        required = _always_required(book, customer)
        for name in sorted({each for each in required if required.count(each) > 1}):
            wrong = f"reserves {name!r} more than once: resource.{resource_name(name)} would not be one resource"
            yield Problem(path=book.place(customer) + ".supportedBy", wrong=wrong)


def _fixed_values(book: Book) -> Iterator[Problem]:
    for offering in book.catalog.offerings.every():
        specifications = book.catalog.specification_of(offering).characteristics
        fixed = [each for each in specifications if each.name in offering.fixed]
        yield from check_values(fixed, offering.fixed, book.place(offering) + ".fixes")


def _expressions(book: Book) -> Iterator[Problem]:
    for offering in book.catalog.offerings.every():
        names = _names(book.catalog.specification_of(offering).characteristics)
        for rule in offering.eligibility:
            yield from _check_expression(rule.when, {"product": names, "place": None})
    for product in book.catalog.product_specifications.every():
        if product.realized_by is None:
            continue
        target = book.catalog.customer_service(product.realized_by.specification)
        scope: Scope = {"product": _names(product.characteristics), "place": None}
        use = product.realized_by
        yield from _check_use(use, target.to_be_given(use.characteristics), scope, book.place(product) + ".realizedBy")
    for customer in book.catalog.customer_services.every():
        yield from _check_customer_service(book, customer)


def _check_customer_service(book: Book, customer: CustomerService) -> Iterator[Problem]:
    own: Scope = {"service": _names(customer.characteristics), "place": None}
    for number, use in enumerate(customer.supported_by):
        path = f"{book.place(customer)}.supportedBy[{number}]"
        if use.when is not None:
            yield from _check_expression(use.when, own)
        target = book.service(use.specification)
        if isinstance(target, ResourceService):
            scope = {**own, **_resource_scope(book, customer), **_relied_scope(book, customer)}
            yield from _check_use(use, target.characteristics, scope, path)
            for requirement in target.requires:
                if requirement.when is not None:
                    yield from _check_expression(requirement.when, own)
        elif target is not None:
            yield from _check_use(use, target.characteristics, own, path)


def _resource_scope(book: Book, customer: CustomerService) -> Scope:
    shelf = book.catalog.resource_specifications
    found = {key: shelf.named(key) for key in _required(book, customer)}
    return {f"resource.{resource_name(key)}": _names(each.characteristics) for key, each in found.items() if each}


def _relied_scope(book: Book, customer: CustomerService) -> Scope:
    found: dict[str, Iterable[str] | None] = {}
    for key in customer.relies_on:
        other = book.catalog.customer_services.named(key)
        if other is not None:
            prefix = f"relied.{resource_name(key)}"
            found[f"{prefix}.service"] = _names(other.characteristics)
            found |= {
                name.replace("resource", prefix, 1): names for name, names in _resource_scope(book, other).items()
            }
    return found


def _check_use(use: Use, target: Sequence[CharacteristicSpecification], scope: Scope, path: str) -> Iterator[Problem]:
    known = _names(target)
    for name, expression in use.characteristics.items():
        if name not in known:
            legal = ", ".join(sorted(known))
            yield Problem(path=f"{path}.characteristics.{name}", wrong=f"{name!r} does not exist", legal=legal)
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
