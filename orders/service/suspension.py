"""An order on hold: who has put it there, and the reports of the layers below that wait until it goes on."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Row
from orders.interventions import HOLD

LATER: Final = "later"
"""Where an order's private data keeps what was reported while it was on hold, oldest first."""


def kept_for_later(orders: DocumentStore, uow: UnitOfWork, row: Row, report: Document) -> None:
    """Keep a report for when the order goes on; one that is there already is kept once."""
    there = row.task.get(LATER, [])
    if report not in there:
        orders.save(uow, row, replace(row, task={**row.task, LATER: [*there, report]}))


def lifted(orders: DocumentStore, uow: UnitOfWork, row: Row) -> tuple[Row, Sequence[Document]]:
    """Return the order on hold no more, and the reports that were kept; any other order as it is."""
    if HOLD not in row.task:
        return row, ()
    task = {key: value for key, value in row.task.items() if key not in {HOLD, LATER}}
    return orders.save(uow, row, replace(row, task=task)), tuple(row.task.get(LATER, ()))
