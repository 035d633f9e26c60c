"""Fulfilling one item: reserve, activate, take into the inventory; what fails is given back, or waits for people."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from activation.contracts import CANCELLED, ROLLBACK_FAILED
from activation.errors import ActivationError
from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row
from orders.catalog.model import CustomerService, TaskGate
from orders.errors import InvalidOrder, OrdersError
from orders.service.decompose import needs, part_values, pinned
from orders.service.documents import activation_request, reserved, reserving_order, with_urgency
from orders.service.jobs import ESCALATE, WAKE
from orders.service.migration import added, both, matched, redesigned
from orders.service.model import Composition, ItemTask, Part, Phase, SentOrder
from orders.service.placing import moving_order, moving_parts, without_moved
from orders.service.steps import Steps, activation_id, errors_of, has_code, kept, refusal, reported_errors
from orders.service.undo import Undo
from orders.service.waiting import waits_for_answer, waits_for_engineer
from orders.states import FINAL, OrderState
from orders.timers import alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """Takes an item one step further; each method returns it as it is then."""

    steps: Steps

    def begin(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item once it is begun; what cannot be is given up, or waits for an engineer."""
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
        return self._tried(uow, row, task, part, self._reserving(uow, row, task, part))

    def _reserving(self, uow: UnitOfWork, row: Row, task: ItemTask, part: Part) -> Document:
        again = f":again{task.attempt}" if task.attempt else ""
        external_id = f"{row.id}:{task.item_id}{again}:{part.service_id}"
        return reserving_order(self.steps.catalog.current(uow), part, task.composition, external_id)

    def _tried(self, uow: UnitOfWork, row: Row, task: ItemTask, part: Part, order: Document) -> ItemTask:
        try:
            return self._sent(uow, row, task, part, order)
        except OrdersError as error:
            # The orders already sent run on; their reports lead to the release of what they took.
            return task.with_errors(errors_of(error, uow))

    def _sent(self, uow: UnitOfWork, row: Row, task: ItemTask, part: Part, order: Document) -> ItemTask:
        urgent = with_urgency(order, row.document)
        order_id = self.steps.resources.place(uow, urgent, correlation_id=row.correlation_id)
        sent = SentOrder(external_id=order["externalId"], part=part.service_id, order_id=order_id)
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

    def reported(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        """Go on with what became of a resource order of the item."""
        external_id, state = report["externalId"], OrderState(report["state"])
        sent = next(each for each in task.sent if each.external_id == external_id)
        if sent.state in FINAL:
            return task
        task = task.with_report(external_id, state)
        if state != OrderState.COMPLETED and not (task.is_undoing and state == OrderState.CANCELLED):
            task = task.with_errors((refusal(report, uow),))
        if task.phase is Phase.RELEASING:
            return self.steps.finish(uow, row, task) if task.all_reported else task
        if state == OrderState.COMPLETED:
            task = without_moved(task, sent.part)
        found = (*task.composition.resources, *reserved(report, sent.part))
        task = replace(task, composition=replace(task.composition, resources=found))
        return self.reserved(uow, row, task) if task.all_reported else task

    def reserve_missing(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item with what it lacks reserved anew."""
        task = replace(task, attempt=task.attempt + 1, sent=())
        for part, order in tuple(self._lacking(uow, row, task)):
            task = self._tried(uow, row, task, part, order)
        return task if task.sent else self.reserved(uow, row, task)

    def put_elsewhere(self, uow: UnitOfWork, row: Row, task: ItemTask) -> ItemTask:
        """Return the item with what it needs of another port asked for; see :func:`orders.service.placing.put_on`.

        Raises:
            InvalidOrder: the port cannot be had; names those that can. Nothing was asked for.
        """
        begun = replace(task, phase=Phase.RESERVING, state=OrderState.IN_PROGRESS, errors=(), waits=None)
        begun = replace(begun, attempt=task.attempt + 1, sent=())
        try:
            for part, order in tuple(self._lacking(uow, row, begun)):
                begun = self._sent(uow, row, begun, part, order)
        except InvalidOrder as error:
            raise InvalidOrder(replace(each, path="port") for each in error.problems) from None
        return begun

    def _lacking(self, uow: UnitOfWork, row: Row, task: ItemTask) -> Iterator[tuple[Part, Document]]:
        """Yield the resource orders for what the item has not reserved, or has elsewhere."""
        there = {each.part for each in task.composition.resources}
        for part in (each for each in added(task) if each.requires and each.service_id not in there):
            yield part, self._reserving(uow, row, task, part)
        for part, moved in moving_parts(task):
            external_id = f"{row.id}:{task.item_id}:move{task.attempt}:{part.service_id}"
            yield part, moving_order(self.steps.catalog.current(uow), part, moved, task.composition, external_id)

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

    def activated(self, uow: UnitOfWork, row: Row, task: ItemTask, report: Document) -> ItemTask:
        """Go on with what became of the request to the devices."""
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
