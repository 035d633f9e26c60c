"""TMF640 for other people's order managers: what a request must say before it becomes an activation."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from activation.desired import parts
from activation.errors import BadIntent
from activation.intent import IntentSpec, build_intent, camel_case
from activation.model import ServiceId
from activation.service_activation import (
    Asker,
    Request,
    ServiceActivations,
    expected,
    is_direct,
    pending,
    service_document,
)
from activation.service_documents import patched, state_of
from activation.states import SERVICE, ServiceState
from activation.store import MONITORS, SERVICES
from activation.withdrawal import withdraw
from api.activation_body import checked
from api.errors import BadRequest
from inventory.documents import Document, characteristics
from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork
from inventory.store import Row
from orders.errors import OrderConflict, Problem
from orders.inbound import refuse

IMMUTABLE: Final = ("id", "href", "externalId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A request that was taken in, now or before.

    Attributes:
        is_asynchronous: whether its specification says that nobody should wait for it.
    """

    monitor_id: str
    is_asynchronous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFace:
    """Checks a TMF640 request at the door and hands it to the core.

    Attributes:
        device: looks a device up by its name; raises UnknownResource.
    """

    core: ServiceActivations
    device: Callable[[str], object]

    def create(self, uow: UnitOfWork, body: Document) -> Accepted:
        """Take in a new service; the same ``externalId`` again gives what it gave first.

        Raises:
            InvalidOrder: attributes or characteristics that do not fit; names each of them, and what is legal.
            OrderConflict: the id is a service's already.
            NotUnique: another live service has what this one would have.
        """
        service_id = str(body.get("id") or uuid.uuid4())
        asker = _asker("create", service_id, body)
        document = checked(body)
        refuse(self._problems(document))
        name = document.get("externalId")
        if name is not None and (row := SERVICES.by_external_id(uow, name)) is not None and is_direct(row):
            return Accepted(monitor_id=row.task["createdBy"])
        if (row := SERVICES.find(uow, service_id)) is not None:
            raise OrderConflict(
                "id", service_id, f"is a service already ({row.state}); PATCH changes it, DELETE ends it"
            )
        document = service_document({**document, "id": service_id})
        request = Request(action="add", service_id=service_id, service=document)
        return self._accept(uow, request, asker, document)

    def change(self, uow: UnitOfWork, service_id: str, patch: Document) -> Accepted:
        """Take in a JSON merge patch of a service, behind what is asked of it already.

        Raises:
            UnknownResource: no service has this id.
            OrderConflict: a service order made it.
            BadRequest: it would change what cannot be changed, or ends the service and changes something.
            InvalidOrder, NotUnique: as for :meth:`create`.
            IllegalTransition: the service cannot go into that state; names those it can go into.
        """
        row = _own(uow, service_id)
        asker = _asker("change", service_id, patch)
        _refuse_unpatchable(row, patch)
        if patch.get("state") == ServiceState.TERMINATED:
            if len(patch) > 1:
                raise BadRequest("state: 'terminated' ends the service; nothing else can change with it")
            return self._terminate(uow, row, asker)
        current = expected(uow, row) or {}
        wanted = patched(current, patch)
        # A service that has ended keeps its word for it; what is wrong then is the move.
        document = checked({**wanted, "state": "active"} if "state" not in patch else wanted)
        SERVICE.advance(state_of(current), state_of(wanted))
        refuse(self._problems(document))
        complete = {name: document[name] for name in ("relatedParty",) if patch.get(name) is not None}
        request = Request(action="modify", service_id=service_id, patch={**patch, **complete})
        return self._accept(uow, request, asker, document)

    def expected(self, uow: UnitOfWork, service_id: str) -> Document:
        """Return the service as it will be after everything that is asked of it already.

        Raises:
            UnknownResource: no service has this id.
            OrderConflict: a service order made it.
        """
        return expected(uow, _own(uow, service_id)) or {}

    def terminate(self, uow: UnitOfWork, service_id: str) -> Accepted:
        """Take in that a service ends; one that has ended already is forgotten.

        Raises:
            UnknownResource: no service has this id.
            OrderConflict: a service order made it; the inventories would go on showing it as active.
        """
        row = _own(uow, service_id)
        return self._terminate(uow, row, _asker("terminate", service_id, {}))

    def create_above(self, uow: UnitOfWork, body: Document, asker: Asker) -> Accepted:
        """Take in a new service, or one that is to be again, of an order of the layer above.

        Raises:
            InvalidOrder: attributes that do not fit; names each of them.
            NotUnique: another live service has what this one would have.
        """
        document = service_document(checked(body))
        return self._accept(uow, Request(action="add", service_id=document["id"], service=document), asker, document)

    def change_above(self, uow: UnitOfWork, service_id: str, body: Document, asker: Asker) -> Accepted:
        """Take in a whole service as it is to be, of an order of the layer above.

        Raises:
            InvalidOrder, NotUnique: as for :meth:`create_above`.
        """
        document = service_document({**checked(body), "id": service_id})
        return self._accept(uow, Request(action="modify", service_id=service_id, service=document), asker, document)

    def terminate_above(self, uow: UnitOfWork, service_id: str, asker: Asker) -> Accepted:
        """Take in that a service of the layer above ends; one that nobody knows has ended."""
        return self._accept(uow, Request(action="delete", service_id=service_id), asker, {})

    def cancel(self, uow: UnitOfWork, monitor_id: str, reason: str, *, is_layer: bool) -> Document:
        """Withdraw a request as far as it can still be withdrawn, and return its monitor, which tells what came of it.

        Raises:
            UnknownResource: no monitor has this id.
            OrderConflict: it belongs to a service order; that is to be cancelled.
        """
        monitor = MONITORS.get(uow, monitor_id)
        if not is_layer:
            _own(uow, Request.of(monitor).service_id)
        withdraw(uow, monitor.external_id or "", reason)
        return MONITORS.get(uow, monitor_id).document

    def _terminate(self, uow: UnitOfWork, row: Row, asker: Asker) -> Accepted:
        waiting = pending(row)
        if waiting and Request.of(MONITORS.get(uow, waiting[-1])).action == "delete":
            return Accepted(monitor_id=waiting[-1])
        return self._accept(uow, Request(action="delete", service_id=row.id), asker, row.document)

    def _accept(self, uow: UnitOfWork, request: Request, asker: Asker, document: Document) -> Accepted:
        specs = (self._intent(part) for part in parts(document))
        return Accepted(
            monitor_id=self.core.ask(uow, request, asker),
            is_asynchronous=any(spec.asynchronous for spec in specs if spec is not None),
        )

    def _intent(self, part: Document) -> IntentSpec | None:
        return self.core.intents.get(str((part.get("serviceSpecification") or {}).get("id", "")))

    def _problems(self, document: Document) -> Iterator[Problem]:
        """Yield what is wrong with the services that are configured: the supporting ones, or the service itself."""
        seen: set[str] = set()
        for number, part in enumerate(parts(document)):
            path = f"supportingService[{number}]." if document.get("supportingService") else ""
            if path and part["id"] in seen:
                yield Problem(path=f"{path}id", wrong=f"{part['id']!r} is given twice", legal="one id per part")
            seen.add(part.get("id", ""))
            yield from self._part_problems(part, path)

    def _part_problems(self, part: Document, path: str) -> Iterator[Problem]:
        spec = self._intent(part)
        if spec is None:
            legal = ", ".join(sorted(self.core.intents))
            wrong = f"{part['serviceSpecification']['id']!r} is no intent"
            yield Problem(path=f"{path}serviceSpecification.id", wrong=wrong, legal=legal)
            return
        place = f"{path}serviceCharacteristic"
        names = [each["name"] for each in part.get("serviceCharacteristic", ())]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield Problem(path=f"{place}.name", wrong=f"{', '.join(map(repr, twice))} is given twice")
            return
        yield from self._intent_problems(spec, characteristics(part, "serviceCharacteristic"), place)

    def _intent_problems(self, spec: IntentSpec, values: Mapping[str, Any], place: str) -> Iterator[Problem]:
        try:
            intent = build_intent(spec, ServiceId(""), values)
            self.device(intent.device)
        except BadIntent as error:
            yield from (Problem(path=place, wrong=problem) for problem in error.problems)
        except UnknownResource as error:
            yield Problem(path=f"{place}.{camel_case(spec.device)}", wrong=str(error))


def _own(uow: UnitOfWork, service_id: str) -> Row:
    row = SERVICES.get(uow, service_id)
    if not is_direct(row):
        order_id = (row.external_id or "").partition(":")[0]
        raise OrderConflict(
            "id", service_id, f"was made by service order {order_id!r}; change or cease it with an order"
        )
    return row


def _asker(verb: str, service_id: str, body: Document) -> Asker:
    name = body.get("externalId") if verb == "create" else None
    return Asker(
        external_id=f"{verb}:{uuid.uuid4()}",
        correlation_id=service_id,
        is_direct=True,
        client_name=name if isinstance(name, str) else None,
    )


def _refuse_unpatchable(row: Row, patch: Document) -> None:
    state = patch.get("state")
    if state is not None and state not in list(ServiceState):
        raise BadRequest(f"state: {state!r} is no state; legal: {', '.join(ServiceState)}")
    for name in IMMUTABLE:
        if name in patch and patch[name] != row.document.get(name):
            raise BadRequest(f"{name}: cannot be changed; legal: {row.document.get(name)!r}, or nothing")
