"""The job that sends a request to another layer: until it is taken or refused, and never as two."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

from api.far import store
from api.far.asking import ASIDE, INTERVENTION, WITHDRAWAL
from api.far.catching_up import check
from api.far.hearing import REFUSED, hear, noted
from api.far.model import END_STATES, MONITOR, FarRequest, Layer, Stand
from api.far.reports import ITEMS, reason_in, refused
from api.far.wire import Answer, Wire
from api.http.layer_calls import AUTHOR, CORRELATION, LAYER
from inventory.ledger import Job, Retry, Transactions, UnitOfWork
from orders.states import OrderState

_log = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 30.0
REFUSALS: Final = frozenset({400, 405, 409, 410, 413, 415, 422})
"""Sent again it would be refused again. Anything else may be mended meanwhile: a token, an address, a server."""
GONE: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Sends one request (see :class:`inventory.ledger.DeviceHandler`): no transaction is open while it waits.

    Attributes:
        name: what this process is called by the others.
        wires: the layers that are asked.
        author_of: who ordered what a chain is about; empty: nobody that is known.
        patience_s: how long nothing may be heard of a request before its state is read.
    """

    name: str
    wires: Mapping[Layer, Wire]
    author_of: Callable[[UnitOfWork, str], str]
    patience_s: float

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Send the job's request, unless it was taken back meanwhile."""
        with transactions.read() as connection:
            request = store.get(connection, str(job.payload["request"]))
        wire = self.wires[request.layer]
        if (wait_s := wire.wait_s()) > 0:
            return Retry(delay_s=wait_s, reason=f"{request.layer} does not answer")
        begun = self._begin(transactions, request)
        if begun is None:
            return None
        request, about, author = begun
        if about is not None and not about.remote_id:
            return self._about_nothing(transactions, request, about)
        answer = self._known(wire, request) if request.state is Stand.SENDING else None
        answer = answer or self._sent(wire, request, about, author)
        return self._settle(transactions, request, answer, job.attempt)

    def _begin(
        self, transactions: Transactions, request: FarRequest
    ) -> tuple[FarRequest, FarRequest | None, str] | None:
        """Note that the request may arrive from now on; return it as it was before, and what it is about."""
        with transactions.begin() as uow:
            request = store.get(uow.connection, request.request_id)
            if request.state not in {Stand.WAITING, Stand.SENDING}:
                return None
            about = None
            if request.kind in ASIDE or request.kind.startswith("cancel"):
                about = store.get(uow.connection, request.about)
            if about is None or about.remote_id:
                store.save(uow, request, state=Stand.SENDING)
            if request.kind == MONITOR and request.method in {"PATCH", "DELETE"}:
                request = replace(request, path=store.made_at(uow.connection, MONITOR, request.about) or request.path)
            return request, about, self.author_of(uow, request.correlation_id)

    def _about_nothing(self, transactions: Transactions, request: FarRequest, about: FarRequest) -> Retry | None:
        if about.state in {Stand.WAITING, Stand.SENDING}:
            return Retry(delay_s=FIRST_PAUSE_S, reason=f"{about.kind} {about.external_id} is on its way itself")
        self._end(transactions, request, f"{request.layer} did not take the {about.kind}")
        return None

    def _known(self, wire: Wire, request: FarRequest) -> Answer | None:
        """Return what the other side has of a request that may have arrived before; None where it says nothing."""
        if request.kind not in ITEMS:
            return None
        found = wire("GET", f"{request.path}?externalId={quote(request.external_id, safe='')}")
        listed = found.body if found.is_good and isinstance(found.body, list) else []
        same = (each for each in listed if isinstance(each, Mapping) and each.get("externalId") == request.external_id)
        document = next(same, None)
        return Answer(status=201, body=document) if document is not None else None

    def _sent(self, wire: Wire, request: FarRequest, about: FarRequest | None, author: str) -> Answer:
        body: dict[str, Any] | None = request.body if request.method != "DELETE" else None
        path = request.path
        if about is not None and request.kind in ASIDE:
            path = path.format(about=quote(about.remote_id, safe=""))
        elif about is not None:
            body = {**request.body, about.kind: {"id": about.remote_id, "@referredType": about.kind}}
        headers = {
            "Idempotency-Key": request.external_id,
            "Prefer": "respond-async",
            LAYER: self.name,
            CORRELATION: request.correlation_id,
            **({AUTHOR: author} if author else {}),
        }
        return wire(request.method, path, body, headers)

    def _settle(self, transactions: Transactions, request: FarRequest, answer: Answer, attempt: int) -> Retry | None:
        is_gone = answer.status == GONE and (request.method == "DELETE" or request.kind == WITHDRAWAL)
        if answer.is_good or is_gone:
            self._taken(transactions, request, answer)
            return None
        if answer.status in REFUSALS or (answer.status == GONE and request.about):
            self._end(transactions, request, f"{request.layer}: {reason_in(answer.body, answer.status)}")
            return None
        if not answer.has_arrived:
            self._again(transactions, request)
        reason = answer.reason if not answer.status else f"{request.layer}: {reason_in(answer.body, answer.status)}"
        _log.warning("%s %s was not taken, trying again: %s", request.method, request.path, reason)
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 20), LONGEST_PAUSE_S)
        pause_s *= 0.5 + 0.5 * random.random()  # noqa: S311 - spreads those that failed together
        return Retry(delay_s=max(pause_s, answer.pause_s), reason=reason)

    def _again(self, transactions: Transactions, request: FarRequest) -> None:
        """Note that nothing arrived, where nothing had before: it can still be taken back here."""
        with transactions.begin() as uow:
            now = store.get(uow.connection, request.request_id)
            if now.state is Stand.SENDING and request.state is Stand.WAITING:
                store.save(uow, now, state=Stand.WAITING)

    def _taken(self, transactions: Transactions, request: FarRequest, answer: Answer) -> None:
        document = answer.body if isinstance(answer.body, dict) else {}
        with transactions.begin() as uow:
            now = store.get(uow.connection, request.request_id)
            if request.kind in ASIDE:
                store.save(uow, now, state=Stand.ENDED)
                return
            if request.kind == MONITOR:
                now = noted(uow, now, str(document.get("sourceHref") or "") if _is_monitor(answer) else _place(answer))
            if request.kind == MONITOR and not _is_monitor(answer):
                # What it was asked for is done, or was done before.
                document = {"state": "Completed"}
            remote_id = str(document.get("id") or answer.location.rstrip("/").rpartition("/")[2])
            if now.state is Stand.SENDING:
                now = store.save(uow, now, state=Stand.SENT, remote_id=now.remote_id or remote_id)
            if str(document.get("state")) in END_STATES:
                hear(uow, now, document)
            else:
                check(uow, now, self.patience_s)
                if document.get("externalId") != request.external_id:
                    # What does not carry our name may have told of itself before its id was known here.
                    check(uow, now, 0.0, once=True)

    def _end(self, transactions: Transactions, request: FarRequest, reason: str) -> None:
        with transactions.begin() as uow:
            now = store.save(uow, store.get(uow.connection, request.request_id), state=Stand.ENDED)
            if request.kind not in ASIDE:
                hear(uow, now, refused(now, reason))
            elif request.kind == INTERVENTION:
                self._tell(uow, now, reason)

    def _tell(self, uow: UnitOfWork, request: FarRequest, reason: str) -> None:
        """Tell the layer that asked that the other side does not do what people want of an order under way."""
        about = store.get(uow.connection, request.about)
        action = request.path.rpartition("/")[2]
        about_items = [{"itemId": item["id"]} for item in request.body.get("serviceOrderItem", ())]
        said = {
            "id": about.remote_id,
            "state": str(OrderState.IN_PROGRESS),
            "errorMessage": [
                {"reason": f"{action}: {reason}", **({"serviceOrderItem": about_items} if about_items else {})}
            ],
        }
        hear(uow, about, said, change=REFUSED)


def _place(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return answer.location or str(body.get("id") or "")


def _is_monitor(answer: Answer) -> bool:
    """Say whether an answer of TMF640 is a monitor, or says where one is; any other is the result itself."""
    return answer.status == 202  # noqa: PLR2004 - as TMF640 has it
