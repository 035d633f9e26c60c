"""Who in a catalog refers to whom. Pure."""

from collections.abc import Iterator

from orders.catalog.model import (
    Catalog,
    CustomerService,
    Entry,
    Offering,
    ProductSpecification,
    Ref,
    ResourceService,
    ref_of,
)
from orders.catalog.shelf import OFFERED
from orders.catalog.wire import find_entry, status_on_wire
from orders.errors import Problem


def kind_of(entry: Entry) -> str:
    """Return the kind of the entry's TMF document."""
    if isinstance(entry, CustomerService | ResourceService):
        return "serviceSpecification"
    name = type(entry).__name__
    return {"Offering": "productOffering"}.get(name, name[0].lower() + name[1:])


def every_entry(catalog: Catalog) -> Iterator[Entry]:
    """Return every version of every entry."""
    yield from catalog.offerings.every()
    yield from catalog.product_specifications.every()
    yield from catalog.customer_services.every()
    yield from catalog.resource_services.every()
    yield from catalog.resource_specifications.every()


def named_by(entry: Entry) -> Iterator[tuple[str, Ref]]:
    """Return what the entry names: the kind of each TMF document, and the reference."""
    match entry:
        case Offering():
            yield "productSpecification", entry.specification
            yield from (("productOffering", Ref(id=part.offering)) for part in entry.bundles)
        case ProductSpecification():
            if entry.realized_by is not None:
                yield "serviceSpecification", entry.realized_by.specification
        case CustomerService():
            yield from (("serviceSpecification", Ref(id=key)) for key in entry.relies_on)
            yield from (("serviceSpecification", use.specification) for use in entry.supported_by)
        case ResourceService():
            yield from (("resourceSpecification", each.specification) for each in entry.requires)
        case _:
            return


def referrers(catalog: Catalog, kind: str, wanted: Entry) -> tuple[str, ...]:
    """Return who refers to that version of an entry, whether by its version or by its id alone."""
    found = (
        f"{kind_of(entry)} {ref_of(entry)}"
        for entry in every_entry(catalog)
        for named, ref in named_by(entry)
        if named == kind and ref.id == wanted.id and find_entry(catalog, kind, ref.id, ref.version) == wanted
    )
    return tuple(dict.fromkeys(found))


def unready(catalog: Catalog) -> frozenset[Problem]:
    """Return every reference of an offered entry to one that is not offered."""
    return frozenset(problem for entry in every_entry(catalog) for problem in _unready(catalog, entry))


def _unready(catalog: Catalog, entry: Entry) -> Iterator[Problem]:
    if entry.lifecycle_status not in OFFERED:
        return
    for kind, ref in named_by(entry):
        target = find_entry(catalog, kind, ref.id, ref.version)
        if target is not None and target.lifecycle_status not in OFFERED:
            wrong = f"needs {kind} {ref_of(target)}, which is {status_on_wire(target.lifecycle_status)}"
            yield Problem(path=f"{kind_of(entry)} {ref_of(entry)}", wrong=wrong, legal="Active, Launched")
