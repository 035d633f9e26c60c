"""Routes of device transactions: what is under way and what was done."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from activation.transaction_store import Wanted, transaction, transaction_page
from activation.transactions import moment, transaction_document
from api.http.list_query import list_request
from api.http.listing import paged
from api.paths import TRANSACTIONS
from api.system import System

ATTRIBUTES: Final = frozenset(
    {"id", "step", "isFinished", "begun", "since", "devices", "planId", "member", "because", "rollbacks"}
)


def add_transactions(router: APIRouter, system: System) -> None:
    """Add the list, newest first, and one transaction with its journal."""

    def page(request: Request, *, device: str = "", unfinished: bool = False) -> Response:
        asked = list_request(request, ATTRIBUTES, besides=("device", "unfinished"))
        wanted = Wanted(device=device, unfinished=unfinished, query=asked.query)
        with system.database.read() as connection:
            found, total = transaction_page(connection, wanted, transaction_document)
        return paged(asked, [transaction_document(each) for each in found], total)

    def one(key: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            kept = transaction(connection, key)
        steps = [{"step": entry.step, "at": moment(entry.at), "detail": entry.detail} for entry in kept.journal]
        return {**transaction_document(kept), "journal": steps}

    router.add_api_route(TRANSACTIONS, page, methods=["GET"])
    router.add_api_route(TRANSACTIONS + "/{key}", one, methods=["GET"])
