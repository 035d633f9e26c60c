"""TMF640 for other people's order managers: what a body must say before it becomes an activation."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from activation.engine import ActivationCore
from activation.intent import build_intent
from activation.model import ServiceId
from activation.store import MONITORS, SERVICES
from api.errors import BadRequest
from inventory.documents import Document, characteristics
from inventory.ledger import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFace:
    """Checks a TMF640 request at the door and hands it to the core."""

    core: ActivationCore

    def create(self, uow: UnitOfWork, body: Document) -> Document:
        """Store the request to configure and activate a service; return its monitor.

        Raises:
            BadRequest: no specification, an unknown one, no legal state, or an id that is taken.
            BadIntent: characteristics that do not fit; names each of them.
        """
        service_id = str(body.get("id") or uuid.uuid4())
        if SERVICES.find(uow, service_id) is not None:
            raise BadRequest(f"id: {service_id!r} is a service already; PATCH and DELETE change services")
        if body.get("state") != "active":
            raise BadRequest(f"state: {body.get('state')!r}; legal: active")
        for part in _parts(body):
            self._check(part)
        monitor_id = self.core.create(
            uow, {**body, "id": service_id}, external_id=f"create:{service_id}", correlation_id=service_id
        )
        return MONITORS.get(uow, monitor_id).document

    def terminate(self, uow: UnitOfWork, service_id: str) -> Document:
        """Store the request to take a service away; return its monitor.

        Raises:
            UnknownResource: no service has this id.
        """
        SERVICES.get(uow, service_id)
        monitor_id = self.core.terminate(
            uow, service_id, external_id=f"terminate:{service_id}", correlation_id=service_id
        )
        return MONITORS.get(uow, monitor_id).document

    def _check(self, part: Document) -> None:
        specification = part.get("serviceSpecification")
        name = specification.get("id") if isinstance(specification, dict) else None
        if not isinstance(name, str) or name not in self.core.intents:
            raise BadRequest(f"serviceSpecification.id: {name!r}; legal: {', '.join(sorted(self.core.intents))}")
        build_intent(self.core.intents[name], ServiceId(""), _characteristics(part))


def _parts(body: Document) -> Iterator[Document]:
    """Yield the services that are configured: the supporting ones, or the service itself where it has none."""
    supporting = body.get("supportingService") or [body]
    if not isinstance(supporting, list) or not all(isinstance(part, dict) for part in supporting):
        raise BadRequest("supportingService: must be an array of services by value")
    yield from supporting


def _characteristics(part: Document) -> dict[str, Any]:
    found = part.get("serviceCharacteristic") or []
    if not isinstance(found, list) or not all(
        isinstance(entry, dict) and {"name", "value"} <= set(entry) for entry in found
    ):
        raise BadRequest("serviceCharacteristic: must be an array of {name, value}")
    return characteristics(part, "serviceCharacteristic")
