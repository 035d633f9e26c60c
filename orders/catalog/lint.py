"""What is wrong with a catalog, and what is probably not meant. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from orders.catalog.book import Book
from orders.catalog.conditions import ABSENT, Domain, domains_of, outcomes
from orders.catalog.expressions import Expression, Reference
from orders.catalog.load import Examined
from orders.catalog.model import CustomerService, Entry, ResourceService, Use, ref_of
from orders.errors import Problem

_SHOWN: Final = 6
Weight = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that lint says; an error stops the start, a warning does not."""

    weight: Weight
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around a catalog, as far as it is known; None: not known.

    Attributes:
        intents: variables that each intent takes, camelCase, by specification id.
        places: values of each attribute that premises have.
    """

    intents: Mapping[str, frozenset[str]] | None = None
    places: Mapping[str, Domain] | None = None


def lint(examined: Examined, around: Surroundings) -> tuple[Finding, ...]:
    """Return everything wrong and doubtful in the catalog, errors first."""
    book, errors = examined.book, errors_of(examined, around)
    doubts = () if errors else (*_unused(book), *_conditions(book, around), *_unsold_references(book))
    return (
        *(Finding(weight="error", problem=each) for each in errors),
        *(Finding(weight="warning", problem=each) for each in doubts),
    )


def errors_of(examined: Examined, around: Surroundings) -> tuple[Problem, ...]:
    """Return what stops the start, and stands against a change."""
    without = _without_intent(examined.book, around.intents) if around.intents is not None else ()
    return (*examined.problems, *without)


def _without_intent(book: Book, intents: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    for service in book.catalog.resource_services.every():
        place, taken = book.place(service), intents.get(service.id)
        if taken is None:
            legal = ", ".join(sorted(intents))
            yield Problem(path=place, wrong=f"{service.id!r} has no intent in templates/intents.yaml", legal=legal)
            continue
        given = {each.name for each in service.characteristics}
        for name in sorted(given - taken):
            legal = ", ".join(sorted(taken))
            yield Problem(path=f"{place}.characteristics", wrong=f"{name!r} is not taken by its intent", legal=legal)
        for name in sorted(taken - given):
            yield Problem(path=f"{place}.characteristics", wrong=f"{name!r}, which its intent needs, is missing")


def _unused(book: Book) -> Iterator[Problem]:
    used = _reached(book)
    catalog = book.catalog
    shelves = (
        catalog.product_specifications.every(),
        catalog.customer_services.every(),
        catalog.resource_services.every(),
        catalog.resource_specifications.every(),
    )
    entries: list[Entry] = [entry for shelf in shelves for entry in shelf]
    for entry in entries:
        if entry not in used and entry.lifecycle_status not in {"retired", "obsolete", "rejected"}:
            yield Problem(path=book.place(entry), wrong=f"{ref_of(entry)} is not used: no offering leads to it")


def _reached(book: Book) -> list[Entry]:
    catalog = book.catalog
    found: list[Entry] = []

    def service(entry: CustomerService | ResourceService | None) -> None:
        if entry is None or entry in found:
            return
        found.append(entry)
        if isinstance(entry, ResourceService):
            found.extend(catalog.resource(each.specification) for each in entry.requires)
        else:
            for use in entry.supported_by:
                service(book.service(use.specification))

    for offering in catalog.offerings.every():
        specification = catalog.specification_of(offering)
        found.append(specification)
        if specification.realized_by is not None:
            service(catalog.customer_service(specification.realized_by.specification))
    return found


def _conditions(book: Book, around: Surroundings) -> Iterator[Problem]:
    places: dict[Reference, Domain] = {("place", name): values for name, values in (around.places or {}).items()}
    for offering in book.catalog.offerings.every():
        characteristics = book.catalog.specification_of(offering).characteristics
        fixed: dict[Reference, Domain] = {("product", name): (value,) for name, value in offering.fixed.items()}
        domains: dict[Reference, Domain] = domains_of("product", characteristics) | fixed | places
        for rule in offering.eligibility:
            yield from _judged(rule.when, domains, "the offering is sold nowhere", "the offering is sold everywhere")
    for customer in book.catalog.customer_services.every():
        domains = domains_of("service", customer.characteristics) | places
        for use in customer.supported_by:
            yield from _uses(book, use, domains)


def _uses(book: Book, use: Use, domains: Mapping[Reference, Domain]) -> Iterator[Problem]:
    if use.when is not None:
        yield from _judged(use.when, domains, "the service is never used", "the condition can go")
    target = book.service(use.specification)
    for requirement in target.requires if isinstance(target, ResourceService) else ():
        if requirement.when is not None:
            yield from _judged(requirement.when, domains, "the resource is never reserved", "the condition can go")


def _judged(condition: Expression, domains: Mapping[Reference, Domain], never: str, always: str) -> Iterator[Problem]:
    found = outcomes(condition, domains)
    if found is None or found == {True, False}:
        return
    said = f"always holds: {always}" if found == {True} else f"can never hold: {never}"
    names = (".".join(name) + " is " + _few(domains[name]) for name in sorted(condition.references))
    yield Problem(path=condition.path, wrong=f"{condition.source!r} {said}", legal="; ".join(names))


def _unsold_references(book: Book) -> Iterator[Problem]:
    for offering in book.catalog.offerings.values():
        specification = book.catalog.specification_of(offering)
        if specification.lifecycle_status not in {"active", "launched"}:
            wrong = f"sells {ref_of(specification)}, which is {specification.lifecycle_status}"
            yield Problem(path=book.place(offering) + ".productSpecification", wrong=wrong)


def _few(values: Iterable[object]) -> str:
    shown = [str(value) for value in values]
    return ", ".join(shown) if len(shown) <= _SHOWN else f"{shown[0]} to {shown[-1]}"


def place_values(attributes: Iterable[Mapping[str, object]]) -> dict[str, Domain]:
    """Return the values that premises have for each attribute; ``ABSENT`` is one where some do not have it."""
    all_of = tuple(attributes)
    found: dict[str, dict[object, None]] = {}
    for name in {name: None for each in all_of for name in each}:
        found[name] = {each.get(name, ABSENT): None for each in all_of}
    return {name: tuple(values) for name, values in found.items()}
