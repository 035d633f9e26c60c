"""The work of SOM: reserve, activate, take into the inventory; modify and cease; release what failed.

An item goes waiting → reserving → activating → done; an add that fails and a delete that succeeds go through
releasing, unless a device may still carry what would be released. Each step ends with the transaction; the next one
begins with an event of the layer below.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from activation.contracts import ROLLBACK_FAILED, ServiceActivation
from activation.errors import ActivationError
from inventory.documents import Document
from inventory.ledger import Job, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.catalog.model import Catalog
from orders.documents import href, stamp
from orders.errors import MappingError, OrdersError
from orders.service.contracts import ResourceOrdering
from orders.service.decompose import needs, part_values, same_needs
from orders.service.documents import (
    activation_request,
    error_message,
    releasing_order,
    reserved,
    reserving_order,
)
from orders.service.inventory import Change, ServiceInventory
from orders.service.model import ItemTask, Part, Phase, SentOrder, load_tasks
from orders.service.progress import save_progress
from orders.states import FINAL, OrderState

_MONITOR_ENDS: Final = frozenset({"Completed", "InError"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOrderHandler:
    """Moves service orders, one event at a time."""

    catalog: Catalog
    orders: DocumentStore
    inventory: ServiceInventory
    resources: ResourceOrdering
    activation: ServiceActivation

    def start(self, job: Job, uow: UnitOfWork) -> None:
        """Begin every item of an acknowledged order; an order that already moved is left alone."""
        row = self.orders.get(uow, job.payload["order"])
        if row.state != OrderState.ACKNOWLEDGED:
            return
        waiting = load_tasks(row.task)
        tasks = {key: replace(task, state=OrderState.IN_PROGRESS) for key, task in waiting.items()}
        running = save_progress(self.orders, uow, row, tasks)
        begun = {key: self._begin(uow, running, task) for key, task in tasks.items()}
        save_progress(self.orders, uow, running, begun)

    def follow_resource_order(self, job: Job, uow: UnitOfWork) -> None:
        """Take in what ROM reports of an order that this layer sent; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        external_id = str(report.get("externalId", ""))
        state = OrderState(report.get("state", OrderState.ACKNOWLEDGED))
        if state in FINAL:
            self._continue(uow, external_id, lambda row, task: self._reported(uow, row, task, report))

    def follow_monitor(self, job: Job, uow: UnitOfWork) -> None:
        """Take in that an activation of this layer's waits for people, or how it ended; anything else is not ours."""
        report = job.event.document if job.event is not None else {}
        external_id = str(report.get("externalId", ""))
        ended = report.get("state") in _MONITOR_ENDS
        if "review" in report:
            waits = report["review"]["state"] == "waiting" and not ended
            notes = (f"held: {report['review']['because']}; {report['review']['href']}",) if waits else ()
            self._continue(uow, external_id, lambda _, task: _held(task, waits=waits), notes)
        if ended:
            self._continue(uow, external_id, lambda row, task: self._activated(uow, row, task, report))

    def _continue(
        self,
        uow: UnitOfWork,
        external_id: str,
        step: Callable[[Row, ItemTask], ItemTask],
        notes: Sequence[str] = (),
    ) -> None:
        """Apply ``step`` to the item that ``external_id`` belongs to, where there is one."""
        row = self.orders.find(uow, external_id.partition(":")[0])
        if row is None or row.state in FINAL:
            return
        tasks = load_tasks(row.task)
        task = next((each for each in tasks.values() if _owns(row, each, external_id)), None)
        if task is not None:
            save_progress(self.orders, uow, row, {**tasks, task.item_id: step(row, task)}, notes)

    def _begin(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        begin = {"add": self._begin_add, "modify": self._begin_modify, "delete": self._begin_delete}[task.action]
        try:
            return begin(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, _errors(error, uow))

    def _begin_add(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        parts = tuple(
            Part(service_id=str(uuid4()), specification_id=need.specification_id, requires=need.requires)
            for need in needs(self.catalog, task.composition)
        )
        composition = replace(task.composition, parts=parts)
        reserving = replace(task, composition=composition, phase=Phase.RESERVING)
        for part in (each for each in parts if each.requires):
            reserving = self._reserve(uow, row, reserving, part)
        return reserving if reserving.sent else self._reserved(uow, row, reserving)

    def _reserve(self, uow: UnitOfWork, row: Row, task: ItemTask, part: Part) -> ItemTask:
        external_id = f"{row.id}:{task.item_id}:{part.service_id}"
        order = reserving_order(self.catalog, part, task.composition, external_id)
        try:
            self.resources.place(uow, order, correlation_id=row.correlation_id)
        except OrdersError as error:
            # The orders already sent run on; their reports lead to the release of what they took.
            return task.with_errors(_errors(error, uow))
        return replace(task, sent=(*task.sent, SentOrder(external_id=external_id, part=part.service_id)))

    def _begin_modify(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        composition = task.composition
        if not same_needs(composition.parts, needs(self.catalog, composition)):
            reason = "the change needs other resources; cease the service and order it anew"
            raise MappingError(composition.specification_id, "supportedBy", reason)
        values = part_values(self.catalog, composition)
        changed = replace(task, composition=replace(composition, part_values=values), phase=Phase.ACTIVATING)
        if values == composition.part_values:
            # No device would notice: only the inventory has something to learn.
            return self._finish(uow, row, changed)
        request = activation_request(self.catalog, task.service_id, changed.composition)
        self.activation.modify(uow, request, external_id=_activation_id(row, task), correlation_id=row.correlation_id)
        return changed

    def _begin_delete(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        self.activation.terminate(
            uow, task.service_id, external_id=_activation_id(row, task), correlation_id=row.correlation_id
        )
        return replace(task, phase=Phase.ACTIVATING)

    def _reported(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        external_id, state = report["externalId"], OrderState(report["state"])
        sent = next(each for each in task.sent if each.external_id == external_id)
        if sent.state in FINAL:
            return task
        task = task.with_report(external_id, state)
        if state != OrderState.COMPLETED:
            task = task.with_errors((_refusal(report, uow),))
        if task.phase is Phase.RELEASING:
            return self._finish(uow, row, task) if task.all_reported else task
        found = (*task.composition.resources, *reserved(report, sent.part))
        task = replace(task, composition=replace(task.composition, resources=found))
        return self._reserved(uow, row, task) if task.all_reported else task

    def _reserved(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        if task.errors:
            return self._fail(uow, row, task, ())
        try:
            return self._activate(uow, row, task)
        except (OrdersError, ActivationError) as error:
            return self._fail(uow, row, task, _errors(error, uow))

    def _activate(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        values = part_values(self.catalog, task.composition)
        composition = replace(task.composition, part_values=values)
        request = activation_request(self.catalog, task.service_id, composition)
        self.activation.create(uow, request, external_id=_activation_id(row, task), correlation_id=row.correlation_id)
        return replace(task, composition=composition, phase=Phase.ACTIVATING, sent=())

    def _activated(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        if task.phase is not Phase.ACTIVATING:
            return task
        if report["state"] == "InError":
            found = report.get("errorMessage") or [{"code": "activation", "reason": "the activation failed"}]
            errors = tuple(error_message(each, stamp(uow.now)) for each in found)
            if task.action == "add" and any(each.get("code") == ROLLBACK_FAILED for each in found):
                return self._finish(uow, row, task.with_errors((*errors, _kept(task, uow))))
            return self._fail(uow, row, task, errors)
        return self._release(uow, row, task) if task.action == "delete" else self._finish(uow, row, task)

    def _fail(self, uow: UnitOfWork, row: Row, task: ItemTask, errors: tuple[dict[str, Any], ...]) -> ItemTask:
        failed = task.with_errors(errors)
        return self._release(uow, row, failed) if task.action == "add" else self._finish(uow, row, failed)

    def _release(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        sent = []
        for part in task.composition.parts:
            resources = [each for each in task.composition.resources if each.part == part.service_id]
            if not resources:
                continue
            external_id = f"{row.id}:{task.item_id}:{part.service_id}:release"
            self.resources.place(uow, releasing_order(resources, external_id), correlation_id=row.correlation_id)
            sent.append(SentOrder(external_id=external_id, part=part.service_id))
        releasing = replace(task, phase=Phase.RELEASING, sent=tuple(sent))
        return releasing if sent else self._finish(uow, row, releasing)

    def _finish(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        change = Change(
            service_id=task.service_id,
            composition=task.composition,
            correlation_id=row.correlation_id,
            origin=_origin(row, task),
        )
        if task.action == "delete" and task.phase is Phase.RELEASING:
            # The devices are clean, whatever became of the resources.
            self.inventory.terminated(uow, change)
        elif not task.errors:
            self.inventory.activated(uow, change)
        if task.action != "add":
            self.inventory.claim(uow, task.service_id, None)
        return replace(
            task, phase=Phase.DONE, sent=(), state=OrderState.FAILED if task.errors else OrderState.COMPLETED
        )


def _held(task: ItemTask, *, waits: bool) -> ItemTask:
    """Return the task on hold while its plan waits for people, and in progress afterwards."""
    if task.phase is not Phase.ACTIVATING:
        return task
    return replace(task, state=OrderState.HELD if waits else OrderState.IN_PROGRESS)


def _owns(row: Row, task: ItemTask, external_id: str) -> bool:
    return external_id == _activation_id(row, task) or any(each.external_id == external_id for each in task.sent)


def _activation_id(row: Row, task: ItemTask) -> str:
    return f"{row.id}:{task.item_id}"


def _origin(row: Row, task: ItemTask) -> Mapping[str, Any]:
    order = {"serviceOrderId": row.id, "serviceOrderHref": href("serviceOrder", row.id)}
    return {**order, "itemId": task.item_id, "itemAction": task.action, "@referredType": "ServiceOrder"}


def _errors(error: Exception, uow: UnitOfWork) -> tuple[dict[str, Any], ...]:
    found = {"code": type(error).__name__, "reason": str(error), "message": str(error)}
    return (error_message(found, stamp(uow.now)),)


def _kept(task: ItemTask, uow: UnitOfWork) -> dict[str, Any]:
    """Say what stays reserved because a device may still carry it: given to another, it would serve two."""
    names = ", ".join(f"{each.name} ({each.id})" for each in task.composition.resources)
    reason = f"still reserved until the devices are mended: {names}; then release them with a resource order"
    return error_message({"code": "resourcesKept", "reason": reason, "message": reason}, stamp(uow.now))


def _refusal(report: Document, uow: UnitOfWork) -> dict[str, Any]:
    reason = "; ".join(each["text"] for each in report.get("note", ())) or f"resource order {report['state']}"
    return error_message({"code": "resourceOrder", "reason": reason, "message": reason}, stamp(uow.now))
