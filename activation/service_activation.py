"""TMF640 towards the order layers: store the request as a monitor, enqueue the work, answer at once."""

import uuid
from dataclasses import dataclass
from typing import Any, Final

from activation.model import Action
from activation.states import MonitorState, ServiceState
from activation.store import MONITORS, SERVICES
from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from inventory.store import Row, dump

BASE: Final = "/tmf-api/ServiceActivationAndConfiguration/v4"
RUN: Final = "activation.run"
HEADER: Final = ({"name": "Content-Type", "value": "application/json"},)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a monitor monitors: an action on a service; ``service`` is None where it is to be taken away."""

    action: Action
    service_id: str
    service: Document | None

    def task(self) -> dict[str, Any]:
        """Return the request as the monitor's private data."""
        return {"action": self.action, "serviceId": self.service_id, "service": self.service}

    @classmethod
    def of(cls, monitor: Row) -> "Request":
        """Return the request that ``monitor`` monitors."""
        task = monitor.task
        return cls(action=task["action"], service_id=task["serviceId"], service=task["service"])


class ServiceActivations:
    """Takes requests; see :class:`activation.contracts.ServiceActivation`. The work itself is a job of its own."""

    def create(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Store the request to configure and activate ``service``; return the monitor's id."""
        if (known := self._known(uow, external_id)) is not None:
            return known
        document = _service_document(service)
        if SERVICES.find(uow, document["id"]) is None:
            designed = {**document, "state": ServiceState.DESIGNED.value}
            row = Row(
                id=document["id"],
                state=ServiceState.DESIGNED,
                external_id=external_id,
                correlation_id=correlation_id,
                document=designed,
            )
            SERVICES.insert(uow, row)
        return self._accept(
            uow, Request(action="add", service_id=document["id"], service=document), external_id, correlation_id
        )

    def modify(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Store the request to re-configure ``service``; return the monitor's id."""
        if (known := self._known(uow, external_id)) is not None:
            return known
        document = _service_document(service)
        request = Request(action="modify", service_id=document["id"], service=document)
        return self._accept(uow, request, external_id, correlation_id)

    def terminate(self, uow: UnitOfWork, service_id: str, *, external_id: str, correlation_id: str) -> str:
        """Store the request to take ``service_id`` away; return the monitor's id."""
        if (known := self._known(uow, external_id)) is not None:
            return known
        request = Request(action="delete", service_id=service_id, service=None)
        return self._accept(uow, request, external_id, correlation_id)

    @staticmethod
    def _known(uow: UnitOfWork, external_id: str) -> str | None:
        known = MONITORS.by_external_id(uow, external_id)
        return known.id if known is not None else None

    @staticmethod
    def _accept(uow: UnitOfWork, request: Request, external_id: str, correlation_id: str) -> str:
        monitor_id = str(uuid.uuid4())
        document = {
            "id": monitor_id,
            "href": f"{BASE}/monitor/{monitor_id}",
            "state": MonitorState.IN_PROGRESS.value,
            "sourceHref": _href(request.service_id),
            "externalId": external_id,
            "request": _wire_request(request),
            "@type": "Monitor",
        }
        row = Row(
            id=monitor_id,
            state=MonitorState.IN_PROGRESS,
            external_id=external_id,
            correlation_id=correlation_id,
            document=document,
            task=request.task(),
        )
        MONITORS.insert(uow, row)
        uow.enqueue(NewJob(kind=RUN, lane=request.service_id, payload={"monitorId": monitor_id}))
        return monitor_id


def _service_document(service: Document) -> dict[str, Any]:
    service_id = str(service.get("id") or uuid.uuid4())
    return {**service, "id": service_id, "href": _href(service_id)}


def _href(service_id: str) -> str:
    return f"{BASE}/service/{service_id}"


def _wire_request(request: Request) -> dict[str, Any]:
    methods: dict[Action, str] = {"add": "POST", "modify": "PATCH", "delete": "DELETE"}
    to = f"{BASE}/service" if request.action == "add" else _href(request.service_id)
    body = dump(request.service) if request.service is not None else ""
    return {"method": methods[request.action], "to": to, "body": body, "header": list(HEADER)}
