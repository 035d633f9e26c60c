"""What SOM remembers of an order item while it is being fulfilled: values, and their JSON form in ``Row.task``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter

from inventory.documents import Document
from orders.catalog.model import Ref
from orders.states import FINAL, LEAVING, OrderState


class Phase(StrEnum):
    """Where an item stands."""

    WAITING = "waiting"
    RESERVING = "reserving"
    ACTIVATING = "activating"
    UNDOING = "undoing"
    """Being cancelled: a request to the devices is on its way that takes back what was activated."""
    RELEASING = "releasing"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One resource-facing service of the customer's service, and what it reserves.

    Attributes:
        version: of its specification; empty where it was made before versions were kept.
    """

    service_id: str
    specification_id: str
    requires: tuple[str, ...] = ()
    version: str = ""

    @property
    def specification(self) -> Ref:
        """The specification it was made by, in that version."""
        return Ref(id=self.specification_id, version=self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A resource as its order reported it; ``part`` is the service it supports."""

    id: str
    name: str
    specification_id: str
    part: str
    characteristics: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOrder:
    """A resource order that was placed, and what is known of its state."""

    external_id: str
    part: str
    state: OrderState = OrderState.ACKNOWLEDGED
    order_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A customer-facing service as it is composed: kept with the inventory's service, changed by orders.

    Attributes:
        values: characteristics of the customer-facing service.
        part_values: characteristics of each part, by the part's service id.
        version: of its specification; empty where it was made before versions were kept.
        place_attributes: what was known of the place when the order came.
        nested: versions of the customer-facing services that it is made of, by specification id.
        relied: the service that it relies on, by the id of what it is to be.
        port: the PON port it was put on by people, as ``olt`` and ``ponPort``; empty: the one that its place has.
    """

    specification_id: str
    place: dict[str, Any]
    values: dict[str, Any]
    parts: tuple[Part, ...] = ()
    part_values: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: tuple[Reserved, ...] = ()
    version: str = ""
    place_attributes: dict[str, Any] = field(default_factory=dict)
    nested: dict[str, str] = field(default_factory=dict)
    relied: dict[str, str] = field(default_factory=dict)
    port: dict[str, str] = field(default_factory=dict)

    @property
    def specification(self) -> Ref:
        """The specification it was made by, in that version."""
        return Ref(id=self.specification_id, version=self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTask:
    """One order item on its way.

    Attributes:
        composition: the service as it will be when the item is completed.
        sent: resource orders of the present phase.
        errors: TMF641 error messages; an item that ends with any has failed.
        before: the service as it was before the item began; None where there was none, or nothing changed it yet.
        retiring: parts that the service no longer has when the item is completed.
        is_retiring: whether the new parts are verified, and the old ones are being taken away.
        is_undoing: whether the item is being cancelled.
        undone: whether the item was completed before it was cancelled.
        tries: how many times its undoing was asked of the devices.
        after: the items that it waits for.
        attempt: how many times it was asked anew what had come to nothing.
        answered: the manual tasks that are done.
        by_hand: who says that the devices are so already, and why; what was done by the platform is verified.
        wish: the service as it is to be instead, while what was asked of the devices before has not ended.
        fallback: the service as the devices have it, while what it is to be instead is asked of them.
        removed: whether it was taken out of the order: what is undone of it does not count for the order.
        moving: resources that are being taken anew elsewhere, and then given back.
        tell: what the order says of it when it is stored next.
        waits: for whom or what it waits, as its order tells it; None: it goes on by itself.
    """

    item_id: str
    action: str
    service_id: str
    composition: Composition
    phase: Phase = Phase.WAITING
    state: OrderState = OrderState.ACKNOWLEDGED
    sent: tuple[SentOrder, ...] = ()
    errors: tuple[dict[str, Any], ...] = ()
    before: Composition | None = None
    retiring: tuple[Part, ...] = ()
    is_retiring: bool = False
    is_undoing: bool = False
    undone: bool = False
    tries: int = 0
    after: tuple[str, ...] = ()
    attempt: int = 0
    answered: tuple[str, ...] = ()
    by_hand: str = ""
    wish: Composition | None = None
    fallback: Composition | None = None
    removed: bool = False
    moving: tuple[str, ...] = ()
    tell: str = ""
    waits: dict[str, Any] | None = None

    @property
    def waits_for(self) -> str:
        """For whom or what the item waits, in a word; empty: it goes on by itself."""
        return str(self.waits["for"]) if self.waits is not None else ""

    @property
    def is_leaving(self) -> bool:
        """Whether it was taken out of the order, and is being undone, or is."""
        return self.removed and self.state in LEAVING

    @property
    def all_reported(self) -> bool:
        """Whether every resource order of the present phase has ended."""
        return all(each.state in FINAL for each in self.sent)

    def with_report(self, external_id: str, state: OrderState) -> "ItemTask":
        """Return the task with the state that a resource order reported."""
        sent = (replace(each, state=state) if each.external_id == external_id else each for each in self.sent)
        return replace(self, sent=tuple(sent))

    def with_errors(self, errors: tuple[dict[str, Any], ...]) -> "ItemTask":
        """Return the task with more errors."""
        return replace(self, errors=(*self.errors, *errors))


_TASKS: Final = TypeAdapter(dict[str, ItemTask])
_COMPOSITION: Final = TypeAdapter(Composition)


def dump_tasks(tasks: Mapping[str, ItemTask]) -> Document:
    """Return the tasks as JSON values, for ``Row.task``."""
    return {"items": _TASKS.dump_python(dict(tasks), mode="json")}


def load_tasks(task: Mapping[str, Any]) -> dict[str, ItemTask]:
    """Return what :func:`dump_tasks` made JSON of."""
    return _TASKS.validate_python(task["items"])


def dump_composition(composition: Composition, *, order_id: str | None = None) -> Document:
    """Return the composition as JSON values, with the order that is in flight for it."""
    return {"composition": _COMPOSITION.dump_python(composition, mode="json"), "order": order_id}


def load_composition(task: Mapping[str, Any]) -> Composition:
    """Return what :func:`dump_composition` made JSON of."""
    return _COMPOSITION.validate_python(task["composition"])
