"""Repairs as requests: each is a monitor and a job like any activation, with its own kind of work."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from activation.drift import Deviation
from activation.model import ServiceId
from activation.paths import REPAIR_BASE
from activation.service_activation import BASE, HEADER, RUN
from activation.states import MonitorState
from activation.store import MONITORS
from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row, dump

RepairAction = Literal["reapply", "adopt", "redeploy", "rollback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRequest:
    """What is to be repaired.

    Attributes:
        subject: the device, the service or the transaction.
        deviations: the places, as they were when somebody looked (re-apply, adopt).
        with_later: whether what built on the transaction goes back too.
    """

    action: RepairAction
    subject: str
    deviations: tuple[Deviation, ...] = ()
    with_later: bool = False

    @property
    def lane(self) -> str:
        """What the request queues behind: others of the same service or device."""
        return self.subject

    def task(self) -> dict[str, Any]:
        """Return the request as a monitor's private data."""
        repair = {"withLater": self.with_later, "deviations": [_stored(each) for each in self.deviations]}
        return {"action": self.action, "serviceId": self.subject, "service": None, "repair": repair}

    @classmethod
    def of(cls, monitor: Row) -> "RepairRequest | None":
        """Return the repair that ``monitor`` monitors; None where it monitors an activation."""
        task: Mapping[str, Any] = monitor.task
        if "repair" not in task:
            return None
        repair = task["repair"]
        return cls(
            action=task["action"],
            subject=task["serviceId"],
            deviations=tuple(map(_deviation, repair["deviations"])),
            with_later=repair["withLater"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the monitor of a repair tells beside its plan.

    Attributes:
        body: what was asked.
        consequences: what the inventories and reservations will not follow by themselves.
    """

    body: Document
    consequences: Sequence[str] = field(default_factory=tuple)


def accept(uow: UnitOfWork, request: RepairRequest, told: Told) -> Document:
    """Store the request and enqueue its work; return its monitor."""
    monitor_id = str(uuid.uuid4())
    document = {
        "id": monitor_id,
        "href": f"{BASE}/monitor/{monitor_id}",
        "state": MonitorState.IN_PROGRESS.value,
        "sourceHref": _source(request),
        "externalId": f"repair:{monitor_id}",
        "request": {"method": "POST", "to": REPAIR_BASE, "body": dump(told.body), "header": list(HEADER)},
        "repair": {"action": request.action, "subject": request.subject, "consequences": list(told.consequences)},
        "@type": "Monitor",
    }
    row = Row(
        id=monitor_id,
        state=MonitorState.IN_PROGRESS,
        external_id=f"repair:{monitor_id}",
        correlation_id=request.subject,
        document=document,
        task=request.task(),
    )
    MONITORS.insert(uow, row)
    uow.enqueue(NewJob(kind=RUN, lane=request.lane, payload={"monitorId": monitor_id}))
    return document


def _source(request: RepairRequest) -> str:
    places = {"redeploy": f"{BASE}/service", "rollback": "/lastmile/v1/transaction"}
    return f"{places.get(request.action, '/lastmile/v1/device')}/{request.subject}"


def _stored(each: Deviation) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "slot": each.slot,
        "wanted": each.wanted,
        "standing": each.standing,
        "below": each.below,
        "owners": each.owners,
        "policy": each.policy,
    }


def _deviation(stored: Mapping[str, Any]) -> Deviation:
    return Deviation(
        kind=stored["kind"],
        slot=tuple(stored["slot"]),
        wanted=tuple(stored["wanted"]) if stored["wanted"] is not None else None,
        standing=tuple(stored["standing"]) if stored["standing"] is not None else None,
        below=tuple(map(tuple, stored["below"])),
        owners=tuple(map(ServiceId, stored["owners"])),
        policy=stored["policy"],
    )
