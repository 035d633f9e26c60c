"""Transactions as an engineer looks at them: what is under way, since when and why, and what was done."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from activation.states import TRANSACTION, Step
from activation.transaction_store import JournalEntry, Kept

WAITING: Final = "waiting"
"""A rollback for which a device cannot be reached; it is tried again."""


def transaction_document(kept: Kept) -> dict[str, Any]:
    """Return what is told of one transaction."""
    first, last = kept.journal[0], kept.journal[-1]
    tries = sum(entry.step == Step.ROLLING_BACK for entry in kept.journal)
    told: dict[str, Any] = {
        "id": kept.transaction_id,
        "step": kept.step.value,
        "isFinished": TRANSACTION.is_final(kept.step),
        "begun": moment(first.at),
        "since": moment(last.at),
        "devices": list(kept.devices),
        "planId": kept.plan_id,
        "member": [
            {"monitor": each.monitor_id, "service": each.service_id, "action": each.action} for each in kept.members
        ],
    }
    if why := reasons(kept.journal):
        told["because"] = why
    if tries:
        told["rollbacks"] = tries
    return told


def reasons(journal: Iterable[JournalEntry]) -> list[str]:
    """Return why a transaction goes or went back, and what still stands in the way; each reason once."""
    found: dict[str, None] = {}
    for entry in journal:
        for name in ("because", "rollbackFailed", WAITING):
            found |= dict.fromkeys(entry.detail.get(name, ()))
    return list(found)


def waiting_of(unfinished: Sequence[Kept]) -> Mapping[str, list[dict[str, Any]]]:
    """Return the rollbacks under way by the monitor that waits for them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kept in unfinished:
        for member in kept.members:
            found.setdefault(member.monitor_id, []).append(transaction_document(kept))
    return found


def moment(at: datetime) -> str:
    """Return a time as the wire writes it."""
    return at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
