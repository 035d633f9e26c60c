"""Rules on what services have for themselves: a value that an intent declares unique is one live service's. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation.service_activation import stands
from activation.states import ServiceState
from api.fsck.model import Finding, KeepForItself, LetOthersHave
from inventory.documents import Document
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFacts:
    """What is claimed.

    Attributes:
        holders: claim to the service that has it.
        asked: what open requests claim, by service.
        unrestored: services whose devices may not be as they were: a rollback failed.
    """

    holders: Mapping[str, str]
    asked: Mapping[str, Collection[str]]
    unrestored: frozenset[str]


def check_own(row: Row, due: Sequence[str], facts: ClaimFacts) -> Iterator[Finding]:
    """Yield what a service that stands should have for itself and has not; ``due`` is what its intents say."""
    if not stands(row) or row.state == ServiceState.TERMINATED:
        return
    for claim in due:
        holder = facts.holders.get(claim)
        if holder not in {None, row.id}:
            text = f"{claim} is its own, and is claimed by service {holder}"
            yield Finding(rule="service-claim-taken", kind="activationService", id=row.id, text=text)
    missing = tuple(claim for claim in due if claim not in facts.holders)
    if missing:
        text = f"it does not claim {'; '.join(missing)}: another service could be sold the same"
        repair = KeepForItself(service_id=row.id, claims=missing)
        yield Finding(rule="service-claim-missing", kind="activationService", id=row.id, text=text, repairs=(repair,))


def check_held(live: Mapping[str, Collection[str]], facts: ClaimFacts) -> Iterator[Finding]:
    """Yield what is claimed for services that are not there; ``live`` is what each that is there may claim."""
    held: dict[str, list[str]] = {}
    for claim, service_id in facts.holders.items():
        if claim not in live.get(service_id, ()) and claim not in facts.asked.get(service_id, ()):
            held.setdefault(service_id, []).append(claim)
    for service_id, claims in sorted(held.items()):
        text = f"it claims {'; '.join(sorted(claims))}, and is not there or does not have it: nobody else can have it"
        repair = LetOthersHave(service_id=service_id, claims=tuple(sorted(claims)))
        is_safe = service_id not in facts.unrestored
        if not is_safe:
            text += "; a device may still carry it: a rollback of its chain failed"
            text += f"; once it does not: lastmile service release {service_id}"
        yield Finding(
            rule="service-claim-unused",
            kind="activationService",
            id=service_id,
            text=text,
            repairs=(repair,) if is_safe else (),
        )


def asked_by(requests: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, set[str]]:
    """Return what requests (service id, private data) claim, by service."""
    found: dict[str, set[str]] = {}
    for service_id, task in requests:
        found.setdefault(service_id, set()).update(task.get("claims") or ())
    return found


def wanted_of(row: Row) -> Document | None:
    """Return the service whose values count: as it is; None where it has ended."""
    return None if row.state == ServiceState.TERMINATED else row.document
