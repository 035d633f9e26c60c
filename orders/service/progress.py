"""Writes down how far a service order is: item states, the order's state from them, errors, dates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import Move, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.documents import merged, stamp, with_items, with_notes
from orders.service.documents import order_error_messages
from orders.service.model import ItemTask, dump_tasks
from orders.service.states import ITEM, ORDER
from orders.states import FINAL, OrderState, roll_up


def save_progress(
    store: DocumentStore, uow: UnitOfWork, before: Row, tasks: Mapping[str, ItemTask], notes: Sequence[str] = ()
) -> Row:
    """Store what ``tasks`` say, with ``notes``, and return the stored row; an unchanged order is not written."""

    def change(item: Document) -> Document:
        changed = _item(item, tasks.get(item["id"]))
        _record(uow, before, item, changed)
        return changed

    document = with_items(before.document, "serviceOrderItem", change)
    state = roll_up(OrderState(item["state"]) for item in document["serviceOrderItem"])
    if state != before.state:
        ORDER.advance(OrderState(before.state), state)
    errors = order_error_messages({task.item_id: task.errors for task in tasks.values() if task.state in FINAL})
    document = merged(document, {"state": state, "errorMessage": errors or None, **_dates(before, state, uow)})
    document = with_notes(document, uow.now, notes)
    after = replace(before, state=state, document=document, task=dump_tasks(tasks))
    if (after.document, after.task) == (before.document, before.task):
        return before
    return store.save(uow, before, after, reason=errors[0].get("reason", "") if errors else "")


def _item(item: Document, task: ItemTask | None) -> Document:
    if task is None:
        # noChange: begins and ends with the order's first step.
        begun = item["state"] != OrderState.ACKNOWLEDGED
        return {**item, "state": OrderState.COMPLETED if begun else OrderState.IN_PROGRESS}
    changed = {**item, "state": task.state}
    if task.state not in FINAL:
        return changed
    if task.errors:
        return {**changed, "errorMessage": list(task.errors)}
    return {**changed, "service": {**item["service"], "state": _service_state(task)}}


def _service_state(task: ItemTask) -> str:
    return "terminated" if task.action == "delete" else "active"


def _record(uow: UnitOfWork, row: Row, old: Document, new: Document) -> None:
    if old["state"] == new["state"]:
        return
    ITEM.advance(OrderState(old["state"]), OrderState(new["state"]))
    move = Move(
        resource_kind="serviceOrder",
        resource_id=row.id,
        item=old["id"],
        from_state=old["state"],
        to_state=new["state"],
    )
    uow.record(move)


def _dates(before: Row, state: OrderState, uow: UnitOfWork) -> dict[str, Any]:
    if state == before.state:
        return {}
    started = {} if "startDate" in before.document else {"startDate": stamp(uow.now)}
    return {**started, "completionDate": stamp(uow.now)} if state in FINAL else started
