"""By which offerings a service could be sold at a place: what the catalog says of where each of them is sold. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orders.catalog.characteristics import with_defaults
from orders.catalog.model import Catalog, Offering, ref_of
from orders.errors import MappingError
from orders.product.intake import not_sold
from orders.product.model import ItemTask


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where something is to be sold.

    Attributes:
        attributes: what is known of the place.
        values: characteristics that the question gave.
    """

    place: dict[str, Any]
    attributes: dict[str, Any]
    values: Mapping[str, Any]


def sold_at(catalog: Catalog, service_specification: str, site: Site) -> Iterator[tuple[Offering, str]]:
    """Yield each offering whose product the service realizes, with why it is not sold there; empty: it is."""
    for offering in sorted(catalog.offerings.values(), key=lambda each: each.id):
        use = catalog.specification_of(offering).realized_by
        if not offering.bundles and use is not None and use.specification.id == service_specification:
            yield offering, refusal(catalog, offering, site)


def refusal(catalog: Catalog, offering: Offering, site: Site) -> str:
    """Return why the offering is not sold at the place; empty where it is."""
    specification = catalog.specification_of(offering)
    names = {each.name for each in specification.characteristics}
    given = {name: value for name, value in site.values.items() if name in names}
    task = ItemTask(
        item_id="",
        action="add",
        product_id="",
        offering_id=offering.id,
        values=with_defaults(specification.characteristics, {**given, **offering.fixed}),
        place=site.place,
        place_attributes=site.attributes,
        specification=ref_of(specification),
    )
    try:
        reason = not_sold(offering, task)
    except MappingError as error:
        reason = f"cannot be judged: {error}"
    return f"{offering.id!r} is not sold at {site.place.get('id')!r}: {reason}" if reason else ""
