"""What an item orders once it is amended or repaired: other characteristics, or another offering. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from orders.catalog.characteristics import check_values, with_defaults
from orders.catalog.model import Catalog, Offering, Ref
from orders.errors import Problem
from orders.inbound import SpecificationBody, offer_problems, refuse
from orders.interventions import Intervention
from orders.product.decompose import product_of
from orders.product.intake import not_sold
from orders.product.model import ItemTask


def amended(catalog: Catalog, before: ItemTask, wish: Intervention) -> ItemTask:
    """Return the item as ``wish`` wants it.

    Raises:
        InvalidOrder: a characteristic or an offering that it cannot have; names its path, and what is legal.
    """
    current = catalog.offering(Ref(id=before.offering_id, version=before.offering_version))
    offering = current if wish.offering is None else _offering(catalog, before, wish.offering)
    fixed = (
        Problem(path=f"characteristic.{name}", wrong=f"{value!r} contradicts {offering.id!r}", legal=str(legal))
        for name, value in wish.values.items()
        if name in offering.fixed and (legal := offering.fixed[name]) != value
    )
    values = {**before.values, **wish.values}
    specifications = product_of(catalog, before).characteristics
    if offering is not current:
        # What the old offering fixed and the new one does not is what it would be in a new order.
        freed = current.fixed.keys() - wish.values.keys()
        chosen = {name: value for name, value in values.items() if name not in freed}
        values = with_defaults(specifications, {**chosen, **offering.fixed})
    refuse((*fixed, *check_values(specifications, values, "characteristic")))
    task = replace(
        before,
        values=values,
        offering_id=offering.id,
        offering_version=offering.version if offering is not current else before.offering_version,
        was=(*before.was, before.terms),
    )
    if offering is not current:
        refuse(_not_there(offering, task))
    return task


def _offering(catalog: Catalog, before: ItemTask, wanted: SpecificationBody) -> Offering:
    path = "productOffering.id"
    refuse(offer_problems(catalog.offerings, wanted, "productOffering"))
    offering = catalog.offering(Ref(id=wanted.id, version=wanted.version or ""))
    made_by = product_of(catalog, before).id
    legal = ", ".join(
        sorted(each.id for each in catalog.offerings.values() if each.specification.id == made_by and not each.bundles)
    )
    if before.bundle:
        wrong = f"the item is a part of bundle {before.bundle}, which says what it is sold by"
        refuse([Problem(path=path, wrong=wrong, legal="cancel the order, and order anew")])
    if offering.specification.id != made_by or offering.bundles:
        refuse([Problem(path=path, wrong=f"{offering.id!r} sells another product specification", legal=legal)])
    return offering


def _not_there(offering: Offering, task: ItemTask) -> Iterator[Problem]:
    reason = not_sold(offering, task)
    if reason is not None:
        wrong = f"{offering.id!r} is not sold at {task.place.get('id')!r}: {reason}"
        yield Problem(path="productOffering.id", wrong=wrong)
