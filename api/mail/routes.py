"""The e-mails over HTTP: what became of them, and trying one again that was given up."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.errors import BadRequest
from api.http.list_query import list_request
from api.http.listing import paged
from api.http.requests import Acting
from api.mail import store
from api.mail.store import Mail, Standing
from api.mail.work import enqueue
from api.runtime.database import Database
from orders.errors import OrderConflict

MAILS: Final = "/lastmile/v1/mail"
_ATTRIBUTES: Final = frozenset({"id", "productOrder", "orderState", "recipient", "state", "attempts", "reason"})


def add_mails(router: APIRouter, database: Database) -> None:
    """Add the list and the replay."""

    def read_page(request: Request) -> Response:
        state = request.query_params.get("state", Standing.SENT)
        if not set(state.split(",")) <= set(Standing):
            raise BadRequest(f"state={state!r}; legal: {', '.join(Standing)}")
        wanted = list_request(request, _ATTRIBUTES)
        with database.read() as connection:
            found, total = store.page(connection, wanted.query, _wire)
        return paged(wanted, [_wire(mail) for mail in found], total)

    def replay(key: str, actor: Acting) -> dict[str, Any]:
        with database.begin(actor=actor.name) as uow:
            mail = store.get(uow.connection, key)
            if mail.standing is not Standing.DEAD:
                raise OrderConflict("id", key, f"is {mail.standing}; only what is dead can be sent again")
            mail = store.save(uow, mail, standing=Standing.WAITING, failures=0)
            enqueue(uow, mail.mail_id)
        return _wire(mail)

    router.add_api_route(MAILS, read_page, methods=["GET"])
    router.add_api_route(f"{MAILS}/{{key}}/replay", replay, methods=["POST"], status_code=202)


def _wire(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.mail_id,
        "productOrder": mail.order_id,
        "orderState": mail.order_state,
        "recipient": mail.recipient,
        "state": str(mail.standing),
        "attempts": mail.failures,
        "reason": mail.reason,
    }
