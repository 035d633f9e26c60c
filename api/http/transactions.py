"""Routes of device transactions: what is under way and what was done."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from activation.transaction_store import Wanted, transaction, transaction_page
from activation.transactions import moment, transaction_document
from api.system import System

MOST: Final = 1000
TRANSACTIONS: Final = "/lastmile/v1/transaction"


def add_transactions(router: APIRouter, system: System) -> None:
    """Add the list, newest first, and one transaction with its journal."""

    def page(
        response: Response,
        *,
        device: str = "",
        unfinished: bool = False,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> list[Mapping[str, Any]]:
        wanted = Wanted(device=device, unfinished=unfinished, offset=offset, limit=limit)
        with system.database.read() as connection:
            found, total = transaction_page(connection, wanted)
        response.headers["X-Total-Count"] = str(total)
        response.headers["X-Result-Count"] = str(len(found))
        return [transaction_document(each) for each in found]

    def one(key: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            kept = transaction(connection, key)
        steps = [{"step": entry.step, "at": moment(entry.at), "detail": entry.detail} for entry in kept.journal]
        return {**transaction_document(kept), "journal": steps}

    router.add_api_route(TRANSACTIONS, page, methods=["GET"])
    router.add_api_route(TRANSACTIONS + "/{key}", one, methods=["GET"])
