"""Steps that fulfilling and undoing share: give resources back, and end an item with what the inventory learns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from activation.contracts import ServiceActivation
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row
from orders.catalog.contracts import CatalogSource
from orders.documents import href, stamp
from orders.service.contracts import ResourceOrdering
from orders.service.documents import error_message, releasing_order
from orders.service.inventory import Change, ServiceInventory
from orders.service.migration import both, given_back
from orders.service.model import Composition, ItemTask, Part, Phase, Reserved, SentOrder
from orders.states import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What an item's steps need of the layers around."""

    catalog: CatalogSource
    inventory: ServiceInventory
    resources: ResourceOrdering
    activation: ServiceActivation

    def release(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Give back what the item reserved; return the task as it waits for that, or ended where there is nothing."""
        sent = []
        for part, resources in _by_part(given_back(task)).items():
            external_id = f"{row.id}:{task.item_id}:{part}:release"
            order = releasing_order(resources, external_id)
            order_id = self.resources.place(uow, order, correlation_id=row.correlation_id)
            sent.append(SentOrder(external_id=external_id, part=part, order_id=order_id))
        releasing = replace(task, phase=Phase.RELEASING, sent=tuple(sent), waits=None)
        return releasing if sent else self.finish(uow, row, releasing)

    def finish(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """End the item; write to the inventory what is verified, and let other orders for the service in."""
        if task.is_undoing:
            self._take_back(uow, row, task)
        elif task.action == "delete" and task.phase is Phase.RELEASING:
            # The devices are clean, whatever became of the resources.
            self.inventory.terminated(uow, change_of(row, task, task.composition))
        elif not task.errors or (task.is_retiring and task.phase is Phase.RELEASING):
            # Likewise: what was to be taken away is gone.
            self.inventory.activated(uow, change_of(row, task, task.composition, retired=task.retiring))
        elif task.is_retiring:
            # The new is in service and the old could not be taken away: another modify does.
            self.inventory.activated(uow, change_of(row, task, both(task)))
        if task.action != "add":
            self.inventory.claim(uow, task.service_id, None)
        return replace(task, phase=Phase.DONE, sent=(), waits=None, wish=None, fallback=None, state=_end_of(task))

    def _take_back(self, uow: UnitOfWork, row: Row, task: ItemTask) -> None:
        """Write to the inventory that an item which was completed is undone; of any other it never knew."""
        if not task.undone:
            return
        if task.action == "add":
            self.inventory.terminated(uow, change_of(row, task, task.composition))
        elif task.before is not None:
            self.inventory.activated(uow, change_of(row, task, task.before))


def change_of(row: Row, task: ItemTask, composition: Composition, *, retired: Iterable[Part] = ()) -> Change:
    """Return what the inventory is told about the item's service."""
    order = {"serviceOrderId": row.id, "serviceOrderHref": href("serviceOrder", row.id)}
    item = {"itemId": task.item_id, "itemAction": task.action, "@referredType": "ServiceOrder"}
    return Change(
        service_id=task.service_id,
        composition=composition,
        correlation_id=row.correlation_id,
        origin={**order, **item},
        retired=tuple(part.service_id for part in retired),
        by_hand=task.by_hand,
    )


def activation_id(row: Row, task: ItemTask) -> str:
    """Return what SOM calls the activation request of an item: each one, and each try to undo one, by its own name."""
    name = f"{row.id}:{task.item_id}"
    if task.phase is Phase.UNDOING:
        return f"{name}:undo:{task.tries}"
    name = f"{name}:retire" if task.is_retiring else name
    return f"{name}:again:{task.attempt}" if task.attempt else name


def owns(row: Row, task: ItemTask, external_id: str) -> bool:
    """Say whether a report about ``external_id`` is about this item as it stands."""
    return external_id == activation_id(row, task) or any(each.external_id == external_id for each in task.sent)


def errors_of(error: Exception, uow: UnitOfWork) -> tuple[dict[str, Any], ...]:
    """Return an exception as error messages of an item."""
    return (_message(type(error).__name__, str(error), uow),)


def kept(task: ItemTask, uow: UnitOfWork) -> dict[str, Any]:
    """Say what stays reserved because a device may still carry it: given to another, it would serve two."""
    names = ", ".join(f"{each.name} ({each.id})" for each in given_back(task))
    reason = f"still reserved until the devices are mended: {names}; then release them with a resource order"
    return _message("resourcesKept", reason, uow)


def dependency_failed(reason: str, uow: UnitOfWork) -> dict[str, Any]:
    """Return that an item was not begun, as what it waits for came to nothing."""
    return _message("dependencyFailed", reason, uow)


def refusal(report: Document, uow: UnitOfWork) -> dict[str, Any]:
    """Return why a resource order came to nothing."""
    reason = "; ".join(each["text"] for each in report.get("note", ())) or f"resource order {report['state']}"
    return _message("resourceOrder", reason, uow)


def reported_errors(report: Document, uow: UnitOfWork) -> tuple[dict[str, Any], ...]:
    """Return what a monitor that ended InError says, as error messages of an item."""
    found = report.get("errorMessage") or [{"code": "activation", "reason": "the activation failed"}]
    return tuple(error_message(each, stamp(uow.now)) for each in found)


def has_code(errors: tuple[Mapping[str, Any], ...], code: str) -> bool:
    """Say whether one of the error messages has this code."""
    return any(each.get("code") == code for each in errors)


def _message(code: str, reason: str, uow: UnitOfWork) -> dict[str, Any]:
    return error_message({"code": code, "reason": reason, "message": reason}, stamp(uow.now))


def _by_part(resources: Iterable[Reserved]) -> Mapping[str, list[Reserved]]:
    found: dict[str, list[Reserved]] = {}
    for each in resources:
        found.setdefault(each.part, []).append(each)
    return found


def _end_of(task: ItemTask) -> OrderState:
    if task.is_undoing:
        return OrderState.CANCELLED
    return OrderState.FAILED if task.errors else OrderState.COMPLETED
