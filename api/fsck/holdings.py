"""Rules on what is held: reservations, pools, fragments, services and products. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final

from activation.states import CONFIGURED
from activation.states import ServiceState as ActivationState
from api.fsck.model import Finding, Held, RebuildPools, Release, Unclaim
from inventory.documents import characteristics
from inventory.pools import PoolKey, Span, free_spans
from inventory.reservations import VALUE_NAMES
from inventory.store import Row
from orders.product.states import ProductStatus
from orders.service.states import ServiceState
from orders.states import FINAL, OrderState

_LIVE_PRODUCT: Final = frozenset({ProductStatus.ACTIVE, ProductStatus.SUSPENDED, ProductStatus.PENDING_TERMINATE})


def check_reservation(held: Held) -> Iterator[Finding]:
    """Yield what is wrong with one reservation."""
    if held.resource is None:
        yield _reservation(held, "reservation-without-resource", "its resource is not there", release=True)
    elif (shown := _shown_value(held.resource, held.allocation)) != _named(held):
        text = f"it holds {_named(held)!r} of {held.pool!r}, its resource says {shown!r}"
        yield _reservation(held, "reservation-value", text)
    if held.owner is None:
        text = f"the resource order of its owner {held.owner_key!r} is not there"
        yield _reservation(held, "reservation-without-owner", text, release=True)
    elif held.owner.state in FINAL and held.owner.state != OrderState.COMPLETED:
        text = f"its resource order {held.owner.id} is {held.owner.state!r}"
        yield _reservation(held, "reservation-unused", text, release=True)
    elif held.parent is not None and held.parent.state in FINAL and held.used_by is None:
        text = f"its service order {held.parent.id} is {held.parent.state!r}, and no live service uses it"
        yield _reservation(held, "reservation-unused", text, release=True)


def _reservation(held: Held, rule: str, text: str, *, release: bool = False) -> Finding:
    if held.used_by is not None:
        text += f"; service {held.used_by} uses it"
    if held.unrestored:
        text += "; a device may still carry it: a rollback of its chain failed"
    if held.in_flight:
        text += "; an order of its chain has not ended"
    safe = release and held.used_by is None and not held.unrestored and not held.in_flight
    repairs = (Release(resource_id=held.resource_id),) if safe else ()
    return Finding(rule=rule, kind="reservation", id=held.resource_id, text=text, repairs=repairs)


def _named(held: Held) -> object:
    return str(IPv4Address(held.value)) if held.allocation == "address" else held.value


def _shown_value(resource: Row, allocation: str) -> object:
    return characteristics(resource.document, "resourceCharacteristic").get(VALUE_NAMES[allocation])


def check_reserved(resources: Sequence[Row], reserved: frozenset[str]) -> Iterator[Finding]:
    """Yield the reserved resources that no reservation stands behind."""
    for row in resources:
        if row.state == "reserved" and row.id not in reserved:
            text = f"{row.document.get('name', row.id)} is reserved, and no reservation stands behind it"
            yield Finding(rule="resource-without-reservation", kind="resource", id=row.id, text=text)


def check_used(uses: Mapping[str, str], known: frozenset[str]) -> Iterator[Finding]:
    """Yield the resources that live services (resource id to service id) stand on and that are not there."""
    for resource_id, service_id in uses.items():
        if resource_id not in known:
            text = f"it stands on resource {resource_id}, which is not reserved"
            yield Finding(rule="service-without-resource", kind="service", id=service_id, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFacts:
    """One pool: what it should hold (None: the network has no such pool), what is free, what is taken."""

    key: PoolKey
    whole: Span | None
    free: Sequence[Span]
    taken: Sequence[int]


def check_pool(pool: PoolFacts) -> Iterator[Finding]:
    """Yield what is wrong with one pool: free spans and reservations together are the pool, and nothing twice."""
    name = f"{pool.key.allocation} {pool.key.name}"
    if pool.whole is None:
        if pool.taken:
            text = f"{len(pool.taken)} values are reserved of a pool that the network has not"
            yield Finding(rule="pool-unknown", kind="pool", id=name, text=text)
        if pool.free:
            text = "values are free of a pool that the network has not"
            yield Finding(rule="pool-spans", kind="pool", id=name, text=text, repairs=(RebuildPools(),))
        return
    outside = [value for value in pool.taken if not pool.whole.holds(value)]
    if outside:
        text = f"reserved outside of it: {', '.join(map(str, outside[:5]))}"
        yield Finding(rule="pool-outside", kind="pool", id=name, text=text)
    due = list(free_spans(pool.whole, sorted(pool.taken)))
    if sorted(pool.free) != due:
        text = f"free is {_spans(pool.free)}, by the reservations it is {_spans(due)}"
        yield Finding(rule="pool-spans", kind="pool", id=name, text=text, repairs=(RebuildPools(),))


def _spans(spans: Sequence[Span]) -> str:
    shown = ", ".join(f"{span.first}-{span.last}" for span in sorted(spans)[:4])
    return (shown or "nothing") + (", …" if len(spans) > 4 else "")  # noqa: PLR2004 - as many as are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFacts:
    """One customer-facing service of the inventory with what belongs to it.

    Attributes:
        states: the states of the services it is made of, by id; None: not there.
        fragments: the ids of the services that have configuration under it.
        activation: the state that TMF640 knows; None: it knows none.
        ordered_by: the ended product order that made it; None: it was ordered directly, or the order runs on.
        product: the product that it realizes.
    """

    row: Row
    states: Mapping[str, str | None]
    fragments: frozenset[str]
    activation: str | None
    ordered_by: str | None
    product: str | None


def check_service(facts: ServiceFacts) -> Iterator[Finding]:
    """Yield what is wrong with a customer-facing service that no order is changing."""
    row = facts.row
    if row.task.get("order"):
        return
    is_active = row.state == ServiceState.ACTIVE
    for part, state in facts.states.items():
        if state != row.state:
            text = f"it is {row.state!r}, its part {part} is {state!r}"
            yield Finding(rule="service-parts", kind="service", id=row.id, text=text)
        if is_active and part not in facts.fragments:
            text = f"it is active, its part {part} has no configuration on any device"
            yield Finding(rule="service-without-fragments", kind="service", id=row.id, text=text)
    if is_active != (facts.activation == ActivationState.ACTIVE):
        text = f"it is {row.state!r}, the activation core says {facts.activation!r}"
        yield Finding(rule="service-activation", kind="service", id=row.id, text=text)
    if is_active and facts.ordered_by is not None and facts.product is None:
        text = f"product order {facts.ordered_by} made it, and no live product stands on it"
        yield Finding(rule="service-without-product", kind="service", id=row.id, text=text)


def check_product(row: Row, service_state: str | None) -> Iterator[Finding]:
    """Yield what is wrong with a product that no order is changing; ``service_state`` None: it has no service."""
    if row.task.get("order") or row.state not in _LIVE_PRODUCT or row.document.get("isBundle"):
        # A bundle stands on its parts.
        return
    if service_state in {None, ServiceState.TERMINATED}:
        text = f"it is {row.state!r}, its service is {service_state or 'not there'!r}"
        yield Finding(rule="product-without-service", kind="product", id=row.id, text=text)


def is_live_product(state: str) -> bool:
    """Say whether a product in this state stands on a service."""
    return state in _LIVE_PRODUCT


def check_claim(kind: str, row: Row, orders: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a product or service that still names an order in flight which has ended; ``orders``: id to state."""
    order_id = row.task.get("order")
    if order_id and (order_id not in orders or orders[order_id] in FINAL):
        state = orders.get(order_id, "not there")
        text = f"order {order_id} counts as in flight for it, and is {state!r}: no other order is taken"
        repairs = (Unclaim(kind=kind, resource_id=row.id),) if order_id in orders else ()
        yield Finding(rule="claim-stale", kind=kind, id=row.id, text=text, repairs=repairs)


def check_fragments(root_id: str, service_ids: frozenset[str], service: Row | None) -> Iterator[Finding]:
    """Yield what is wrong with the configuration kept for one TMF640 service."""
    if service is None or service.state not in CONFIGURED:
        state = "not there" if service is None else service.state
        text = f"configuration on devices is kept for it, and it is {state!r}"
        yield Finding(rule="fragment-without-service", kind="fragment", id=root_id, text=text)
        return
    parts: Sequence[Mapping[str, Any]] = service.document.get("supportingService") or ()
    strangers = service_ids - {root_id, *(str(part.get("id")) for part in parts)}
    for stranger in sorted(strangers):
        text = f"configuration is kept under it for {stranger}, which it is not made of"
        yield Finding(rule="fragment-without-service", kind="fragment", id=root_id, text=text)


def check_activation(row: Row, *, has_fragments: bool) -> Iterator[Finding]:
    """Yield what is wrong with one TMF640 service: one in service, or only out of it, has configuration somewhere."""
    if row.state in CONFIGURED and not has_fragments:
        text = f"it is {row.state}, and no configuration is kept for it on any device"
        yield Finding(rule="service-without-fragments", kind="activationService", id=row.id, text=text)
