"""What people ask of a service order that is under way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row
from orders.documents import with_notes
from orders.errors import OrderConflict
from orders.interventions import (
    HOLD,
    WAITING_FOR,
    Intervention,
    held_by,
    is_echo,
    is_on_hold,
    not_now,
    waits_for_resume,
)
from orders.life import is_to_wait
from orders.service.handler import ServiceOrderHandler
from orders.service.jobs import START
from orders.service.model import ItemTask, Phase, load_tasks
from orders.service.progress import save_progress
from orders.service.steps import activation_id
from orders.service.suspension import lifted
from orders.states import FINAL, OrderState

_ON_THE_WAY = frozenset({OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS, OrderState.HELD, OrderState.PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInterventions:
    """Does what is asked at once, or refuses it; the work that follows goes the way of every order."""

    handler: ServiceOrderHandler

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
        }
        row = self.handler.orders.get(uow, order_id)
        try:
            return do[wish.action](uow, row, wish).document
        except OrderConflict:
            if is_echo(row, wish):
                return row.document
            raise

    def _note(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        document = with_notes(row.document, uow.now, [wish.reason], author=wish.by)
        return self.handler.orders.save(uow, row, replace(row, document=document))

    def _hold(self, uow: UnitOfWork, row: Row, wish: Intervention) -> Row:
        if is_on_hold(row):
            return row
        if row.state not in _ON_THE_WAY:
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
        if task.state in FINAL:
            return task
        if task.phase is Phase.ACTIVATING:
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
    if task.state in FINAL or task.state is OrderState.ACKNOWLEDGED:
        return task
    return replace(task, state=STATES.get(task.waits_for, OrderState.IN_PROGRESS))


STATES: Mapping[str, OrderState] = {"review": OrderState.HELD}
"""The state of an item by what it waits for."""
