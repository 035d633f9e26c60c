"""Rules on orders and what they caused: nobody waits for nothing, and parents and children agree. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from activation.service_activation import run_job
from activation.states import MONITOR, MonitorState, ReviewState
from api.fsck.lifecycles import items_of
from api.fsck.model import Enqueue, Entity, Finding, Redeliver, Repair
from orders.product.jobs import FOLLOW_SERVICE_ORDER
from orders.product.jobs import START as START_PRODUCT_ORDER
from orders.resource.jobs import START as START_RESOURCE_ORDER
from orders.service.jobs import FOLLOW_MONITOR, FOLLOW_RESOURCE_ORDER
from orders.service.jobs import START as START_SERVICE_ORDER
from orders.states import FINAL, OrderState

WAITS_FOR_PEOPLE: Final = frozenset({OrderState.PENDING, OrderState.HELD})
"""States in which an order rests until somebody decides: a row, and no job."""
_START: Final = {
    "productOrder": START_PRODUCT_ORDER,
    "serviceOrder": START_SERVICE_ORDER,
    "resourceOrder": START_RESOURCE_ORDER,
}
_FOLLOW: Final = {
    "serviceOrder": FOLLOW_SERVICE_ORDER,
    "resourceOrder": FOLLOW_RESOURCE_ORDER,
    "monitor": FOLLOW_MONITOR,
}
"""Which job hands the event of a child to the layer above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """An order with what it sent to the layer below.

    Attributes:
        sent: the external ids under which it knows its children, as far as it remembers any.
    """

    entity: Entity
    children: Sequence[Entity] = ()
    sent: frozenset[str] = field(default_factory=frozenset)


def is_open(entity: Entity) -> bool:
    """Say whether the order or the monitor has not ended."""
    if entity.kind == "monitor":
        return not MONITOR.is_final(MonitorState(entity.row.state))
    return entity.row.state not in FINAL


def _is_under_review(entity: Entity) -> bool:
    review = entity.row.document.get("review", {}) if entity.kind == "monitor" else {}
    return review.get("state") == ReviewState.WAITING


def check_progress(parent: Parent, at_work: frozenset[str]) -> Iterator[Finding]:
    """Yield what is wrong with an order that has not ended: a job or an open child must move it on.

    Args:
        parent: the order.
        at_work: the orders and monitors that a job moves, or whose event a job carries.
    """
    entity = parent.entity
    if not is_open(entity) or entity.row.state in WAITS_FOR_PEOPLE or _is_under_review(entity):
        return
    known = {child.row.external_id for child in parent.children}
    for external_id in sorted(parent.sent - known):
        text = f"it waits for {external_id!r}, which is not there"
        yield Finding(rule="child-missing", kind=entity.kind, id=entity.row.id, text=text)
    moving = {entity.row.id, *(child.row.id for child in parent.children)}
    if moving & at_work or any(is_open(child) for child in parent.children):
        return
    text = f"it is {entity.row.state!r} and nothing moves it: no job, no open child"
    repairs = tuple(_lost_jobs(parent))
    yield Finding(rule="order-stuck", kind=entity.kind, id=entity.row.id, text=text, repairs=repairs)


def _lost_jobs(parent: Parent) -> Iterator[Repair]:
    row, kind = parent.entity.row, parent.entity.kind
    if kind == "monitor":
        job = run_job(str(row.task["serviceId"]), row.id)
        yield Enqueue(job_kind=job.kind, lane=job.lane, payload=job.payload)
    elif row.state == OrderState.ACKNOWLEDGED:
        yield Enqueue(job_kind=_START[kind], lane=row.correlation_id, payload={"order": row.id})
    else:
        # Layers take in a report once, so that those they know already may come again.
        for child in parent.children:
            if child.last_event is not None:
                yield Redeliver(
                    job_kind=_FOLLOW[child.kind], lane=row.correlation_id, event_id=child.last_event.event_id
                )


def check_children(parent: Parent) -> Iterator[Finding]:
    """Yield where an order that has ended disagrees with what it caused."""
    entity = parent.entity
    if is_open(entity):
        return
    for child in parent.children:
        if is_open(child):
            text = f"it is {entity.row.state!r}, its {child.kind} {child.row.id} is still {child.row.state!r}"
            yield Finding(rule="child-open", kind=entity.kind, id=entity.row.id, text=text)
    items = items_of(entity.kind, entity.row.document)
    if entity.kind == "productOrder":
        yield from chain.from_iterable(_against_service_order(entity, items, child) for child in parent.children)
    elif entity.kind == "serviceOrder":
        yield from chain.from_iterable(_against_work(entity, items, child) for child in parent.children)


def _against_service_order(entity: Entity, items: Mapping[str, Any], child: Entity) -> Iterator[Finding]:
    for key, reported in items_of(child.kind, child.row.document).items():
        # TMF622 has no partial items: one that is not complete has failed.
        due = OrderState.FAILED if reported["state"] == OrderState.PARTIAL else reported["state"]
        if key in items and not is_open(child) and items[key]["state"] != due:
            text = (
                f"item {key!r} is {items[key]['state']!r}, its service order {child.row.id} says {reported['state']!r}"
            )
            yield Finding(rule="child-disagrees", kind=entity.kind, id=entity.row.id, text=text)


def _against_work(entity: Entity, items: Mapping[str, Any], child: Entity) -> Iterator[Finding]:
    """A completed item stands on work that was completed."""
    good = MonitorState.COMPLETED if child.kind == "monitor" else OrderState.COMPLETED
    external_id = child.row.external_id or ""
    for key, item in items.items():
        mine = f"{entity.row.id}:{key}"
        belongs = external_id == mine or external_id.startswith(f"{mine}:")
        attempt = entity.row.task.get("items", {}).get(key, {}).get("attempt", 0)
        if attempt and not external_id.endswith(f":again:{attempt}"):
            # What came to nothing was asked anew.
            continue
        if belongs and item["state"] == OrderState.COMPLETED and child.row.state != good:
            text = f"item {key!r} is completed, its {child.kind} {child.row.id} is {child.row.state!r}"
            yield Finding(rule="child-disagrees", kind=entity.kind, id=entity.row.id, text=text)
