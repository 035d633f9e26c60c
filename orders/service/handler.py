"""The work of SOM: reserve, activate, take into the inventory; modify and cease; release what failed; undo.

An item goes waiting → reserving → activating → done; an add that fails and a delete that succeeds go through
releasing, unless a device may still carry what would be released. An item that is cancelled goes on from where it is
(:mod:`orders.service.undo`). Each step ends with the transaction; the next one begins with an event of the layer below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from activation.contracts import CANCELLED, ROLLBACK_FAILED
from activation.errors import ActivationError
from inventory.documents import Document
from inventory.ledger import Job, NewJob, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.cancellation import CancelTasks, is_cancelled_now, reason_of
from orders.catalog.model import CustomerService, TaskGate
from orders.documents import with_standing_note
from orders.errors import OrdersError
from orders.interventions import is_on_hold
from orders.life import is_to_wait
from orders.service.decompose import needs, part_values, pinned
from orders.service.documents import activation_request, reserved, reserving_order, with_urgency
from orders.service.jobs import ESCALATE, UNDO_AGAIN, WAKE
from orders.service.migration import added, both, matched, redesigned
from orders.service.model import Composition, ItemTask, Part, Phase, SentOrder, load_tasks
from orders.service.progress import save_progress
from orders.service.sequence import due, lost, to_undo
from orders.service.steps import (
    Steps,
    activation_id,
    dependency_failed,
    errors_of,
    has_code,
    kept,
    owns,
    refusal,
    reported_errors,
)
from orders.service.suspension import kept_for_later, lifted
from orders.service.undo import Undo, is_stuck, needs_undoing, no_return, pause_s
from orders.service.waiting import (
    DEVICE,
    REVIEW,
    waits_for_answer,
    waits_for_device,
    waits_for_engineer,
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
                begun[key] = self._begin(uow, row, task) if ended is None else self._give_up(uow, row, task, ended)
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
        if is_on_hold(row):
            kept_for_later(self.orders, uow, row, report)
            return
        notes: list[str] = []
        if "orderItem" in report:
            task = self._reported(uow, row, task, report)
        elif report["state"] in _MONITOR_ENDS:
            task = self._activated(uow, row, _held(task, report, uow.now, notes), report)
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

    def _begin(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        begin = {"add": self._begin_add, "modify": self._begin_modify, "delete": self._begin_delete}[task.action]
        asked = self._asked(uow, row, task, "reserving")
        if asked is not None:
            return asked
        try:
            return begin(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, errors_of(error, uow))

    def _begin_add(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        self.steps.inventory.hold(uow, task.composition.relied.values(), row.id)
        parts = tuple(
            Part(
                service_id=str(uuid4()),
                specification_id=need.specification_id,
                requires=need.requires,
                version=need.version,
            )
            for need in needs(self.steps.catalog.current(uow), task.composition)
        )
        composition = replace(pinned(self.steps.catalog.current(uow), task.composition), parts=parts)
        reserving = replace(task, composition=composition, phase=Phase.RESERVING)
        for part in (each for each in parts if each.requires):
            reserving = self._reserve(uow, row, reserving, part)
        return reserving if reserving.sent else self.reserved(uow, row, reserving)

    def _reserve(self, uow: UnitOfWork, row: Row, task: ItemTask, part: Part) -> ItemTask:
        again = f":again{task.attempt}" if task.attempt else ""
        external_id = f"{row.id}:{task.item_id}{again}:{part.service_id}"
        order = reserving_order(self.steps.catalog.current(uow), part, task.composition, external_id)
        order = with_urgency(order, row.document)
        try:
            order_id = self.steps.resources.place(uow, order, correlation_id=row.correlation_id)
        except OrdersError as error:
            # The orders already sent run on; their reports lead to the release of what they took.
            return task.with_errors(errors_of(error, uow))
        sent = SentOrder(external_id=external_id, part=part.service_id, order_id=order_id)
        return replace(task, sent=(*task.sent, sent))

    def _begin_modify(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        task = replace(task, before=self.steps.inventory.compositions(uow, {task.service_id: ""})[task.service_id])
        task = replace(task, composition=pinned(self.steps.catalog.current(uow), task.composition))
        wanted = needs(self.steps.catalog.current(uow), task.composition)
        parts = matched(task.composition.parts, wanted, (str(uuid4()) for _ in wanted))
        task = replace(redesigned(task, parts), phase=Phase.RESERVING)
        for part in (each for each in added(task) if each.requires):
            task = self._reserve(uow, row, task, part)
        return task if task.sent else self.reserved(uow, row, task)

    def _begin_delete(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        self.steps.activation.terminate(
            uow, task.service_id, external_id=activation_id(row, task), correlation_id=row.correlation_id
        )
        return replace(task, phase=Phase.ACTIVATING)

    def _reported(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        external_id, state = report["externalId"], OrderState(report["state"])
        sent = next(each for each in task.sent if each.external_id == external_id)
        if sent.state in FINAL:
            return task
        task = task.with_report(external_id, state)
        if state != OrderState.COMPLETED and not (task.is_undoing and state == OrderState.CANCELLED):
            task = task.with_errors((refusal(report, uow),))
        if task.phase is Phase.RELEASING:
            return self.steps.finish(uow, row, task) if task.all_reported else task
        found = (*task.composition.resources, *reserved(report, sent.part))
        task = replace(task, composition=replace(task.composition, resources=found))
        return self.reserved(uow, row, task) if task.all_reported else task

    def reserve_missing(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item with what it lacks reserved anew."""
        there = {each.part for each in task.composition.resources}
        task = replace(task, attempt=task.attempt + 1, sent=())
        for part in (each for each in added(task) if each.requires and each.service_id not in there):
            task = self._reserve(uow, row, task, part)
        return task if task.sent else self.reserved(uow, row, task)

    def reserved(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Go on where every resource order of the item has ended."""
        if task.is_undoing:
            return self.steps.release(uow, row, task)
        if task.errors:
            return self._fail(uow, row, task, ())
        asked = self._asked(uow, row, task, "activating")
        if asked is not None:
            return asked
        try:
            return self._activate(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, errors_of(error, uow))

    def _activate(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        catalog = self.steps.catalog.current(uow)
        relied = self.steps.inventory.compositions(uow, dict.fromkeys(task.composition.relied.values(), ""))
        composition = replace(task.composition, part_values=part_values(catalog, task.composition, relied))
        task = replace(task, composition=composition, phase=Phase.ACTIVATING, sent=())
        if task.before is None:
            request = activation_request(catalog, task.service_id, composition)
            chain = row.correlation_id
            self.steps.activation.create(uow, request, external_id=activation_id(row, task), correlation_id=chain)
            return task
        if composition.part_values == task.before.part_values and task.fallback is None:
            # No device would notice: only the inventory has something to learn.
            return self.steps.finish(uow, row, task)
        self._modify(uow, row, task, both(task) if added(task) else composition)
        return task

    def _modify(self, uow: UnitOfWork, row: Row, task: ItemTask, composition: Composition) -> None:
        request = activation_request(self.steps.catalog.current(uow), task.service_id, composition)
        chain = row.correlation_id
        self.steps.activation.modify(uow, request, external_id=activation_id(row, task), correlation_id=chain)

    def _modified(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Go on where the devices have what was asked for: take the old parts away, then give back what they had."""
        if not task.retiring:
            return self.steps.finish(uow, row, task)
        made = not task.is_retiring and bool(added(task))
        task = replace(task, is_retiring=True)
        if not made:
            return self.steps.release(uow, row, task)
        try:
            self._modify(uow, row, task, task.composition)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, errors_of(error, uow))
        return task

    def _activated(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        undo = Undo(steps=self.steps)
        if task.phase is Phase.UNDOING:
            return undo.taken_back(uow, row, task, report)
        if task.phase is not Phase.ACTIVATING:
            return task
        if task.is_undoing:
            return undo.activated(uow, row, task, report)
        if task.wish is not None:
            return self._amended(uow, row, task, report)
        if report["state"] == "InError":
            errors = reported_errors(report, uow)
            # Withdrawn although nobody cancels the order: it was on hold.
            withdrawn = has_code(errors, CANCELLED)
            return self.ask_again(uow, row, task) if withdrawn else self._fail(uow, row, task, errors)
        return self._accepted(uow, row, task)

    def _accepted(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        if task.action == "modify":
            return self._modified(uow, row, task)
        return self.steps.release(uow, row, task) if task.action == "delete" else self.steps.finish(uow, row, task)

    def _amended(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        """Go on with what the service is to be instead: from nothing, or from what the devices have by now."""
        before, wish = task.composition, task.wish or task.composition
        task = replace(task, composition=wish, wish=None)
        if report["state"] == "InError":
            errors = reported_errors(report, uow)
            failed = has_code(errors, ROLLBACK_FAILED)
            return self._fail(uow, row, task, errors) if failed else self.ask_again(uow, row, task)
        task = replace(task, fallback=before, attempt=task.attempt + 1, state=OrderState.IN_PROGRESS, waits=None)
        try:
            values = part_values(self.steps.catalog.current(uow), wish)
            task = replace(task, composition=replace(wish, part_values=values))
            if values == before.part_values:
                return self.steps.finish(uow, row, task)
            self._modify(uow, row, task, task.composition)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, errors_of(error, uow))
        return task

    def ask_again(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item with its request to the devices sent anew, as what it wants stands by now."""
        task = replace(task, attempt=task.attempt + 1, state=OrderState.IN_PROGRESS, waits=None)
        try:
            if task.action == "delete":
                return self._begin_delete(uow, row, task)
            if task.is_retiring:
                self._modify(uow, row, task, task.composition)
                return task
            return self._activate(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, errors_of(error, uow))

    def by_hand(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item once it is told that people did its step on the devices; it says itself who and why."""
        if task.is_undoing:
            task = replace(task, tries=task.tries + 1, errors=(), waits=None)
            target = {"add": None, "delete": task.composition, "modify": task.before}[task.action]
        else:
            task = replace(task, attempt=task.attempt + 1, errors=(), waits=None, state=OrderState.IN_PROGRESS)
            is_making = task.before is not None and not task.is_retiring and bool(added(task))
            target = None if task.action == "delete" else both(task) if is_making else task.composition
        catalog, name = self.steps.catalog.current(uow), activation_id(row, task)
        wanted = activation_request(catalog, task.service_id, target) if target is not None else None
        try:
            self.steps.activation.declare(
                uow, task.service_id, wanted, external_id=name, correlation_id=row.correlation_id
            )
        except ActivationError as error:
            errors = errors_of(error, uow)
            return replace(task, errors=errors) if task.is_undoing else self._fail(uow, row, task, errors)
        return task

    def _asked(self, uow: UnitOfWork, row: Row, task: ItemTask, gate: TaskGate) -> ItemTask | None:
        """Return the item as it waits for what somebody has to do before this step; None where there is nothing."""
        specification = self._specification(uow, task)
        if specification is None or task.action != "add":
            return None
        waiting = (
            each for each in specification.manual_tasks if each.before == gate and each.name not in task.answered
        )
        manual = next(waiting, None)
        if manual is None:
            return None
        waits = waits_for_answer(task, manual, specification, uow.now)
        if manual.escalate_after_h is not None:
            late = {"order": row.id, "item": task.item_id, "since": waits["since"]}
            job = NewJob(kind=ESCALATE, lane=row.correlation_id, payload=late)
            alarm(uow, WAKE, uow.now + timedelta(hours=manual.escalate_after_h), job)
        return replace(task, state=OrderState.PENDING, waits=waits)

    def _specification(self, uow: UnitOfWork, task: ItemTask) -> CustomerService | None:
        known = self.steps.catalog.current(uow).customer_services
        return known.named(task.composition.specification_id, task.composition.version)

    def _fail(self, uow: UnitOfWork, row: Row, task: ItemTask, errors: tuple[dict[str, Any], ...]) -> ItemTask:
        if task.fallback is not None:
            # The devices have what was ordered at first, verified: that is what the item comes to.
            why = "; ".join(str(each.get("message") or each.get("reason")) for each in errors)
            tell = f"item {task.item_id!r} could not be amended, and is as it was ordered at first: {why}"
            return self.steps.finish(uow, row, replace(task, composition=task.fallback, errors=(), tell=tell))
        failed = replace(task.with_errors(errors), by_hand="")
        specification = self._specification(uow, task)
        if specification is not None and specification.on_failure == "hold":
            return replace(failed, state=OrderState.HELD, waits=waits_for_engineer(failed, uow.now))
        return self.give_back(uow, row, failed)

    def give_back(self, uow: UnitOfWork, row: Row, failed: ItemTask) -> ItemTask:
        """End an item that failed: what it took is given back, unless a device may still carry it."""
        task = failed
        if has_code(task.errors, ROLLBACK_FAILED) and added(task) and not task.is_retiring:
            return self.steps.finish(uow, row, task.with_errors((kept(task, uow),)))
        took = task.action == "add" or (task.action == "modify" and not task.is_retiring)
        return self.steps.release(uow, row, failed) if took else self.steps.finish(uow, row, failed)


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
    return task if task.state in FINAL else replace(task, state=OrderState.ASSESSING_CANCELLATION)


def _rollback_note(rollback: Mapping[str, Any]) -> str:
    tries = rollback["tries"]
    return (
        f"rolling back on {', '.join(rollback['devices'])} since {rollback['since']}, {tries} "
        f"{'try' if tries == 1 else 'tries'} so far: {rollback['reason']}; {rollback['href']}"
    )


def _pending(task: ItemTask) -> ItemTask:
    was_completed = task.state is OrderState.COMPLETED
    if not needs_undoing(task):
        return task
    return replace(task, state=OrderState.PENDING_CANCELLATION, undone=was_completed)
