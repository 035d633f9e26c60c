"""Undoing an item, whatever it has come to: withdraw, let end, take back from the devices, give back.

What a device may still carry is not given back: an item is cancelled when its devices are as they were before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from activation.contracts import CANCELLED, ROLLBACK_FAILED
from activation.errors import ActivationError
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row
from orders.catalog.model import Catalog, PointOfNoReturn
from orders.errors import OrdersError
from orders.service.documents import activation_request
from orders.service.inventory import ServiceInventory
from orders.service.migration import is_migration
from orders.service.model import ItemTask, Phase
from orders.service.steps import Steps, activation_id, errors_of, has_code, reported_errors
from orders.service.waiting import ENGINEER, MANUAL_TASK
from orders.states import FINAL, OrderState

FIRST_PAUSE_S: Final = 5.0
LONGEST_PAUSE_S: Final = 300.0
_PAST: Final[Mapping[PointOfNoReturn, frozenset[Phase]]] = {
    "reserving": frozenset({Phase.RESERVING, Phase.ACTIVATING, Phase.DONE}),
    "activating": frozenset({Phase.ACTIVATING, Phase.DONE}),
    "completed": frozenset({Phase.DONE}),
}
"""The phases past each point of no return that a catalog can declare; a failed item gives back on its own."""


def needs_undoing(task: ItemTask) -> bool:
    """Say whether there is anything of the item to undo: one that ended without success undid itself."""
    return task.state not in FINAL or task.state is OrderState.COMPLETED


def is_stuck(task: ItemTask) -> bool:
    """Say whether the devices would not be as they were before: the item waits until somebody or time mends them."""
    return task.phase is Phase.UNDOING and bool(task.errors)


def pause_s(tries: int) -> float:
    """Return how long to wait before the devices are asked again."""
    return min(FIRST_PAUSE_S * 2.0 ** (tries - 1), LONGEST_PAUSE_S)


def no_return(
    uow: UnitOfWork, row: Row, tasks: Mapping[str, ItemTask], catalog: Catalog, inventory: ServiceInventory
) -> str:
    """Return why the items cannot be undone any more; empty where they can."""
    found = (_no_return(uow, row.id, task, catalog, inventory) for task in tasks.values() if needs_undoing(task))
    return "; ".join(reason for reason in found if reason)


def _no_return(uow: UnitOfWork, order_id: str, task: ItemTask, catalog: Catalog, inventory: ServiceInventory) -> str:
    item = f"item {task.item_id!r} is past the point of no return"
    if task.action == "delete" and task.phase in {Phase.RELEASING, Phase.DONE}:
        return f"{item}: the resources of service {task.service_id} are given back"
    if is_migration(task) and (task.phase is Phase.DONE or (task.is_retiring and task.phase is Phase.RELEASING)):
        return f"{item}: service {task.service_id} is made in its new way, and the old one is taken away"
    specification = catalog.customer_services.named(task.composition.specification_id, task.composition.version)
    declared = specification.point_of_no_return if specification is not None else None
    if declared is not None and task.phase in _PAST[declared]:
        return f"{item}, which the catalog declares at {declared!r} for {task.composition.specification_id!r}"
    if task.state is OrderState.COMPLETED and (
        other := inventory.changed_since(uow, task.service_id, task.composition, order_id)
    ):
        return f"{item}: {other}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Undoes items, one step at a time."""

    steps: Steps

    def begin(self, uow: UnitOfWork, row: Row, task: ItemTask, reason: str) -> ItemTask:
        """Return the item as it is once its undoing has begun."""
        task = replace(task, is_undoing=True)
        if task.undone:
            if task.action != "add":
                self.steps.inventory.claim(uow, task.service_id, row.id)
            return self.take_back(uow, row, task)
        if task.phase is Phase.WAITING:
            return self.steps.finish(uow, row, task)
        if task.waits_for in {ENGINEER, MANUAL_TASK}:
            return self._from_rest(uow, row, task)
        if task.phase is Phase.RESERVING:
            for each in task.sent:
                if each.state not in FINAL and each.order_id:
                    self.steps.resources.cancel(
                        uow,
                        each.order_id,
                        external_id=f"{each.external_id}:cancel",
                        reason=reason,
                        correlation_id=row.correlation_id,
                    )
        elif task.phase is Phase.ACTIVATING:
            self.steps.activation.cancel(uow, activation_id(row, task), reason=reason)
        return task

    def _from_rest(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Begin to undo an item of which nothing is on its way: it failed, or waits for an answer."""
        unclean, task = has_code(task.errors, ROLLBACK_FAILED), replace(task, errors=(), waits=None)
        return (
            self.take_back(uow, row, task)
            if unclean or task.is_retiring or task.fallback is not None
            else self._clean(uow, row, task)
        )

    def activated(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        """Go on where the request that was on its way when the order was cancelled has ended."""
        if report["state"] != "InError":
            return self.take_back(uow, row, task)
        errors = reported_errors(report, uow)
        if has_code(errors, ROLLBACK_FAILED):
            return replace(task.with_errors(errors), phase=Phase.UNDOING)
        if task.is_retiring or task.fallback is not None:
            # This request came to nothing, but the one before it, which brought the new parts, did.
            return self.take_back(uow, row, task)
        return self._clean(uow, row, task if has_code(errors, CANCELLED) else task.with_errors(errors))

    def taken_back(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        """Go on where the devices answered to the undoing; where they refuse, the item waits with what they said."""
        if report["state"] == "InError":
            return replace(task, errors=reported_errors(report, uow))
        return self._clean(uow, row, replace(task, errors=()))

    def take_back(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Ask the devices to be as they were before the item."""
        task = replace(task, phase=Phase.UNDOING, tries=task.tries + 1, errors=())
        try:
            self._ask(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return replace(task, errors=errors_of(error, uow))
        if task.action == "modify" and not _touches_devices(task):
            return self._clean(uow, row, task)
        return task

    def _ask(self, uow: UnitOfWork, row: Row, task: ItemTask) -> None:
        name, chain, activation = activation_id(row, task), row.correlation_id, self.steps.activation
        if task.action == "add":
            activation.terminate(uow, task.service_id, external_id=name, correlation_id=chain)
        elif task.action == "delete":
            request = activation_request(self.steps.catalog.current(uow), task.service_id, task.composition)
            activation.create(uow, request, external_id=name, correlation_id=chain)
        elif task.before is not None and _touches_devices(task):
            request = activation_request(self.steps.catalog.current(uow), task.service_id, task.before)
            activation.modify(uow, request, external_id=name, correlation_id=chain)

    def _clean(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """End an item whose devices are as they were before; what it reserved is given back first."""
        takes = task.action == "add" or is_migration(task)
        return self.steps.release(uow, row, task) if takes else self.steps.finish(uow, row, task)


def _touches_devices(task: ItemTask) -> bool:
    return task.before is None or task.fallback is not None or task.before.part_values != task.composition.part_values
