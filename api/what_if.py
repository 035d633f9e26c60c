"""An order that nobody has placed: taken in, decomposed and reserved as if it were, then forgotten; and its plans.

The layers' own handlers run, in a transaction that is rolled back. Orders that wait for them go first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from activation.dry_run import DryPlan, DryRunResult
from activation.engine import ActivationCore
from activation.gate import ReviewGate
from activation.plan import unified_patch
from activation.repair_requests import RepairRequest
from activation.reviews import risk_document
from activation.service_activation import Request
from activation.store import open_monitors
from api.blast_radius import BlastRadius
from api.errors import BadRequest
from api.plan_documents import device_plans
from api.runtime.batch import run_batch
from api.runtime.database import Database, Rehearsal
from api.system import Create
from inventory.documents import Document
from inventory.ledger import Handler, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.states import OrderState

MOST_ROUNDS: Final = 50
ROUND: Final = 100
"""Queued jobs that are rehearsed at a time; together with the rounds, a bound on how long others may have to wait."""
_ITEMS: Final = {"productOrderItem": "productOrder", "serviceOrderItem": "serviceOrder"}
_ENDED_BADLY: Final = frozenset({OrderState.FAILED, OrderState.PARTIAL, OrderState.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rehearsed:
    """What the layers made of it.

    Attributes:
        order: as it stood when its activations were asked for; None for a service.
        has_more: whether the queue was too long to be tried first as a whole.
        placed_before: the order that has the same ``externalId`` already.
    """

    order: Document | None
    before: Sequence[Request | RepairRequest]
    wanted: Sequence[Request]
    has_more: bool
    placed_before: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Answers what an order or a service would do.

    Attributes:
        handlers: the layers' database work, by job kind.
        creates: how a new order is taken in, by collection; ``service`` for TMF640.
        orders: where orders are, by collection.
    """

    database: Database
    core: ActivationCore
    gate: ReviewGate
    handlers: Mapping[str, Handler]
    creates: Mapping[str, Create]
    orders: Mapping[str, DocumentStore]
    blast_radius: BlastRadius = field(default_factory=BlastRadius)

    def plan(self, body: Document) -> dict[str, Any]:
        """Return what ``body``, a TMF622 or TMF641 order or a TMF640 service, would do; nothing of it stays.

        Raises:
            BadRequest: it is none of these.
            InvalidOrder, OrderConflict, BadIntent: as the POST of it would.
            ActivationError: a change cannot be planned, or a device cannot be read.
        """
        kind = next((kind for items, kind in _ITEMS.items() if items in body), "service")
        if kind == "service" and "serviceSpecification" not in body and "supportingService" not in body:
            legal = "an order with productOrderItem or serviceOrderItem, or a service with serviceSpecification"
            raise BadRequest(f"the body is nothing that can be planned; legal: {legal}")
        with self.database.rehearse() as rehearsal:
            rehearsed = self._rehearse(rehearsal, kind, body)
        result = self.core.dry_run(rehearsed.wanted, self.database, before=rehearsed.before)
        return self._document(kind, rehearsed, result)

    def _rehearse(self, rehearsal: Rehearsal, kind: str, body: Document) -> _Rehearsed:
        has_more = self._run_queued(rehearsal)
        before = open_monitors(rehearsal.connection)
        with rehearsal.begin() as unit:
            placed_before = self._placed_before(unit, kind, body)
            created = self.creates[kind](unit, body)
            lane = str(created["id"])
            while (job := unit.take(self.handlers, lane)) is not None:
                with unit.step():
                    self.handlers[job.kind](job, unit)
            known = {row.id for row in before}
            wanted = [row for row in open_monitors(unit.connection) if row.id not in known]
            order = self._order(unit, kind, lane)
        return _Rehearsed(
            order=order,
            before=[*map(_asked, before)],
            wanted=_requests(wanted),
            has_more=has_more,
            placed_before=placed_before,
        )

    def _run_queued(self, rehearsal: Rehearsal) -> bool:
        """Run what is queued for the layers; say whether there is more."""
        for _ in range(MOST_ROUNDS):
            with rehearsal.begin() as unit:
                claims = rehearsal.queue.claim(unit.reader, self.handlers, limit=ROUND)
                outcomes = run_batch(unit, claims, self.handlers)
                unit.flush()
                rehearsal.queue.settle(unit.reader, outcomes)
            if not claims:
                return False
        return True

    def _placed_before(self, unit: UnitOfWork, kind: str, body: Document) -> Row | None:
        store, name = self.orders.get(kind), body.get("externalId")
        return store.by_external_id(unit, name) if store is not None and isinstance(name, str) else None

    def _order(self, unit: UnitOfWork, kind: str, key: str) -> Document | None:
        store = self.orders.get(kind)
        return store.get(unit, key).document if store is not None else None

    def _document(self, kind: str, rehearsed: _Rehearsed, result: DryRunResult) -> dict[str, Any]:
        notes = list(result.skipped)
        if rehearsed.has_more:
            notes.append(f"the queue is long: only its first {MOST_ROUNDS * ROUND} jobs could be tried before this one")
        if rehearsed.placed_before is not None:
            notes.append(_repeats(rehearsed.placed_before))
        return {
            "kind": kind,
            **({"order": _outcome(rehearsed.order)} if rehearsed.order is not None else {}),
            "activation": [self._activation(each) for each in result.plans],
            "appliedFirst": result.applied,
            "note": notes,
        }

    def _activation(self, dry: DryPlan) -> dict[str, Any]:
        shared = frozenset().union(*dry.neighbours.values())
        ruling, risk = self.gate.ruling(dry.request, dry.work, dry.plan, self.database, shared_services=len(shared))
        with self.database.read() as connection:
            neighbours = self.blast_radius.named(connection, dry.neighbours)
        return {
            "action": dry.request.action,
            "service": _service(dry.request),
            "planHash": dry.plan.plan_hash,
            "requirement": ruling.requirement.value,
            "rule": ruling.rule,
            "risk": risk_document(risk),
            "plan": device_plans(dry.plan.edits),
            "patch": unified_patch(dry.plan.edits),
            "blastRadius": neighbours,
        }


def _requests(monitors: Iterable[Row]) -> list[Request]:
    return [Request.of(monitor) for monitor in monitors if RepairRequest.of(monitor) is None]


def _asked(monitor: Row) -> Request | RepairRequest:
    return RepairRequest.of(monitor) or Request.of(monitor)


def _service(request: Request) -> dict[str, Any]:
    """Return what is known of a service that may never be: its id is new each time it is asked about."""
    document = request.service or {}
    specification = document.get("serviceSpecification", {}).get("id")
    named = {"id": request.service_id, "name": document.get("name"), "specification": specification}
    return {name: value for name, value in named.items() if value}


def _repeats(order: Row) -> str:
    return (
        f"externalId {order.external_id!r} is that of order {order.id} ({order.state}): placing this one again answers"
        " with that order and changes nothing; legal for an order of its own: another externalId, or none"
    )


def _outcome(order: Document) -> dict[str, Any]:
    """Return how far the order would come before any device is touched, and what would stop it."""
    errors = [str(each.get("message") or each.get("reason")) for each in order.get("errorMessage", ())]
    notes = [str(each["text"]) for each in order.get("note", ())] if order["state"] in _ENDED_BADLY else []
    return {"state": order["state"], "reason": [*errors, *notes]}
