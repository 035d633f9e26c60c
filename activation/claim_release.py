"""What a failed rollback left claimed, given back by an engineer who has looked at the devices."""

from typing import Final

from activation.claim_store import ClaimSheet, claims_of
from activation.errors import ClaimsInUse
from activation.store import SERVICES
from inventory.errors import UnknownResource
from inventory.ledger import Move, UnitOfWork

KIND: Final = "serviceClaim"
"""What the history calls it."""


def release(uow: UnitOfWork, service_id: str, *, comment: str) -> tuple[str, ...]:
    """Let others have what a service that is not there has for itself, and return that; the history keeps why.

    For whoever knows that no device carries the service any more: the platform does not look.

    Raises:
        ClaimsInUse: the service is there, or asked for.
        UnknownResource: nothing is claimed under this id.
    """
    held = claims_of(uow.connection, service_id)
    if not held:
        raise UnknownResource(KIND, service_id)
    service = SERVICES.find(uow, service_id)
    if service is not None:
        raise ClaimsInUse(service_id, str(service.state))
    uow.sheet(ClaimSheet).release(service_id, held)
    reason = "; ".join([comment, *held] if comment else held)
    uow.record(Move(resource_kind=KIND, resource_id=service_id, from_state="kept", to_state="released", reason=reason))
    return held
