"""The Protocols of the layers below, for layers that are processes of their own: each call stores what to send."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from activation.service_activation import BASE as ACTIVATION
from api.far import store
from api.far.hearing import hear
from api.far.model import MONITOR, FarRequest, Layer, Stand
from api.far.reports import withdrawn
from inventory.documents import Document
from inventory.ledger import NewJob, UnitOfWork
from orders.documents import BASES
from orders.interventions import Intervention

SEND: Final = "far.send"
WITHDRAWAL: Final = "withdrawal"
INTERVENTION: Final = "intervention"
ASIDE: Final = frozenset({WITHDRAWAL, INTERVENTION})
"""Kinds that ask for something about a request; what comes of it, the events of that request tell."""
INTERVENE: Final = "/lastmile/v1/serviceOrder/{about}/"
BY_HAND: Final = "/lastmile/v1/byHand"
WITHDRAW: Final = "/lastmile/v1/monitor/{about}/cancel"


def ask(uow: UnitOfWork, request: FarRequest) -> str:
    """Store ``request``, to be sent after the commit, and return its id; the same external id is asked for once."""
    known = store.find(uow.connection, request.kind, external_id=request.external_id)
    if known is not None:
        return known.request_id
    request = replace(request, request_id=str(uuid4()))
    store.add(uow, request)
    uow.enqueue(NewJob(kind=SEND, lane=request.lane, payload={"request": request.request_id}))
    return request.request_id


def take_back(uow: UnitOfWork, request: FarRequest, reason: str) -> bool:
    """Withdraw a request of which nothing was sent, and report that; say whether it could be."""
    if request.state is not Stand.WAITING:
        return False
    request = store.save(uow, request, state=Stand.WITHDRAWN)
    hear(uow, request, withdrawn(request, reason))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class FarOrders:
    """TMF641 or TMF652 in another process: what COM wants of SOM, and SOM of ROM.

    Attributes:
        kind: ``serviceOrder`` or ``resourceOrder``.
    """

    layer: Layer
    kind: str

    def place(self, uow: UnitOfWork, order: Document, *, correlation_id: str) -> str:
        """Have ``order`` sent; its events tell what becomes of it, a refusal too."""
        external_id = str(order["externalId"])
        return ask(uow, self._request(self.kind, external_id, correlation_id, body=dict(order)))

    def cancel(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Have the order cancelled there; one that was not sent yet is taken back here.

        Raises:
            UnknownResource: nobody asked for that order.
        """
        order = store.find(uow.connection, self.kind, remote_id=order_id) or store.get(uow.connection, order_id)
        if take_back(uow, order, f"cancelled before it was sent: {reason}"):
            return order.request_id
        kind = f"cancel{self.kind[0].upper()}{self.kind[1:]}"
        body = {"externalId": external_id, "cancellationReason": reason}
        return ask(uow, self._request(kind, external_id, correlation_id, about=order.request_id, body=body))

    def intervene(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Have the other layer asked; whether it can be done is known there, and told by the order's events.

        Raises:
            UnknownResource: nobody asked for that order.
        """
        order = store.find(uow.connection, self.kind, remote_id=order_id) or store.get(uow.connection, order_id)
        request = FarRequest(
            request_id="",
            layer=self.layer,
            kind=INTERVENTION,
            external_id=f"{order.external_id}:{wish.action}:{uuid4()}",
            about=order.request_id,
            correlation_id=order.correlation_id,
            method="POST",
            path=INTERVENE + wish.action,
            body=dict(wish.body()),
        )
        ask(uow, request)
        return {"id": order_id}

    def _request(
        self, kind: str, external_id: str, correlation_id: str, *, body: dict[str, Any], about: str = ""
    ) -> FarRequest:
        return FarRequest(
            request_id="",
            layer=self.layer,
            kind=kind,
            external_id=external_id,
            about=about,
            correlation_id=correlation_id,
            method="POST",
            path=BASES[kind],
            body=body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FarActivation:
    """TMF640 in another process (see :class:`activation.contracts.ServiceActivation`)."""

    def create(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Have ``service`` configured and activated there."""
        body = {"state": "active", **service}
        return self._ask(uow, "POST", str(service["id"]), external_id, correlation_id, body)

    def modify(self, uow: UnitOfWork, service: Document, *, external_id: str, correlation_id: str) -> str:
        """Have ``service`` re-configured there; the whole of it is sent."""
        body = {"state": "active", **service}
        return self._ask(uow, "PATCH", str(service["id"]), external_id, correlation_id, body)

    def terminate(self, uow: UnitOfWork, service_id: str, *, external_id: str, correlation_id: str) -> str:
        """Have the service taken away there."""
        return self._ask(uow, "DELETE", service_id, external_id, correlation_id, {})

    def declare(
        self, uow: UnitOfWork, service_id: str, service: Document | None, *, external_id: str, correlation_id: str
    ) -> str:
        """Have it taken in there that people have configured the service, or taken it away."""
        request = FarRequest(
            request_id="",
            layer=Layer.ACTIVATION,
            kind=MONITOR,
            external_id=external_id,
            about=service_id,
            correlation_id=correlation_id,
            method="POST",
            path=BY_HAND,
            body={"serviceId": service_id, "service": dict(service) if service is not None else None},
        )
        return ask(uow, request)

    def cancel(self, uow: UnitOfWork, external_id: str, *, reason: str) -> None:
        """Have the request withdrawn as far as it can be; a system that cannot do that goes on to its end."""
        request = store.find(uow.connection, MONITOR, external_id=external_id)
        if request is None or request.state in {Stand.ENDED, Stand.WITHDRAWN} or take_back(uow, request, reason):
            return
        withdrawal = FarRequest(
            request_id="",
            layer=Layer.ACTIVATION,
            kind=WITHDRAWAL,
            external_id=f"{external_id}:withdraw",
            about=request.request_id,
            correlation_id=request.correlation_id,
            method="POST",
            path=WITHDRAW,
            body={"reason": reason},
        )
        ask(uow, withdrawal)

    def _ask(
        self, uow: UnitOfWork, method: str, service_id: str, external_id: str, chain: str, body: Mapping[str, Any]
    ) -> str:
        collection = f"{ACTIVATION}/service"
        request = FarRequest(
            request_id="",
            layer=Layer.ACTIVATION,
            kind=MONITOR,
            external_id=external_id,
            about=service_id,
            correlation_id=chain,
            method=method,
            path=collection if method == "POST" else f"{collection}/{service_id}",
            body=dict(body),
        )
        return ask(uow, request)
