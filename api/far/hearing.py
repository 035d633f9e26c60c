"""What other layers report: taken in, put in order, and handed to the layer that asked."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from activation.service_activation import BASE as ACTIVATION
from api.far import store
from api.far.model import EVENTS, MONITOR, FarRequest, Stand
from api.far.reports import is_end, moment, readable, refused
from inventory.documents import Document
from inventory.ledger import Event, Handler, Job, NewJob, UnitOfWork

_log = logging.getLogger(__name__)

HEARD: Final = "far.heard"
COLLECTION: Final = f"{ACTIVATION}/service"


STATE: Final = "StateChangeEvent"
ATTRIBUTE: Final = "AttributeValueChangeEvent"
REFUSED: Final = "InterventionRefusedEvent"
"""What was asked of an order under way, and is not done; told within this process alone."""
_TOLD: Final[Mapping[str, tuple[str, ...]]] = {MONITOR: (STATE, ATTRIBUTE), "serviceOrder": (STATE, ATTRIBUTE)}
"""What is followed of each kind, where that is more than its changes of state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an event says.

    Attributes:
        change: which kind of change it tells of.
        at: when that happened there, as :func:`api.far.reports.moment` has it; empty: nobody says.
    """

    kind: str
    document: Document
    change: str
    at: str


def hear(uow: UnitOfWork, request: FarRequest, document: Document, *, at: str = "", change: str = STATE) -> None:
    """Have the layer that asked take in what became of ``request``, in the order's own lane; see :class:`Told`."""
    payload = {"request": request.request_id, "document": document, "at": at, "change": change}
    uow.enqueue(NewJob(kind=HEARD, lane=request.correlation_id, payload=payload))


def noted(uow: UnitOfWork, request: FarRequest, place: str) -> FarRequest:
    """Note where the other side has the service that ``request`` made: TMF640 lets it choose the id itself."""
    key = place.rstrip("/").rpartition("/")[2]
    is_made = request.method == "POST" and request.path.startswith(COLLECTION)
    if not is_made or key in {"", request.about}:
        return request
    return store.save(uow, request, path=f"{COLLECTION}/{quote(key, safe='')}")


def told(event_type: str, body: Mapping[str, Any]) -> Told | None:
    """Return what an event says that layers follow; None for any other."""
    inner = body.get("event")
    if not isinstance(inner, Mapping):
        return None
    for kind, document in inner.items():
        change = next((each for each in _TOLD.get(kind, (STATE,)) if event_type.endswith(each)), "")
        if kind in EVENTS and isinstance(document, Mapping) and change:
            return Told(kind=kind, document=document, change=change, at=moment(body.get("eventTime")))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """The job that hands a report on.

    Attributes:
        routes: event type to the job kinds that follow it, as the layers of this process say.
        handlers: the layers' work by job kind.
    """

    routes: Mapping[str, Sequence[str]]
    handlers: Mapping[str, Handler]

    def __call__(self, job: Job, uow: UnitOfWork, /) -> None:
        """Do what an event of the same process would; what is older than what is known already is dropped."""
        request = store.get(uow.connection, str(job.payload["request"]))
        at = str(job.payload["at"])
        if at and at < request.heard_at:
            return
        report = _read(request, job.payload["document"])
        if report is None:
            return
        state = Stand.ENDED if is_end(report) and request.state is not Stand.WITHDRAWN else request.state
        remote_id = request.remote_id or str(job.payload["document"].get("id") or "")
        request = store.save(uow, request, state=state, remote_id=remote_id, heard_at=at or request.heard_at)
        if request.kind == MONITOR:
            noted(uow, request, str(job.payload["document"].get("sourceHref") or ""))
        event = Event(
            event_type=EVENTS[request.kind].replace(STATE, str(job.payload.get("change", STATE))),
            domain=request.layer,
            resource_kind=request.kind,
            resource_id=report["id"],
            correlation_id=request.correlation_id,
            document=report,
        )
        for kind in self.routes.get(event.event_type, ()):
            self.handlers[kind](replace(job, kind=kind, event=event), uow)


def _read(request: FarRequest, document: Document) -> Document | None:
    if request.kind not in EVENTS:
        return None
    try:
        return readable(request, document)
    except ValueError as error:
        # Waiting would not make it readable: the order fails, and says why.
        reason = f"what {request.layer} reports of {request.kind} {document.get('id')!r} cannot be used: {error}"
        _log.error("%s", reason)
        return readable(request, refused(request, reason, "unreadable"))
