"""The catalog's values: offerings, specifications and the decomposition they declare. All frozen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from inventory.model import Allocation
from orders.catalog.characteristics import CharacteristicSpecification, Value
from orders.catalog.expressions import Expression
from orders.catalog.shelf import Shelf
from orders.errors import UnknownSpecification

EntryKey = tuple[str, str, str]
"""A version of an entry: the kind of its TMF document, its id and its version."""
PointOfNoReturn = Literal["reserving", "activating", "completed"]
OnFailure = Literal["fail", "hold"]
TaskGate = Literal["reserving", "activating"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every catalog entry has.

    Attributes:
        lifecycle_status: TM Forum's word, the first letter small; only ``active`` and ``launched`` can be ordered anew.
        valid_from: from when on it can be ordered; like ``valid_to``, None is no limit.
    """

    id: str
    name: str
    version: str
    description: str = ""
    lifecycle_status: str = "active"
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpecification(Entry):
    """A kind of resource and where it is taken from; ``pool`` is empty where the place decides."""

    allocation: Allocation
    pool: str
    characteristics: tuple[CharacteristicSpecification, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A specification by its id; ``version`` empty: the one that is offered."""

    id: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.id}@{self.version}" if self.version else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A resource that a resource-facing service reserves; ``when`` (over ``service``, ``place``) None = always."""

    specification: Ref
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceService(Entry):
    """A resource-facing service (RFS): what is configured on one kind of device."""

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    requires: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One specification used by another, and how the used one's characteristics come about.

    Attributes:
        when: over ``service`` and ``place``; None: always used.
    """

    specification: Ref
    characteristics: Mapping[str, Expression] = field(default_factory=dict)
    when: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualTask:
    """What somebody has to do and to answer before an added service goes on.

    Attributes:
        role: who is to do it.
        before: which step waits for it.
        asks: the service's characteristics that the answer gives.
        escalate_after_h: after how many hours without an answer the order is told to be in jeopardy; None: never.
    """

    name: str
    instruction: str
    role: str
    before: TaskGate = "reserving"
    asks: tuple[str, ...] = ()
    escalate_after_h: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerService(Entry):
    """A customer-facing service (CFS), supported by resource-facing ones or by further customer-facing ones.

    Attributes:
        relies_on: ids of customer-facing services of which it needs one each, of the same customer.
        point_of_no_return: from where on an order for it is not cancelled any more; None: as long as it can be undone.
        on_failure: whether an item that fails gives back what it took, or waits for an engineer.
        manual_tasks: what people do in between, in this order.
    """

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    supported_by: tuple[Use, ...] = ()
    migrates_to: tuple[str, ...] = ()
    relies_on: tuple[str, ...] = ()
    point_of_no_return: PointOfNoReturn | None = None
    on_failure: OnFailure = "fail"
    manual_tasks: tuple[ManualTask, ...] = ()

    def to_be_given(self, present: Collection[str]) -> tuple[CharacteristicSpecification, ...]:
        """Return the characteristics with those not required that are not ``present`` and a manual task asks for."""
        asked = {name for task in self.manual_tasks for name in task.asks} - set(present)
        return tuple(replace(each, required=False) if each.name in asked else each for each in self.characteristics)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSpecification(Entry):
    """What a product is, and the customer-facing service that makes it real; a bundle has none of its own.

    Attributes:
        migrates_to: ids of specifications that its products can be moved to.
    """

    characteristics: tuple[CharacteristicSpecification, ...] = ()
    migrates_to: tuple[str, ...] = ()
    realized_by: Use | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePart:
    """An offering inside a bundle: how many of it there may be, and how many there are where the order names none."""

    offering: str
    lower: int
    upper: int
    default: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """Where an offering is sold: ``when`` over ``place``; ``reason`` is said to who orders elsewhere."""

    when: Expression
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering(Entry):
    """A product specification as it is sold: some characteristics are fixed, and it may not be sold everywhere.

    Attributes:
        bundles: the offerings that it bundles; empty for one that is sold by itself.
    """

    specification: Ref
    bundles: tuple[BundlePart, ...] = ()
    fixed: Mapping[str, Value | list[Value]] = field(default_factory=dict)
    eligibility: tuple[Eligibility, ...] = ()


class Moment(Protocol):
    """What knows the time: a unit of work."""

    @property
    def now(self) -> datetime:
        """The time of the transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that can be ordered. :func:`orders.catalog.load.load_catalog` proves that references hold.

    Attributes:
        declared: what a catalog file says of each version of each entry, by TMF kind, id and version.
        extras: what its TMF document carries beside that.
    """

    offerings: Shelf[Offering]
    product_specifications: Shelf[ProductSpecification]
    customer_services: Shelf[CustomerService]
    resource_services: Shelf[ResourceService]
    resource_specifications: Shelf[ResourceSpecification]
    declared: Mapping[EntryKey, Mapping[str, Any]] = field(default_factory=dict)
    extras: Mapping[EntryKey, Mapping[str, Any]] = field(default_factory=dict)

    def current(self, uow: "Moment") -> "Catalog":
        """Return the catalog as it is in this transaction: this one is the same for all."""
        return self.at(uow.now)

    def read(self, connection: object, now: datetime) -> "Catalog":  # noqa: ARG002 - nothing of it is stored
        """Return the catalog as it is for a reader: this one."""
        return self.at(now)

    def at(self, now: datetime) -> "Catalog":
        """Return the catalog in which only what is offered at ``now`` can be had without naming its version."""
        then = replace(
            self,
            offerings=self.offerings.at(now),
            product_specifications=self.product_specifications.at(now),
            customer_services=self.customer_services.at(now),
            resource_services=self.resource_services.at(now),
            resource_specifications=self.resource_specifications.at(now),
        )
        return self if all(getattr(self, each.name) is getattr(then, each.name) for each in fields(self)) else then

    def specification_of(self, offering: Offering) -> ProductSpecification:
        """Return the product specification that ``offering`` sells."""
        return self.product(offering.specification)

    def offering(self, ref: Ref) -> Offering:
        """Return the offering that ``ref`` names.

        Raises:
            UnknownSpecification: the catalog does not have it.
        """
        return _found(self.offerings, ref, "product offering")

    def product(self, ref: Ref) -> ProductSpecification:
        """Return the product specification that ``ref`` names.

        Raises:
            UnknownSpecification: the catalog does not have it.
        """
        return _found(self.product_specifications, ref, "product specification")

    def customer_service(self, ref: Ref) -> CustomerService:
        """Return the customer-facing service that ``ref`` names.

        Raises:
            UnknownSpecification: the catalog does not have it.
        """
        return _found(self.customer_services, ref, "customer-facing service")

    def resource_service(self, ref: Ref) -> ResourceService:
        """Return the resource-facing service that ``ref`` names.

        Raises:
            UnknownSpecification: the catalog does not have it.
        """
        return _found(self.resource_services, ref, "resource-facing service")

    def resource(self, ref: Ref) -> ResourceSpecification:
        """Return the resource specification that ``ref`` names.

        Raises:
            UnknownSpecification: the catalog does not have it.
        """
        return _found(self.resource_specifications, ref, "resource specification")


EntryT = TypeVar("EntryT", bound=Entry)


def ref_of_text(text: str) -> Ref:
    """Return what ``id`` or ``id@version`` refers to."""
    key, _, version = text.partition("@")
    return Ref(id=key, version=version)


def ref_of(entry: Entry) -> Ref:
    """Return the reference to that very version."""
    return Ref(id=entry.id, version=entry.version)


def _found(entries: Shelf[EntryT], ref: Ref, kind: str) -> EntryT:
    found = entries.named(ref.id, ref.version)
    if found is None:
        raise UnknownSpecification(kind, str(ref), tuple(sorted(entries.versions)))
    return found
