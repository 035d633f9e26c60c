"""Mends what is safe to mend, in one transaction with the check that found it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import delete

from activation.claim_store import ClaimSheet
from activation.store import SERVICES
from api.fsck import beside, store
from api.fsck.check import OnProgress, check
from api.fsck.model import (
    Enqueue,
    Finding,
    KeepForItself,
    LetOthersHave,
    RebuildFilters,
    RebuildPools,
    Redeliver,
    Release,
    Repair,
    Unclaim,
)
from api.runtime.contracts import QueuedJob
from api.runtime.database import Database
from api.runtime.ledger import LedgerUnit
from inventory.ledger import NewJob
from inventory.pool_store import PoolStore
from inventory.pools import pools_of
from inventory.reservations import ReservationBook
from inventory.resources import resource_store
from inventory.store import DocumentStore
from inventory.tables import reservations
from orders.product.inventory import product_store
from orders.service.inventory import service_store

_CLAIMED: Final[Mapping[str, DocumentStore]] = {"product": product_store(), "service": service_store()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What a repair did, and what still does not agree."""

    done: Sequence[tuple[Finding, Repair]]
    left: Sequence[Finding]


def mend(database: Database, *, on_progress: OnProgress) -> Mended:
    """Do every safe repair; return what was done and what is left to people. The platform must not be running."""
    with database.begin() as uow:
        found = check(uow.connection, on_progress=on_progress)
        done = [(finding, repair) for finding in found for repair in finding.repairs]
        made: list[Repair] = []
        for _, repair in done:
            # One repair may mend several findings.
            if repair not in made:
                made.append(repair)
                _apply(database, uow, repair)
    with database.read() as connection:
        return Mended(done=done, left=check(connection, on_progress=on_progress))


def _apply(database: Database, uow: LedgerUnit, repair: Repair) -> None:
    match repair:
        case Enqueue():
            uow.enqueue(NewJob(kind=repair.job_kind, lane=repair.lane, payload=repair.payload))
        case Redeliver():
            job = QueuedJob(kind=repair.job_kind, lane=repair.lane, event_id=repair.event_id)
            database.queue.enqueue(uow.connection, [job])
        case Release():
            _release(uow, repair.resource_id)
        case RebuildPools():
            PoolStore().rebuild(uow, pools_of(store.network_pools(uow.connection)))
        case RebuildFilters():
            beside.rebuild(uow.connection, repair.kind)
        case Unclaim():
            claimed = _CLAIMED[repair.kind]
            row = claimed.get(uow, repair.resource_id)
            claimed.save(uow, row, replace(row, task={**row.task, "order": None}))
        case KeepForItself():
            _keep(uow, repair)
        case LetOthersHave():
            uow.sheet(ClaimSheet).release(repair.service_id, repair.claims)


def _keep(uow: LedgerUnit, repair: KeepForItself) -> None:
    """Claim what a service has; where two have the same, the first one keeps it and the next check says so."""
    row = SERVICES.get(uow, repair.service_id)
    taken = uow.sheet(ClaimSheet).take(row.id, repair.claims)
    if not taken:
        held = sorted({*row.task.get("claims", ()), *repair.claims})
        SERVICES.save(uow, row, replace(row, task={**row.task, "claims": held}))


def _release(uow: LedgerUnit, resource_id: str) -> None:
    if resource_store().find(uow, resource_id) is not None:
        ReservationBook().release(uow, resource_id)
        return
    held = store.reservation(uow.connection, resource_id)
    uow.connection.execute(delete(reservations).where(reservations.c.resource_id == resource_id))
    if held is not None and not store.is_free(uow.connection, *held):
        PoolStore().give_back(uow, *held)
