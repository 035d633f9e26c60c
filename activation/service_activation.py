"""TMF640: store the request as a monitor, enqueue the work, answer at once."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from activation.claim_store import ClaimSheet
from activation.errors import NotUnique
from activation.intent import IntentSpec
from activation.model import Action
from activation.service_documents import in_state, patched, state_of
from activation.states import SERVICE, MonitorState, ServiceState
from activation.store import MONITORS, SERVICES
from activation.unique import claims
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row, dump

BASE: Final = "/tmf-api/ServiceActivationAndConfiguration/v4"
RUN: Final = "activation.run"
HEADER: Final = ({"name": "Content-Type", "value": "application/json"},)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a monitor monitors: an action on a service.

    Attributes:
        service: the service as it is to be; None where it is to be taken away, or changed by ``patch``.
        patch: what changes; the rest is as it is when the request's turn comes.
        by_hand: whether people say that the devices are so already: nothing is pushed, the core only learns it.
    """

    action: Action
    service_id: str
    service: Document | None = None
    patch: Document | None = None
    by_hand: bool = False

    def wanted(self, current: Document | None) -> Document | None:
        """Return what becomes of the service that is ``current`` (None: not there) when the request's turn comes."""
        if self.action == "delete":
            return in_state(current, ServiceState.TERMINATED) if current is not None else None
        if self.patch is None:
            return self.service
        if current is None:
            return None
        found = patched(current, self.patch)
        return in_state(found, state_of(found))

    def task(self) -> dict[str, Any]:
        """Return the request as the monitor's private data."""
        task = {"action": self.action, "serviceId": self.service_id, "service": self.service}
        hand = {"byHand": True} if self.by_hand else {}
        return {**task, **hand} if self.patch is None else {**task, **hand, "patch": self.patch}

    @classmethod
    def of(cls, monitor: Row) -> "Request":
        """Return the request that ``monitor`` monitors."""
        task = monitor.task
        return cls(
            action=task["action"],
            service_id=task["serviceId"],
            service=task["service"],
            patch=task.get("patch"),
            by_hand=bool(task.get("byHand")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks.

    Attributes:
        external_id: names the request; a request is taken once.
        is_direct: whether the service is its client's own, and not an order's.
        client_name: what the client calls the service, where it calls it something.
    """

    external_id: str
    correlation_id: str
    is_direct: bool = False
    client_name: str | None = None


class ServiceActivations:
    """Takes requests; see :class:`activation.contracts.ServiceActivation`. The work itself is a job of its own."""

    intents: Mapping[str, IntentSpec]

    def create(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Store the request to configure and activate ``service``; return the monitor's id."""
        document = service_document(service)
        request = Request(action="add", service_id=document["id"], service=document)
        return self.ask(uow, request, Asker(external_id=external_id, correlation_id=correlation_id))

    def modify(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Store the request to re-configure ``service``; return the monitor's id."""
        document = service_document(service)
        request = Request(action="modify", service_id=document["id"], service=document)
        return self.ask(uow, request, Asker(external_id=external_id, correlation_id=correlation_id))

    def terminate(self, uow: UnitOfWork, service_id: str, *, external_id: str, correlation_id: str) -> str:
        """Store the request to take ``service_id`` away; return the monitor's id."""
        request = Request(action="delete", service_id=service_id)
        return self.ask(uow, request, Asker(external_id=external_id, correlation_id=correlation_id))

    def declare(
        self, uow: UnitOfWork, service_id: str, service: Document | None, *, external_id: str, correlation_id: str
    ) -> str:
        """Store that people have configured the service, or taken it away; return the monitor's id."""
        document = service_document({**service, "id": service_id}) if service is not None else None
        action: Action = "delete" if document is None else "add" if SERVICES.find(uow, service_id) is None else "modify"
        request = Request(action=action, service_id=service_id, service=document, by_hand=True)
        return self.ask(uow, request, Asker(external_id=external_id, correlation_id=correlation_id))

    def ask(self, uow: UnitOfWork, request: Request, asker: Asker) -> str:
        """Store ``request`` behind those that the service has already; return the monitor's id.

        Raises:
            NotUnique: the service would have what another live service has for itself; nothing was stored.
        """
        if (known := MONITORS.by_external_id(uow, asker.external_id)) is not None:
            return known.id
        row = SERVICES.find(uow, request.service_id)
        claimed = claims(self.intents, request.wanted(expected(uow, row) if row is not None else None))
        if claimed and (taken := uow.sheet(ClaimSheet).take(request.service_id, claimed)):
            raise NotUnique(taken)
        monitor = _monitor(request, asker, claimed)
        if row is not None:
            waiting = [*pending(row), monitor.id]
            SERVICES.save(uow, row, replace(row, task={**row.task, "pending": waiting}))
        elif request.action == "add":
            SERVICES.insert(uow, _announced(request, asker, monitor.id))
        MONITORS.insert(uow, monitor)
        uow.enqueue(run_job(request.service_id, monitor.id))
        return monitor.id


def run_job(service_id: str, monitor_id: str) -> NewJob:
    """Return the job that does what a monitor monitors; those of one service run one at a time."""
    # A lane that is not the service's id: where that is the correlation id too, events of other layers wait in it.
    return NewJob(kind=RUN, lane=f"activation:{service_id}", payload={"monitorId": monitor_id})


def pending(service: Row) -> Sequence[str]:
    """Return the monitors of what is asked of ``service`` and has not ended, oldest first."""
    found: Sequence[str] = service.task.get("pending", ())
    return found


def expected(uow: UnitOfWork, service: Row) -> Document | None:
    """Return ``service`` as it will be once everything that is asked of it has happened; None: it will be gone."""
    document: Document | None = service.document
    for monitor_id in pending(service):
        document = Request.of(MONITORS.get(uow, monitor_id)).wanted(document)
    return document


def resolved(request: Request, service: Row | None) -> Document | None:
    """Return the service as the devices are to have it, now that the request's turn has come; None: not at all.

    Raises:
        UnknownResource: a change of a service that is gone by now.
        IllegalTransition: it cannot come into that state from the one it is in by now.
    """
    if request.action == "delete":
        return None
    wanted = request.wanted(service.document if service is not None else None)
    if wanted is None:
        raise UnknownResource(SERVICES.kind, request.service_id)
    if service is not None and stands(service):
        SERVICE.advance(ServiceState(service.state), state_of(wanted))
    return wanted


def stands(service: Row) -> bool:
    """Say whether the service has come to be: one whose creation fails goes away again."""
    # Older releases kept no mark: there, designed meant being created.
    return bool(service.task.get("stands", service.state != ServiceState.DESIGNED))


def is_direct(service: Row) -> bool:
    """Say whether the service is its TMF640 client's own, and not an order's."""
    return bool(service.task.get("isDirect")) or (service.external_id or "").startswith("create:")


def service_document(service: Document) -> dict[str, Any]:
    """Return ``service`` with an id and its address."""
    service_id = str(service.get("id") or uuid.uuid4())
    return {**service, "id": service_id, "href": _href(service_id)}


def _announced(request: Request, asker: Asker, monitor_id: str) -> Row:
    """Return the row of a service that is being created."""
    service = request.service or {}
    wanted = state_of(service)
    state = wanted if wanted is ServiceState.FEASIBILITY_CHECKED else ServiceState.DESIGNED
    task = {"stands": False, "pending": [monitor_id], "createdBy": monitor_id}
    return Row(
        id=request.service_id,
        state=state,
        external_id=asker.client_name if asker.is_direct else asker.external_id,
        correlation_id=asker.correlation_id,
        document={**service, "state": state.value},
        task={**task, "isDirect": True} if asker.is_direct else task,
    )


def _monitor(request: Request, asker: Asker, claimed: Sequence[str]) -> Row:
    monitor_id = str(uuid.uuid4())
    document = {
        "id": monitor_id,
        "href": f"{BASE}/monitor/{monitor_id}",
        "state": MonitorState.IN_PROGRESS.value,
        "sourceHref": _href(request.service_id),
        "externalId": asker.external_id,
        "request": _wire_request(request),
        **({"byHand": True} if request.by_hand else {}),
        "@type": "Monitor",
    }
    return Row(
        id=monitor_id,
        state=MonitorState.IN_PROGRESS,
        external_id=asker.external_id,
        correlation_id=asker.correlation_id,
        document=document,
        task=request.task() | ({"claims": claimed} if claimed else {}),
    )


def _href(service_id: str) -> str:
    return f"{BASE}/service/{service_id}"


def _wire_request(request: Request) -> dict[str, Any]:
    methods: dict[Action, str] = {"add": "POST", "modify": "PATCH", "delete": "DELETE"}
    to = f"{BASE}/service" if request.action == "add" else _href(request.service_id)
    sent = request.service if request.patch is None else request.patch
    return {
        "method": methods[request.action],
        "to": to,
        "body": dump(sent) if sent is not None else "",
        "header": list(HEADER),
    }
