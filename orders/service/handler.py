"""The work of SOM: reserve, activate, take into the inventory; modify and cease; release what failed; undo.

An item goes waiting → reserving → activating → done; an add that fails and a delete that succeeds go through
releasing, unless a device may still carry what would be released. An item that is cancelled goes on from where it is
(:mod:`orders.service.undo`). Each step ends with the transaction; the next one begins with an event of the layer below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from inventory.documents import Document
from inventory.ledger import Job, NewJob, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks, is_cancelled_now, reason_of
from orders.documents import with_standing_note
from orders.interventions import is_on_hold
from orders.life import is_to_wait
from orders.service.fulfil import Fulfilment
from orders.service.jobs import UNDO_AGAIN, WAKE
from orders.service.model import ItemTask, Phase, load_tasks
from orders.service.progress import save_progress
from orders.service.sequence import due, lost, to_undo
from orders.service.steps import (
    Steps,
    dependency_failed,
    owns,
)
from orders.service.suspension import kept_for_later, lifted
from orders.service.undo import Undo, is_stuck, needs_undoing, no_return, pause_s
from orders.service.waiting import (
    DEVICE,
    REVIEW,
    waits_for_device,
    waits_for_review,
)
from orders.service.waiting import stuck as still_waits
from orders.states import FINAL, OrderState
from orders.timers import alarm

_MONITOR_ENDS: Final = frozenset({"Completed", "InError"})
_ROLLBACK: Final = "rollback"
"""Begins the id of the note about a rollback that waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrderHandler:
    """Moves service orders, one event at a time."""

    orders: DocumentStore
    cancels: CancelTasks
    steps: Steps

    @property
    def work(self) -> Fulfilment:
        """What is done about one item."""
        return Fulfilment(steps=self.steps)

    def start(self, job: Job, uow: UnitOfWork) -> None:
        """Begin every item of an acknowledged order; an order that already moved is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        if row.state != OrderState.ACKNOWLEDGED or is_cancelled_now(row, uow.now) or is_to_wait(row, uow.now):
            return
        if is_on_hold(row):
            return
        tasks = load_tasks(row.task)
        if not tasks:
            row = save_progress(self.orders, uow, row, tasks)
            save_progress(self.orders, uow, row, tasks)
            return
        self._go_on(uow, row, tasks)

    def _go_on(self, uow: UnitOfWork, row: Row, tasks: Mapping[str, ItemTask]) -> Row:
        """Begin, or undo, every item whose turn it is by now; return the order as it stands then."""
        while True:
            unfit = {task.item_id: reason for task, reason in lost(tasks)}
            turn = [*due(tasks), *(tasks[key] for key in unfit)]
            undone = to_undo(tasks)
            if not turn and not undone:
                if row.state in FINAL:
                    for task in tasks.values():
                        self.steps.inventory.let_go(uow, task.composition.relied.values(), row.id)
                return row
            begun = {task.item_id: replace(task, state=OrderState.IN_PROGRESS) for task in turn}
            if begun:
                tasks = {**tasks, **begun}
                row = save_progress(self.orders, uow, row, tasks)
            for key, task in begun.items():
                ended = unfit.get(key)
                begun[key] = self.work.begin(uow, row, task) if ended is None else self._give_up(uow, row, task, ended)
            undo, reason = Undo(steps=self.steps), str(row.document.get("cancellationReason", ""))
            begun |= {task.item_id: undo.begin(uow, row, task, reason) for task in undone}
            tasks = {**tasks, **begun}
            row = save_progress(self.orders, uow, row, tasks, others=OrderState.CANCELLED)

    def _give_up(self, uow: UnitOfWork, row: Row, task: ItemTask, reason: str) -> ItemTask:
        return self.steps.finish(uow, row, task.with_errors((dependency_failed(reason, uow),)))

    def cancel(self, job: Job, uow: UnitOfWork) -> None:
        """Assess a cancel task and begin to undo the order's items; where that is too late, the order goes on."""
        task = self.cancels.begin(uow, job.payload["task"])
        if task is None:
            return
        row = self.cancels.order_of(uow, task)
        if row.state in FINAL:
            self.cancels.refused(uow, row, f"the service order is {row.state}")
            return
        items = load_tasks(row.task)
        assessed = {key: _assessed(item) for key, item in items.items()}
        assessing = save_progress(self.orders, uow, row, assessed, others=OrderState.ASSESSING_CANCELLATION)
        too_late = no_return(uow, assessing, items, self.steps.catalog.current(uow), self.steps.inventory)
        if too_late:
            restored = save_progress(self.orders, uow, assessing, items, [f"not cancelled: {too_late}"])
            self.cancels.refused(uow, restored, too_late)
            return
        assessing, reports = lifted(self.orders, uow, assessing)
        undoing = {key: _pending(item) for key, item in items.items()}
        assessing = replace(assessing, document={**assessing.document, "cancellationReason": reason_of(task)})
        pending = save_progress(self.orders, uow, assessing, undoing, others=OrderState.PENDING_CANCELLATION)
        self.save(uow, pending, undoing)
        for report in reports:
            self.take_in(uow, report)

    def undo_again(self, job: Job, uow: UnitOfWork) -> None:
        """Ask the devices once more to be as they were; an item that went on meanwhile is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        tasks = load_tasks(row.task)
        task = tasks[job.payload["item"]]
        if task.phase is Phase.UNDOING and task.errors and task.tries == job.payload["tries"]:
            self.save(uow, row, {**tasks, task.item_id: Undo(steps=self.steps).take_back(uow, row, task)})

    def follow_resource_order(self, job: Job, uow: UnitOfWork) -> None:
        """Take in what ROM reports of an order that this layer sent; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        if OrderState(report.get("state", OrderState.ACKNOWLEDGED)) in FINAL:
            self.take_in(uow, report)

    def follow_monitor(self, job: Job, uow: UnitOfWork) -> None:
        """Take in that an activation of this layer's waits for people, or how it ended; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        self._tell_of_rollback(uow, str(report.get("externalId", "")), report.get("rollback"))
        if "review" in report or report.get("state") in _MONITOR_ENDS:
            self.take_in(uow, report)

    def take_in(self, uow: UnitOfWork, report: Document) -> None:
        """Let the item go on that a layer below reports of; while its order is on hold the report is kept for later."""
        external_id = str(report.get("externalId", ""))
        row = self.orders.find(uow, external_id.partition(":")[0])
        if row is None or row.state in FINAL:
            return
        tasks = load_tasks(row.task)
        task = next((each for each in tasks.values() if owns(row, each, external_id)), None)
        if task is None:
            return
        if is_on_hold(row) and not task.is_leaving:
            kept_for_later(self.orders, uow, row, report)
            return
        notes: list[str] = []
        if "orderItem" in report:
            task = self.work.reported(uow, row, task, report)
        elif report["state"] in _MONITOR_ENDS:
            task = self.work.activated(uow, row, _held(task, report, uow.now, notes), report)
        else:
            task = _held(task, report, uow.now, notes)
        self.save(uow, row, {**tasks, task.item_id: task}, notes)

    def save(self, uow: UnitOfWork, row: Row, tasks: Mapping[str, ItemTask], notes: Sequence[str] = ()) -> Row:
        """Store how far the items are, begin those whose turn it is, and end the task of a cancelled order."""
        before = load_tasks(row.task)
        stuck = [
            replace(task, waits=still_waits(task, uow.now))
            for key, task in tasks.items()
            if is_stuck(task) and task != before[key]
        ]
        tasks = {**tasks, **{task.item_id: task for task in stuck}}
        new = (task for task in stuck if before[task.item_id].waits_for != DEVICE)
        said = (f"item {task.item_id!r} cannot be undone yet: {task.errors[-1]['reason']}" for task in new)
        told = [task.tell for task in tasks.values() if task.tell]
        tasks = {key: replace(task, tell="") if task.tell else task for key, task in tasks.items()}
        saved = save_progress(self.orders, uow, row, tasks, [*notes, *told, *said], others=OrderState.CANCELLED)
        saved = self._go_on(uow, saved, tasks)
        for task in stuck:
            again = {"order": row.id, "item": task.item_id, "tries": task.tries}
            job = NewJob(kind=UNDO_AGAIN, lane=row.correlation_id, payload=again)
            alarm(uow, WAKE, uow.now + timedelta(seconds=pause_s(task.tries)), job)
        if saved.state == OrderState.CANCELLED:
            self.cancels.done(uow, saved, "everything of the order is undone")
        return saved

    def _tell_of_rollback(self, uow: UnitOfWork, external_id: str, rollback: Mapping[str, Any] | None) -> None:
        """Keep one note on the order while what was begun waits to be rolled back, and none afterwards."""
        row = self.orders.find(uow, external_id.partition(":")[0])
        if row is None or row.state in FINAL:
            return
        text = _rollback_note(rollback) if rollback is not None else ""
        document = with_standing_note(row.document, uow.now, f"{_ROLLBACK}:{external_id}", text)
        if document is not row.document:
            row = self.orders.save(uow, row, replace(row, document=document))
        tasks = load_tasks(row.task)
        task = next((each for each in tasks.values() if owns(row, each, external_id)), None)
        if task is None or task.waits_for not in {"", DEVICE} or (not text and task.phase is not Phase.ACTIVATING):
            return
        waits = waits_for_device(task, text, str(rollback["since"]), ["hold", "cancel", "note"]) if rollback else None
        save_progress(self.orders, uow, row, {**tasks, task.item_id: replace(task, waits=waits)})


def _held(task: ItemTask, report: Document, now: datetime, notes: list[str]) -> ItemTask:
    """Return the task on hold while its plan waits for people, and in progress afterwards; ``notes`` get why."""
    if task.phase is not Phase.ACTIVATING or task.is_undoing or "review" not in report:
        return task
    review = report["review"]
    if review["state"] != "waiting" or report["state"] in _MONITOR_ENDS:
        return replace(task, state=OrderState.IN_PROGRESS, waits=None)
    if task.waits_for != REVIEW:
        notes.append(f"held: {review['because']}; {review['href']}")
    return replace(task, state=OrderState.HELD, waits=waits_for_review(task, review, now))


def _assessed(task: ItemTask) -> ItemTask:
    return task if task.state in FINAL or task.is_leaving else replace(task, state=OrderState.ASSESSING_CANCELLATION)


def _rollback_note(rollback: Mapping[str, Any]) -> str:
    tries = rollback["tries"]
    return (
        f"rolling back on {', '.join(rollback['devices'])} since {rollback['since']}, {tries} "
        f"{'try' if tries == 1 else 'tries'} so far: {rollback['reason']}; {rollback['href']}"
    )


def _pending(task: ItemTask) -> ItemTask:
    was_completed = task.state is OrderState.COMPLETED
    if not needs_undoing(task) or task.is_leaving:
        return task
    return replace(task, state=OrderState.PENDING_CANCELLATION, undone=was_completed)
