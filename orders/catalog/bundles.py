"""Proves that bundles hold together: what they bundle is there, within limits, and none is inside itself. Pure."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from orders.catalog.book import Book, unknown
from orders.catalog.model import Entry, Offering, Ref
from orders.errors import Problem


def dangling_bundles(book: Book) -> Iterator[Problem]:
    """Yield what bundles, and services that rely on others, name and nobody has."""
    catalog = book.catalog
    for offering in catalog.offerings.every():
        for number, part in enumerate(offering.bundles):
            path = f"{book.place(offering)}.bundles[{number}].offering"
            yield from unknown(book, Ref(id=part.offering), path, catalog.offerings)
    for service in catalog.customer_services.every():
        for number, other in enumerate(service.relies_on):
            path = f"{book.place(service)}.reliesOn[{number}]"
            yield from unknown(book, Ref(id=other), path, catalog.customer_services)


def bundle_cycles(book: Book) -> Iterator[Problem]:
    """Yield the circles: a bundle inside itself, services that rely on each other."""
    bundles: dict[str, set[str]] = {}
    for offering in book.catalog.offerings.every():
        bundles.setdefault(offering.id, set()).update(part.offering for part in offering.bundles)
    relies: dict[str, set[str]] = {}
    for service in book.catalog.customer_services.every():
        relies.setdefault(service.id, set()).update(service.relies_on)
    offerings = {each.id: each for each in book.catalog.offerings.every()}
    services = {each.id: each for each in book.catalog.customer_services.every()}
    yield from _cycle(book, bundles, offerings, "bundles", "the bundle is inside itself")
    yield from _cycle(book, relies, services, "reliesOn", "the service relies on itself")


def _cycle(
    book: Book, graph: Mapping[str, set[str]], entries: Mapping[str, Entry], key: str, wrong: str
) -> Iterator[Problem]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        way: list[str] = list(reversed(error.args[1]))
        start = min(range(len(way) - 1), key=way.__getitem__)
        way = [*way[start:-1], *way[: start + 1]]
        yield Problem(path=f"{book.place(entries[way[0]])}.{key}", wrong=f"{wrong}: {' → '.join(way)}")


def bundle_problems(book: Book) -> Iterator[Problem]:
    """Yield bundles that cannot be: limits that contradict each other, nothing or too much behind an offering."""
    for offering in book.catalog.offerings.every():
        place = book.place(offering)
        service = book.catalog.specification_of(offering).realized_by
        if offering.bundles and service is not None:
            wrong = f"is realized by {str(service.specification)!r}, and {offering.id!r} is a bundle"
            yield Problem(path=f"{place}.productSpecification", wrong=wrong, legal="one without realizedBy")
        elif not offering.bundles and service is None:
            wrong = f"{str(offering.specification)!r} has no realizedBy, and {offering.id!r} bundles nothing"
            yield Problem(path=f"{place}.bundles", wrong=wrong, legal="one part or more")
        yield from _limits(offering, place)


def _limits(offering: Offering, place: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, part in enumerate(offering.bundles):
        path = f"{place}.bundles[{number}]"
        if part.offering in seen:
            yield Problem(path=path, wrong=f"{part.offering!r} is bundled twice", legal="one entry with its limits")
        seen.add(part.offering)
        if not part.lower <= part.default <= part.upper:
            wrong = f"lowerLimit {part.lower}, default {part.default}, upperLimit {part.upper} contradict each other"
            yield Problem(path=path, wrong=wrong, legal="lowerLimit ≤ default ≤ upperLimit")
