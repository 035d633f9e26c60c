"""Writes down how far a service order is: item states, the order's state from them, errors, dates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from inventory.documents import Document, characteristic_list
from inventory.ledger import Move, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.documents import merged, stamp, with_notes
from orders.interventions import WAITING_FOR, tell_of_need, waits_for_resume
from orders.items import advanced, with_holders
from orders.service.bodies import ITEMS
from orders.service.documents import order_error_messages
from orders.service.model import ItemTask, dump_tasks
from orders.service.states import ITEM, ORDER
from orders.service.waiting import ENGINEER
from orders.states import FINAL, OrderState, roll_up, way

_CANCELLING: Final = frozenset({OrderState.ASSESSING_CANCELLATION, OrderState.PENDING_CANCELLATION})


def save_progress(
    store: DocumentStore,
    uow: UnitOfWork,
    before: Row,
    tasks: Mapping[str, ItemTask],
    notes: Sequence[str] = (),
    *,
    others: OrderState | None = None,
) -> Row:
    """Store what ``tasks`` say, with ``notes``, and return the stored row; an unchanged order is not written.

    ``others`` is what an order that is being cancelled makes of its noChange items, unless they have ended.
    """
    is_leaving = before.state in _CANCELLING or others is OrderState.ASSESSING_CANCELLATION

    def change(item: Document) -> tuple[Document, OrderState | None]:
        task = tasks.get(item["id"])
        if task is None and item.get(ITEMS):
            return item, None
        changed = _item(item, task, others if is_leaving else None)
        return changed, OrderState(changed["state"])

    out = with_holders(before.document[ITEMS], ITEMS, {key for key, task in tasks.items() if task.removed}, tasks)
    items, states = advanced(
        before.document[ITEMS], ITEMS, change, lambda item, to: _record(uow, before, item, to), out
    )
    document: Document = {**before.document, ITEMS: items}
    state = roll_up(states, before=OrderState(before.state))
    errors = order_error_messages({task.item_id: task.errors for task in tasks.values() if _is_told(task)})
    document = merged(document, {"state": state, "errorMessage": errors or None, **_dates(before, state, uow)})
    waiting = [*waits_for_resume(before), *(task.waits for task in tasks.values() if task.waits is not None)]
    document = with_notes(merged(document, {WAITING_FOR: waiting or None}), uow.now, notes)
    before = _on_the_way(store, uow, before, state)
    after = replace(before, state=state, document=document, task={**before.task, **dump_tasks(tasks)})
    if (after.document, after.task) == (before.document, before.task):
        return before
    saved = store.save(uow, before, after, reason=errors[0].get("reason", "") if errors else "")
    if state is OrderState.PENDING is not before.state:
        tell_of_need(store, uow, saved)
    return saved


def _on_the_way(store: DocumentStore, uow: UnitOfWork, before: Row, state: OrderState) -> Row:
    """Return the order one legal move before ``state``; that it went on in between is told like any move."""
    if state == before.state:
        return before
    for middle in way(ORDER, OrderState(before.state), state)[:-1]:
        items, _ = advanced(before.document[ITEMS], ITEMS, _begun, lambda _, to: to)
        document = {**before.document, ITEMS: items, "state": middle}
        before = store.save(uow, before, replace(before, state=middle, document=document))
    return before


def _begun(item: Document) -> tuple[Document, OrderState]:
    state = OrderState(item["state"])
    return item, OrderState.IN_PROGRESS if state is OrderState.ACKNOWLEDGED else state


def _is_told(task: ItemTask) -> bool:
    """Whether the errors of the item are the order's by now: it has ended, or cannot be undone for the time being."""
    return task.state in FINAL or task.is_undoing or task.waits_for == ENGINEER


def _item(item: Document, task: ItemTask | None, other: OrderState | None) -> Document:
    if task is None and other is not None:
        return item if item["state"] in FINAL else {**item, "state": other}
    if task is None:
        # noChange: begins and ends with the order's first step.
        begun = item["state"] != OrderState.ACKNOWLEDGED
        return {**item, "state": OrderState.COMPLETED if begun else OrderState.IN_PROGRESS}
    changed = {**item, "state": task.state}
    if not _is_told(task):
        return {key: value for key, value in changed.items() if key != "errorMessage"}
    if task.errors:
        return {**changed, "errorMessage": list(task.errors)}
    if task.is_undoing:
        kept = {key: value for key, value in changed.items() if key != "errorMessage"}
        return {**kept, "service": {**item["service"], "state": _state_before(task)}} if task.undone else kept
    return {**changed, "service": {**_as_made(item["service"], task), "state": _service_state(task)}}


def _as_made(service: Document, task: ItemTask) -> Document:
    """Return the service of an item with the characteristics that it has in the end, amended or answered meanwhile."""
    listed = service.get("serviceCharacteristic", ())
    values = task.composition.values
    known = {each["name"] for each in listed}
    kept = [{**each, "value": values.get(each["name"], each["value"])} for each in listed]
    added = [] if task.action == "delete" else characteristic_list({k: v for k, v in values.items() if k not in known})
    return {**service, "serviceCharacteristic": [*kept, *added]} if kept or added else service


def _service_state(task: ItemTask) -> str:
    return "terminated" if task.action == "delete" else "active"


def _state_before(task: ItemTask) -> str:
    return "terminated" if task.action == "add" else "active"


def _record(uow: UnitOfWork, row: Row, item: Document, to: OrderState) -> OrderState:
    before = OrderState(item["state"])
    for state in way(ITEM, before, to) if before is not to else ():
        move = Move(
            resource_kind="serviceOrder", resource_id=row.id, item=item["id"], from_state=before, to_state=state
        )
        uow.record(move)
        before = state
    return to


def _dates(before: Row, state: OrderState, uow: UnitOfWork) -> dict[str, Any]:
    if state == before.state:
        return {}
    if state in _CANCELLING:
        return {}
    if state is OrderState.CANCELLED:
        return {"cancellationDate": stamp(uow.now)}
    started = {} if "startDate" in before.document else {"startDate": stamp(uow.now)}
    return {**started, "completionDate": stamp(uow.now)} if state in FINAL else started
