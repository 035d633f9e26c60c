"""What a failed rollback left claimed, given back by an engineer who has looked at the devices."""

from typing import Final

from activation.claim_store import ClaimSheet, claims_of
from activation.errors import ClaimsInUse
from activation.service_activation import pending
from activation.store import MONITORS, SERVICES
from inventory.errors import UnknownResource
from inventory.ledger import Move, UnitOfWork
from inventory.store import Row

KIND: Final = "serviceClaim"
"""What the history calls it."""


def release(uow: UnitOfWork, service_id: str, *, comment: str) -> tuple[str, ...]:
    """Let others have what is kept in a service's name and is not the service's, and return it; the history keeps why.

    Of a service that is not there that is all; one that is there keeps what it has, and what its requests are to have.

    For whoever knows that no device carries the service any more: the platform does not look.

    Raises:
        ClaimsInUse: the service has, or is asked to have, all of it.
        UnknownResource: nothing is claimed under this id.
    """
    held = claims_of(uow.connection, service_id)
    if not held:
        raise UnknownResource(KIND, service_id)
    service = SERVICES.find(uow, service_id)
    used = _used(uow, service) if service is not None else frozenset()
    kept = tuple(claim for claim in held if claim not in used)
    if service is not None and not kept:
        raise ClaimsInUse(service_id, str(service.state))
    uow.sheet(ClaimSheet).release(service_id, kept)
    reason = "; ".join([comment, *kept] if comment else kept)
    uow.record(Move(resource_kind=KIND, resource_id=service_id, from_state="kept", to_state="released", reason=reason))
    return kept


def _used(uow: UnitOfWork, service: Row) -> frozenset[str]:
    """Return what a service has for itself, with what those that wait for their turn are to have."""
    waiting = (MONITORS.get(uow, each) for each in pending(service))
    return frozenset(service.task.get("claims", ())).union(*(each.task.get("claims", ()) for each in waiting))
