"""TMF640 for other people's order managers: what a body must say before it becomes an activation."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from activation.engine import ActivationCore
from activation.intent import build_intent
from activation.model import ServiceId
from activation.store import MONITORS, SERVICES
from api.errors import BadRequest
from inventory.documents import Document, characteristics
from inventory.ledger import UnitOfWork
from orders.errors import OrderConflict

_OWN: Final = "create:"
"""What the external ids of services that were created here begin with; an order's services have the order's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFace:
    """Checks a TMF640 request at the door and hands it to the core."""

    core: ActivationCore

    def create(self, uow: UnitOfWork, body: Document) -> Document:
        """Store the request to configure and activate a service; return its monitor.

        Raises:
            BadRequest: no specification, an unknown one, no legal state, or an id that is taken or given twice.
            BadIntent: characteristics that do not fit; names each of them.
        """
        service_id = _identifier(body, "id") if "id" in body else str(uuid.uuid4())
        if SERVICES.find(uow, service_id) is not None:
            raise BadRequest(f"id: {service_id!r} is a service already; DELETE ends it")
        if body.get("state") != "active":
            raise BadRequest(f"state: {body.get('state')!r}; legal: active")
        for part in _parts(body):
            self._check(part)
        monitor_id = self.core.create(
            uow, {**body, "id": service_id}, external_id=f"{_OWN}{uuid.uuid4()}", correlation_id=service_id
        )
        return MONITORS.get(uow, monitor_id).document

    def terminate(self, uow: UnitOfWork, service_id: str) -> Document:
        """Store the request to take a service away; return its monitor.

        Raises:
            UnknownResource: no service has this id.
            OrderConflict: a service order made it; the inventories would go on showing it as active.
        """
        service = SERVICES.get(uow, service_id)
        if not (service.external_id or "").startswith(_OWN):
            order_id = (service.external_id or "").partition(":")[0]
            raise OrderConflict("id", service_id, f"was made by service order {order_id!r}; cease it with an order")
        monitor_id = self.core.terminate(
            uow, service_id, external_id=f"terminate:{uuid.uuid4()}", correlation_id=service_id
        )
        return MONITORS.get(uow, monitor_id).document

    def _check(self, part: Document) -> None:
        specification = part.get("serviceSpecification")
        name = specification.get("id") if isinstance(specification, dict) else None
        if not isinstance(name, str) or name not in self.core.intents:
            raise BadRequest(f"serviceSpecification.id: {name!r}; legal: {', '.join(sorted(self.core.intents))}")
        build_intent(self.core.intents[name], ServiceId(""), _characteristics(part))


def _parts(body: Document) -> Sequence[Document]:
    """Return the services that are configured: the supporting ones, or the service itself where it has none."""
    supporting = body.get("supportingService")
    if not supporting:
        return (body,)
    if not isinstance(supporting, list) or not all(isinstance(part, dict) for part in supporting):
        raise BadRequest("supportingService: must be an array of services by value")
    _refuse_twice("supportingService.id", [_identifier(part, "supportingService.id") for part in supporting])
    return supporting


def _identifier(service: Document, path: str) -> str:
    found = service.get("id")
    if not isinstance(found, str) or not found:
        raise BadRequest(f"{path}: {found!r}; legal: a string of one character or more")
    return found


def _characteristics(part: Document) -> dict[str, Any]:
    found = part.get("serviceCharacteristic") or []
    if not isinstance(found, list) or not all(map(_is_characteristic, found)):
        raise BadRequest("serviceCharacteristic: must be an array of {name, value}, each name a string")
    _refuse_twice("serviceCharacteristic.name", [entry["name"] for entry in found])
    return characteristics(part, "serviceCharacteristic")


def _is_characteristic(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and "value" in entry


def _refuse_twice(path: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRequest(f"{path}: {', '.join(map(repr, twice))} is given twice")
