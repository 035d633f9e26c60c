"""The work of COM: hand the order on to the service layer, and take in what it reports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from inventory.documents import Document
from inventory.ledger import Job, Move, UnitOfWork
from inventory.lifecycle import Lifecycle
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks, is_cancelled_now, reason_of
from orders.catalog.contracts import CatalogSource
from orders.documents import AUTHOR, merged, stamp, with_notes, with_notes_below
from orders.errors import OrdersError
from orders.interventions import WAITING_FOR, is_on_hold, tell_of_need
from orders.items import advanced, flat, own_states, with_holders
from orders.life import is_to_wait
from orders.product.bodies import ITEMS
from orders.product.contracts import ServiceOrdering
from orders.product.decompose import delivered, service_order
from orders.product.inventory import ProductInventory
from orders.product.model import load_tasks
from orders.product.states import ITEM, ORDER
from orders.states import FINAL, LEAVING, OrderState, TaskState, roll_up

SERVICE_ORDER: Final = "serviceOrder"
"""Where an order's private data names the service order that realizes it."""
_ON_HOLD: Final = frozenset({OrderState.HELD, OrderState.PENDING})
"""States that nobody is in on the way to another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrderHandler:
    """Moves product orders, one event at a time."""

    catalog: CatalogSource
    orders: DocumentStore
    cancels: CancelTasks
    inventory: ProductInventory
    services: ServiceOrdering

    def start(self, job: Job, uow: UnitOfWork) -> None:
        """Place the service order of an acknowledged order; an order that already moved is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        if row.state != OrderState.ACKNOWLEDGED or is_cancelled_now(row, uow.now) or is_to_wait(row, uow.now):
            return
        if not is_on_hold(row):
            self.begin(uow, self.all_to(uow, row, OrderState.IN_PROGRESS))

    def begin(self, uow: UnitOfWork, running: Row) -> None:
        """Place the service order of an order that is in progress."""
        every, row, states = load_tasks(running.task), running, own_work(running)
        for task in (each for each in every.values() if not each.removed):
            self.inventory.started(uow, row, task)
        tasks = {key: task for key, task in every.items() if not task.is_bundle and not task.removed}
        unchanged = {key: OrderState.COMPLETED for key in states if key not in tasks and states[key] not in FINAL}
        running = self.save(uow, running, unchanged)
        if not tasks:
            return
        try:
            order = service_order(self.catalog.current(uow), row.document, tasks.values())
            order_id = self.services.place(uow, order, correlation_id=row.correlation_id)
        except OrdersError as error:
            self.end(uow, running, dict.fromkeys(tasks, OrderState.FAILED), {}, [str(error)])
        else:
            self.orders.save(uow, running, replace(running, task={**running.task, SERVICE_ORDER: order_id}))

    def cancel(self, job: Job, uow: UnitOfWork) -> None:
        """Pass a cancel task down to the service layer; an order that has not begun is discarded."""
        task = self.cancels.begin(uow, job.payload["task"])
        if task is None:
            return
        row = self.cancels.order_of(uow, task)
        too_late = self._too_late(uow, row)
        if too_late:
            self.cancels.refused(uow, row, too_late)
            return
        reason = reason_of(task)
        has_begun = row.state != OrderState.ACKNOWLEDGED
        if not has_begun:
            # TMF622 cancels no order before it has begun.
            row = self.all_to(uow, row, OrderState.IN_PROGRESS)
        row = replace(row, document={**row.document, "cancellationReason": reason})
        row = self.all_to(uow, row, OrderState.ASSESSING_CANCELLATION)
        if has_begun and SERVICE_ORDER in row.task:
            order_id, chain = row.task[SERVICE_ORDER], row.correlation_id
            self.services.cancel(uow, order_id, external_id=task.id, reason=reason, correlation_id=chain)
            return
        row = self.all_to(uow, row, OrderState.PENDING_CANCELLATION)
        open_items = _open_items(row)
        self.end(uow, row, dict.fromkeys(open_items, OrderState.CANCELLED), {}, [])

    def follow_cancel(self, job: Job, uow: UnitOfWork) -> None:
        """Take in why SOM does not cancel an order; where it does, the order's own events say so."""
        report = job.event.document if job.event is not None else {}
        task = self.cancels.store.find(uow, str(report.get("externalId", "")))
        if task is None or report["state"] != TaskState.TERMINATED_WITH_ERROR:
            return
        row = self.cancels.refused(uow, self.cancels.order_of(uow, task), report["errorMessage"]["reason"])
        if row.state == OrderState.ASSESSING_CANCELLATION:
            self.all_to(uow, row, OrderState.IN_PROGRESS)

    def _too_late(self, uow: UnitOfWork, row: Row) -> str:
        if row.state in FINAL:
            return f"the product order is {row.state}"
        completed = [key for key, state in own_work(row).items() if state is OrderState.COMPLETED]
        tasks = load_tasks(row.task)
        found = (self.inventory.changed_since(uow, row, tasks[key]) for key in completed if key in tasks)
        return "; ".join(each for each in found if each)

    def all_to(self, uow: UnitOfWork, row: Row, to: OrderState) -> Row:
        """Move every open item, and with them the order."""
        return self.save(uow, row, dict.fromkeys(_open_items(row), to))

    def follow_service_order(self, job: Job, uow: UnitOfWork) -> None:
        """Take in what SOM reports of an order that this layer sent; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        row = self.orders.find(uow, str(report.get("externalId", "")))
        if row is None or row.state in FINAL or report["state"] == OrderState.ACKNOWLEDGED:
            return
        if row.task.get(SERVICE_ORDER) != report["id"]:
            row = self.orders.save(uow, row, replace(row, task={**row.task, SERVICE_ORDER: report["id"]}))
        reported, state = _order_state(report["state"]), OrderState(row.state)
        if job.event is not None and not job.event.event_type.endswith("StateChangeEvent"):
            # How far it is, its next change of state says; this is about whom it waits for.
            self.end(uow, row, _undone(row, report), {}, (), below=report)
            return
        way = _way(ORDER, state, reported)
        if not way and reported is not state:
            # Told before what is known by now: a report that came late.
            return
        for passed in way[:-1]:
            # What SOM went through and nobody told: an event that was lost, or it ended before it assessed anything.
            row = self.all_to(uow, row, passed)
        items = {item["id"]: item for item in report["serviceOrderItem"]}
        states = {key: _item_state(item["state"]) for key, item in items.items()}
        services = {key: item["service"] for key, item in items.items()}
        self.end(uow, row, states, services, _reasons(report), below=report)

    def refused_below(self, job: Job, uow: UnitOfWork) -> None:
        """Note that the service layer, in another process, does not do what was asked of an order under way."""
        report = job.event.document if job.event is not None else {}
        row = self.orders.find(uow, str(report.get("externalId", "")))
        if row is None:
            return
        said = (f"refused: {_reason(error)}" for error in report.get("errorMessage", ()))
        row = self.orders.save(uow, row, replace(row, document=with_notes(row.document, uow.now, said)))
        # Items that were to come, and that nobody fulfils now.
        named = (each for error in report.get("errorMessage", ()) for each in error.get("serviceOrderItem", ()))
        lost = {each["itemId"] for each in named} & set(_open_items(row))
        if lost:
            self.end(uow, row, dict.fromkeys(sorted(lost), OrderState.FAILED), {}, _reasons(report))

    def end(
        self,
        uow: UnitOfWork,
        row: Row,
        states: Mapping[str, OrderState],
        services: Mapping[str, Document],
        reasons: Iterable[str],
        *,
        below: Document | None = None,
    ) -> None:
        """Move the items to ``states``; write the products of those that ended."""
        tasks = load_tasks(row.task)
        ended = {key for key, state in own_work(row).items() if state not in FINAL and states.get(key) in FINAL}
        for key in sorted(key for key in ended & tasks.keys() if not tasks[key].is_bundle):
            if states[key] is OrderState.COMPLETED:
                task = delivered(self.catalog.current(uow), tasks[key], services[key])
                if task is not tasks[key]:
                    self.inventory.repaired(uow, row, task)
                self.inventory.completed(uow, row, task, services[key])
            elif states[key] is OrderState.CANCELLED:
                self.inventory.cancelled(uow, row, tasks[key])
            else:
                self.inventory.failed(uow, row, tasks[key])
        saved = self.save(uow, row, states, reasons, below=below)
        if saved.state == OrderState.CANCELLED:
            self.cancels.done(uow, saved, "everything of the order is undone")

    def save(
        self,
        uow: UnitOfWork,
        before: Row,
        states: Mapping[str, OrderState],
        reasons: Iterable[str] = (),
        *,
        below: Document | None = None,
    ) -> Row:
        """Move the items to ``states``; store the order with what ``below``, its service order, waits for."""
        own, ends = own_work(before), dict[str, OrderState]()

        def tell(item: Document, to: OrderState) -> OrderState:
            ends[item["id"]] = to
            return _moved(uow, before.id, item, to)

        moved = {**own, **{key: to for key, to in states.items() if key in own and _can_move(own[key], to)}}
        tasks = before.task["items"]
        out = with_holders(before.document[ITEMS], ITEMS, {key for key in tasks if tasks[key].get("removed")}, own)
        items, found = advanced(before.document[ITEMS], ITEMS, lambda item: (item, moved.get(item["id"])), tell, out)
        task = _with_states(before.task, moved)
        state = roll_up(found, before=OrderState(before.state))
        if state != before.state:
            ORDER.advance(OrderState(before.state), state)
        reasons = tuple(reasons) if state in FINAL or state is OrderState.HELD else ()
        document: Document = {
            **with_notes({**before.document, ITEMS: items}, uow.now, reasons),
            **_dates(state, uow),
            "state": state,
        }
        if below is not None:
            document = merged(with_notes_below(document, below), {WAITING_FOR: below.get(WAITING_FOR)})
        if (document, task) == (before.document, before.task):
            return before
        after = replace(before, state=state, document=document, task=task)
        self._end_bundles(uow, before, ends)
        if state in FINAL:
            self.inventory.let_go(uow, before)
        saved = self.orders.save(uow, before, after, reason="; ".join(reasons))
        if state is OrderState.PENDING is not before.state:
            tell_of_need(self.orders, uow, saved)
        return saved

    def _end_bundles(self, uow: UnitOfWork, row: Row, states: Mapping[str, OrderState]) -> None:
        """Write the bundles that end in this step: with the parts that are in use by now."""
        open_before = {item["id"] for item in flat(row.document, ITEMS) if item["state"] not in FINAL}
        gone = {item["id"] for item in flat(row.document, ITEMS) if item["state"] == OrderState.CANCELLED}
        cancelled = {key for key, state in states.items() if state is OrderState.CANCELLED} - gone
        bundles = {key for key, task in row.task["items"].items() if task.get("is_bundle")} & states.keys()
        for key in sorted(key for key in bundles if states[key] in FINAL and key in open_before | cancelled):
            task = load_tasks(row.task)[key]
            if states[key] in {OrderState.COMPLETED, OrderState.PARTIAL}:
                self.inventory.bundled(uow, row, task, load_tasks(row.task).values())
            elif states[key] is OrderState.CANCELLED:
                self.inventory.unbundled(uow, row, task)
            else:
                self.inventory.failed(uow, row, task)


def _way(lifecycle: Lifecycle[OrderState], state: OrderState, to: OrderState) -> tuple[OrderState, ...]:
    """Return the moves from ``state`` to ``to``: what was on hold, and is so for another reason, went on in between."""
    if state in _ON_HOLD and to in _ON_HOLD and to is not state:
        return (OrderState.IN_PROGRESS, to)
    return lifecycle.path(state, to, avoid=_ON_HOLD)


def _moved(uow: UnitOfWork, order_id: str, item: Document, to: OrderState) -> OrderState:
    """Record the item's moves, and return its state then."""
    state = OrderState(item["state"])
    # Reports come when the whole service order moves: that this item went on in between was told with its end.
    for passed in _way(ITEM, state, _item_state(to)) if _item_state(to) is not state else ():
        move = Move(
            resource_kind="productOrder", resource_id=order_id, item=item["id"], from_state=state, to_state=passed
        )
        uow.record(move)
        state = passed
    return state


def _can_move(state: OrderState, to: OrderState) -> bool:
    # An item that SOM has not begun yet is told as acknowledged, which it was before it was handed on.
    return to is not OrderState.ACKNOWLEDGED and (state not in FINAL or to is OrderState.PENDING_CANCELLATION)


def own_work(row: Row) -> dict[str, OrderState]:
    """Return the state of each item's own work."""
    return own_states(row.document, ITEMS, {key: task.get("state") for key, task in row.task["items"].items()})


def _with_states(task: Mapping[str, Any], states: Mapping[str, OrderState]) -> Mapping[str, Any]:
    """Return the private data with the states of items that hold others and work themselves."""
    items = task["items"]
    held = {key: each for key, each in items.items() if each.get("state") and states[key] != each["state"]}
    changed = {key: {**each, "state": states[key]} for key, each in held.items()}
    return {**task, "items": {**items, **changed}} if changed else task


def _open_items(row: Row) -> list[str]:
    return [
        key
        for key, state in own_work(row).items()
        if state not in FINAL and not (state in LEAVING and row.task["items"].get(key, {}).get("removed"))
    ]


def _undone(row: Row, report: Document) -> dict[str, OrderState]:
    """Return the states of items that were taken out of the order, as far as they are being undone."""
    told = {item["id"]: _item_state(item["state"]) for item in flat(report, "serviceOrderItem")}
    out = (key for key, task in row.task["items"].items() if task.get("removed"))
    return {key: told[key] for key in out if told.get(key) in LEAVING}


def _item_state(reported: str) -> OrderState:
    # TMF622 has no partial items: one that is not complete has failed.
    return OrderState.FAILED if reported == OrderState.PARTIAL else _order_state(reported)


def _order_state(reported: str) -> OrderState:
    # What was accepted here and is refused below has failed.
    return OrderState.FAILED if reported == OrderState.REJECTED else OrderState(reported)


def _dates(state: OrderState, uow: UnitOfWork) -> dict[str, Any]:
    if state is OrderState.CANCELLED:
        return {"cancellationDate": stamp(uow.now)}
    return {"completionDate": stamp(uow.now)} if state in FINAL else {}


def _reasons(report: Document) -> tuple[str, ...]:
    if report["state"] == OrderState.HELD:
        return tuple(each["text"] for each in report.get("note", ())[-1:] if each.get("author") == AUTHOR)
    found = (_reason(error) for error in report.get("errorMessage", ()))
    return tuple(dict.fromkeys(found))


def _reason(error: Document) -> str:
    text = str(error.get("message") or error.get("reason") or error.get("code") or "failed")
    device = error.get("device")
    return text if device is None or str(device) in text else f"{device}: {text}"
