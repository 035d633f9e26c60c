"""What COM remembers of an order item while the service order runs, and its JSON form in ``Row.task``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import TypeAdapter

from inventory.documents import Document
from orders.catalog.model import Ref
from orders.states import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an item orders: an offering, and the characteristics of the product."""

    offering_id: str
    offering_version: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTask:
    """One item that becomes a service order item.

    Attributes:
        values: the product's characteristics when the item is completed.
        service_id: the service that realizes the product, where there is one already.
        offering_version: of the offering; empty where the product is older than the keeping of versions.
        specification: the product specification with its version; None as before.
        renewed: whether the order moves the product to another version, or another specification.
        place_attributes: what was known of the place when the order came.
        after: the items that it waits for.
        is_bundle: whether the product is a bundle: nothing but its parts realizes it.
        parts: the products that are parts of the bundle, before the order.
        bundle: the product that it is a part of; until the order is stored ``bundle_item`` is the item of that.
        adopts: existing products that become parts of the bundle.
        relied_items: the items that bring what it relies on.
        relied_products: the products that it relies on.
        relied_services: the services of those that no item of the order is about.
        relying: of an existing product: those in use that rely on it.
        was: what it ordered before it was amended, the latest last: what the devices refuse is not what they have.
        removed: whether it was taken out of the order: what is undone of it does not count for the order.
        state: of its own work, where it holds other items: its state in the order is what all of them make.
    """

    item_id: str
    action: str
    product_id: str
    offering_id: str
    values: dict[str, Any]
    place: dict[str, Any]
    service_id: str | None = None
    offering_version: str = ""
    specification: Ref | None = None
    renewed: bool = False
    place_attributes: dict[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    is_bundle: bool = False
    parts: tuple[str, ...] = ()
    bundle: str = ""
    bundle_item: str = ""
    adopts: tuple[str, ...] = ()
    relied_items: tuple[str, ...] = ()
    relied_products: tuple[str, ...] = ()
    relied_services: tuple[str, ...] = ()
    relying: tuple[str, ...] = ()
    was: tuple[Terms, ...] = ()
    removed: bool = False
    state: OrderState | None = None

    @property
    def terms(self) -> Terms:
        """What it orders."""
        return Terms(offering_id=self.offering_id, offering_version=self.offering_version, values=self.values)

    def under(self, terms: Terms) -> "ItemTask":
        """Return the item as it orders ``terms``."""
        return replace(
            self, offering_id=terms.offering_id, offering_version=terms.offering_version, values=terms.values
        )


_TASKS: Final = TypeAdapter(dict[str, ItemTask])


def dump_tasks(tasks: Mapping[str, ItemTask]) -> Document:
    """Return the tasks as JSON values, for ``Row.task``."""
    return {"items": _TASKS.dump_python(dict(tasks), mode="json")}


def load_tasks(task: Mapping[str, Any]) -> dict[str, ItemTask]:
    """Return what :func:`dump_tasks` made JSON of."""
    return _TASKS.validate_python(task["items"])
