"""Events get lost with a database, an address, a hub without retries: joining anew, and reading once in a while."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from activation.service_activation import BASE as ACTIVATION
from api.far import store
from api.far.hearing import hear
from api.far.model import MONITOR, FarRequest, Layer, Stand
from api.far.wire import Answer, Wire
from inventory.ledger import Job, NewJob, Retry, Transactions, UnitOfWork
from orders.documents import BASES

_log = logging.getLogger(__name__)

CHECK: Final = "far.check"
JOIN: Final = "far.join"
LISTENERS: Final = "/lastmile/v1/heard"
LONGEST_PATIENCE_S: Final = 900.0
_JOIN_PAUSE_S: Final = 5.0
_STANDS: Final = 409
_BAD_QUERY: Final = 400
_WITHOUT_HUB: Final = frozenset({404, 405, 501})
HUBS: Final[Mapping[Layer, tuple[str, str]]] = {
    Layer.SOM: (
        "/tmf-api/serviceOrdering/v4/hub",
        "eventType=ServiceOrderStateChangeEvent,ServiceOrderAttributeValueChangeEvent,CancelServiceOrderStateChangeEvent",
    ),
    Layer.ROM: ("/tmf-api/resourceOrderingManagement/v4/hub", "eventType=ResourceOrderStateChangeEvent"),
    Layer.ACTIVATION: (
        f"{ACTIVATION}/hub",
        "eventType=MonitorStateChangeEvent,MonitorAttributeValueChangeEvent",
    ),
}
"""Where each layer below is subscribed to, and to what."""


def check(uow: UnitOfWork, request: FarRequest, delay_s: float, *, once: bool = False) -> None:
    """Have the state of ``request`` read after ``delay_s``, and then again and again, or just once, until it ended."""
    payload = {"request": request.request_id, "once": once}
    lane = f"far:check:{request.request_id}:{'once' if once else 'on'}"
    uow.enqueue(NewJob(kind=CHECK, lane=lane, payload=payload, delay_s=delay_s, priority=-20))


def join(uow: UnitOfWork, layer: Layer) -> None:
    """Have the hub of ``layer`` told where its events go, and everything read that may have been missed meanwhile."""
    uow.enqueue(NewJob(kind=JOIN, lane=f"far:join:{layer}", payload={"layer": str(layer)}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """Reads the state of one request, for nothing was heard of it for long."""

    wires: Mapping[Layer, Wire]
    patience_s: float

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Read it, take in what it says, and come again later unless it has ended."""
        with transactions.read() as connection:
            request = store.get(connection, str(job.payload["request"]))
        if request.state is not Stand.SENT or not request.remote_id:
            return None
        wire = self.wires[request.layer]
        if (wait_s := wire.wait_s()) > 0:
            return Retry(delay_s=wait_s, reason=f"{request.layer} does not answer")
        answer = wire("GET", f"{_collection(request)}/{quote(request.remote_id, safe='')}")
        if answer.is_good and isinstance(answer.body, dict):
            with transactions.begin() as uow:
                hear(uow, request, answer.body)
        else:
            _log.warning("%s %s at %s: %s", request.kind, request.remote_id, request.layer, answer.reason)
        if job.payload["once"] and answer.is_good:
            return None
        pause_s = min(self.patience_s * 2.0 ** min(job.attempt - 1, 10), LONGEST_PATIENCE_S)
        return Retry(delay_s=pause_s, reason=f"{request.kind} {request.remote_id} has not ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Subscribes to the events of one layer.

    Attributes:
        own_url: where the other layers reach this process.
    """

    wires: Mapping[Layer, Wire]
    own_url: str

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Subscribe, unless the subscription stands; then read what was asked for and has not ended."""
        layer = Layer(job.payload["layer"])
        with transactions.begin() as uow:
            before = store.neighbour(uow, layer)
        callback = f"{self.own_url.rstrip('/')}{LISTENERS}/{before.secret}"
        answer = self._subscribed(layer, callback)
        if not answer.is_good and answer.status not in {_STANDS, *_WITHOUT_HUB}:
            _log.warning("%s does not take the subscription, trying again: %s", layer, _said(answer))
            return Retry(delay_s=min(0.2 * 2.0 ** min(job.attempt - 1, 8), _JOIN_PAUSE_S), reason=_said(answer))
        if answer.status in _WITHOUT_HUB:
            _log.warning("%s has no hub (%s): what becomes of requests is read now and then", layer, answer.reason)
        subscription_id = str(answer.body.get("id", "")) if answer.is_good and isinstance(answer.body, dict) else ""
        if subscription_id and before.subscription_id not in {"", subscription_id}:
            self.wires[layer]("DELETE", f"{HUBS[layer][0]}/{quote(before.subscription_id, safe='')}")
        with transactions.begin() as uow:
            kept = subscription_id or before.subscription_id
            store.joined(uow, layer, callback=callback, subscription_id=kept)
            for request in store.opened(uow.connection, layer):
                if request.remote_id:
                    check(uow, request, 0.0, once=True)
        return None

    def _subscribed(self, layer: Layer, callback: str) -> Answer:
        path, query = HUBS[layer]
        answer = self.wires[layer]("POST", path, {"callback": callback, "query": query})
        if answer.status == _BAD_QUERY:
            # Not every hub reads queries; what is not wanted is dropped here.
            answer = self.wires[layer]("POST", path, {"callback": callback})
        return answer


def _collection(request: FarRequest) -> str:
    return f"{ACTIVATION}/monitor" if request.kind == MONITOR else BASES[request.kind]


def _said(answer: Answer) -> str:
    body: Any = answer.body
    said = (body.get("message") or body.get("reason")) if isinstance(body, dict) else None
    return f"{answer.reason}: {said}" if said else answer.reason
