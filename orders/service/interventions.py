"""What people ask of a service order that is under way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row
from orders.catalog.characteristics import check_values
from orders.documents import with_notes
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import refuse
from orders.interventions import (
    HOLD,
    WAITING_FOR,
    Intervention,
    chosen,
    held_by,
    is_echo,
    is_on_hold,
    not_now,
    waits_for_resume,
)
from orders.life import is_to_wait
from orders.places import Places
from orders.service.decompose import needs
from orders.service.handler import ServiceOrderHandler
from orders.service.jobs import START
from orders.service.migration import is_migration
from orders.service.model import ItemTask, Phase, load_tasks
from orders.service.placing import put_on
from orders.service.progress import save_progress
from orders.service.reshaping import Reshaping
from orders.service.steps import activation_id
from orders.service.suspension import lifted
from orders.service.undo import Undo, no_return
from orders.service.waiting import DEVICE, ENGINEER, MANUAL_TASK, SKIP, STATES
from orders.states import FINAL, ON_THE_WAY, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInterventions:
    """Does what is asked at once, or refuses it; the work that follows goes the way of every order."""

    handler: ServiceOrderHandler
    places: Places

    def apply(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Do what ``wish`` says, and return the order as it is then; what stands so already is not done again.

        Raises:
            OrderConflict: it cannot be done now; names what can. Nothing was changed.
            UnknownResource: no order has this id.
        """
        do: Mapping[str, Callable[[UnitOfWork, Row, Intervention], Row]] = {
            "hold": self._hold,
            "resume": self._resume,
            "note": self._note,
            "retry": self._retry,
            "repair": self._repair,
            "skip": self._skip,
            "compensate": self._compensate,
            "answer": self._answer,
            "amend": self._amend,
        }
        row = self.handler.orders.get(uow, order_id)
        try:
            return do[wish.action](uow, row, wish).document
        except OrderConflict:
            if is_echo(row, wish):
                return row.document
            raise

    def _retry(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        tasks = load_tasks(row.task)
        task = tasks[chosen(row, wish, waiting={ENGINEER, DEVICE})]
        if task.waits_for == DEVICE and not task.is_undoing:
            # Its rollback is tried again by itself, and goes to its end.
            raise not_now(row, wish)
        row = self._mark(uow, row, wish, row.task)
        return self.handler.save(uow, row, {**tasks, task.item_id: self._once_more(uow, row, task)})

    def _repair(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        tasks = load_tasks(row.task)
        task = tasks[chosen(row, wish, waiting={ENGINEER})]
        if task.action == "delete":
            raise not_now(row, wish)
        task = self._with_values(uow, task, wish.values)
        if wish.port is not None:
            task = put_on(self.handler.steps.catalog.current(uow), task, wish.port)
        row = self._mark(uow, row, wish, row.task)
        again = self._once_more if wish.port is None else self.handler.work.put_elsewhere
        return self.handler.save(uow, row, {**tasks, task.item_id: again(uow, row, task)})

    def _skip(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        tasks = load_tasks(row.task)
        task = tasks[chosen(row, wish, waiting={ENGINEER, DEVICE})]
        if SKIP not in (task.waits or {})["legal"]:
            raise not_now(row, wish)
        row = self._mark(uow, row, wish, row.task)
        task = replace(task, by_hand=f"{wish.by}: {wish.reason}")
        return self.handler.save(uow, row, {**tasks, task.item_id: self.handler.work.by_hand(uow, row, task)})

    def _amend(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if wish.is_about_items:
            return Reshaping(handler=self.handler, places=self.places).apply(uow, row, wish)
        if wish.offering is not None:
            legal = "characteristic; what a product is sold by is amended on the product order"
            raise InvalidOrder([Problem(path="productOffering", wrong="is not known to a service order", legal=legal)])
        tasks = load_tasks(row.task)
        task = self._amendable(uow, row, tasks, wish)
        base = replace(task, composition=task.wish or task.composition)
        changed = self._with_values(uow, base, wish.values)
        if changed.composition.values == base.composition.values:
            return row
        self._refuse_other_needs(uow, changed)
        row = self._mark(uow, row, wish, row.task)
        if task.phase is Phase.ACTIVATING and task.waits_for != ENGINEER:
            # What has not reached a device is withdrawn; what has goes to its end there, and is changed then.
            self.handler.steps.activation.cancel(uow, activation_id(row, task), reason=wish.said())
            task = replace(task, wish=changed.composition)
        else:
            task = changed
        return self.handler.save(uow, row, {**tasks, task.item_id: task})

    def _amendable(self, uow: UnitOfWork, row: Row, tasks: Mapping[str, ItemTask], wish: Intervention) -> ItemTask:
        found = [task for task in tasks.values() if _is_amendable(task) and wish.item in {"", task.item_id}]
        if not found or row.state not in ON_THE_WAY:
            reason = f"is {row.state}, and nothing of it can be amended any more; legal: a modify once it is completed"
            raise OrderConflict(wish.item or "amend", row.id, reason)
        if len(found) > 1:
            legal = ", ".join(task.item_id for task in found)
            raise InvalidOrder([Problem(path="item", wrong="is missing: several are under way", legal=legal)])
        steps = self.handler.steps
        passed = no_return(uow, row, {found[0].item_id: found[0]}, steps.catalog.current(uow), steps.inventory)
        if passed:
            raise OrderConflict(wish.item or "amend", row.id, f"{passed}; legal: a modify once it is completed")
        return found[0]

    def _refuse_other_needs(self, uow: UnitOfWork, task: ItemTask) -> None:
        if task.phase is Phase.WAITING:
            return
        wanted = needs(self.handler.steps.catalog.current(uow), task.composition)
        there = [(part.specification_id, part.requires) for part in task.composition.parts]
        if [(need.specification_id, need.requires) for need in wanted] != there:
            reason = "has reserved what it needs, and would need something else; legal: cancel it, and order anew"
            raise OrderConflict("characteristic", task.item_id, reason)

    def _once_more(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item with the step taken again that came to nothing."""
        if task.is_undoing:
            return Undo(steps=self.handler.steps).take_back(uow, row, task)
        task = replace(task, state=OrderState.IN_PROGRESS, errors=(), waits=None)
        if task.phase is Phase.RESERVING:
            return self.handler.work.reserve_missing(uow, row, task)
        # One that waits is begun with those whose turn it is.
        return task if task.phase is Phase.WAITING else self.handler.work.ask_again(uow, row, task)

    def _compensate(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        tasks = load_tasks(row.task)
        task = tasks[chosen(row, wish, waiting={ENGINEER})]
        row = self._mark(uow, row, wish, row.task)
        task = replace(task, state=OrderState.IN_PROGRESS, waits=None)
        return self.handler.save(uow, row, {**tasks, task.item_id: self.handler.work.give_back(uow, row, task)})

    def _answer(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        tasks = load_tasks(row.task)
        task = tasks[chosen(row, wish, waiting={MANUAL_TASK})]
        waits = task.waits or {}
        asked = [each["name"] for each in waits["asks"]]
        refuse(_answer_problems(asked, wish.values))
        answered = replace(self._with_values(uow, task, wish.values), answered=(*task.answered, waits["task"]))
        row = self._mark(uow, row, wish, row.task)
        task = replace(answered, state=OrderState.IN_PROGRESS, waits=None)
        if task.phase is Phase.RESERVING:
            task = self.handler.work.reserved(uow, row, task)
        return self.handler.save(uow, row, {**tasks, task.item_id: task})

    def _with_values(self, uow: UnitOfWork, task: ItemTask, values: Mapping[str, Any]) -> ItemTask:
        """Return the item with other characteristics of its service.

        Raises:
            InvalidOrder: one is not legal; names its path.
        """
        composition = replace(task.composition, values={**task.composition.values, **values})
        specification = self.handler.steps.catalog.current(uow).customer_service(composition.specification)
        refuse(check_values(specification.to_be_given(composition.values), composition.values, "characteristic"))
        return replace(task, composition=composition)

    def _note(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        document = with_notes(row.document, uow.now, [wish.reason], author=wish.by)
        return self.handler.orders.save(uow, row, replace(row, document=document))

    def _hold(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if is_on_hold(row):
            return row
        if row.state not in ON_THE_WAY:
            raise not_now(row, wish)
        row = self._mark(uow, row, wish, {**row.task, HOLD: held_by(wish, uow.now)})
        if row.state == OrderState.ACKNOWLEDGED and is_to_wait(row, uow.now):
            # It has not begun, and the official graph holds no such order: it just is not begun.
            document = {**row.document, WAITING_FOR: waits_for_resume(row)}
            return self.handler.orders.save(uow, row, replace(row, document=document))
        is_new = row.state == OrderState.ACKNOWLEDGED
        open_items = {
            key: task
            for key, task in load_tasks(row.task).items()
            if is_new or task.state is not OrderState.ACKNOWLEDGED
        }
        stopped = {key: self._stopped(uow, row, task, wish) for key, task in open_items.items()}
        tasks = {**load_tasks(row.task), **stopped}
        return save_progress(self.handler.orders, uow, row, tasks)

    def _stopped(self, uow: UnitOfWork, row: Row, task: ItemTask, wish: Intervention) -> ItemTask:
        if task.state in FINAL or task.is_leaving:
            return task
        if task.phase is Phase.ACTIVATING and task.waits_for != ENGINEER:
            # What has not reached a device is withdrawn; what has goes to its end there.
            self.handler.steps.activation.cancel(uow, activation_id(row, task), reason=wish.said())
        return replace(task, state=OrderState.HELD)

    def _resume(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if not is_on_hold(row):
            if row.state in {OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS}:
                return row
            raise not_now(row, wish)
        row, reports = lifted(self.handler.orders, uow, row)
        row = self._mark(uow, row, wish, row.task)
        if row.state == OrderState.ACKNOWLEDGED:
            document = {key: value for key, value in row.document.items() if key != WAITING_FOR}
            uow.enqueue(NewJob(kind=START, lane=row.correlation_id, payload={"order": row.id}))
            return self.handler.orders.save(uow, row, replace(row, document=document))
        running = {key: _running(task) for key, task in load_tasks(row.task).items()}
        self.handler.save(uow, row, running)
        for report in reports:
            self.handler.take_in(uow, report)
        return self.handler.orders.get(uow, row.id)

    def _mark(self, uow: UnitOfWork, row: Row, wish: Intervention, task: Mapping[str, Any]) -> Row:
        """Write down who asked for what, and why."""
        document = with_notes(row.document, uow.now, [wish.said()], author=wish.by)
        return self.handler.orders.save(uow, row, replace(row, document=document, task=task))


def _running(task: ItemTask) -> ItemTask:
    """Return the item as it is while its order is not on hold."""
    if task.state in FINAL or task.state is OrderState.ACKNOWLEDGED or task.is_leaving:
        return task
    return replace(task, state=STATES.get(task.waits_for, OrderState.IN_PROGRESS))


def _is_amendable(task: ItemTask) -> bool:
    phases = {Phase.WAITING, Phase.RESERVING, Phase.ACTIVATING}
    is_open = task.state not in FINAL and not task.is_undoing and not task.removed and task.phase in phases
    return is_open and task.action != "delete" and not is_migration(task) and task.fallback is None


def _answer_problems(asked: Sequence[str], values: Mapping[str, Any]) -> Iterator[Problem]:
    for name in asked:
        if name not in values:
            yield Problem(path=f"characteristic.{name}", wrong="is missing")
    for name in values.keys() - set(asked):
        legal = ", ".join(asked) or "none"
        yield Problem(path=f"characteristic.{name}", wrong="was not asked for", legal=legal)
