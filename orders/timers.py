"""Work that is due later: a row that waits in a lane of its own, so that nothing of its order waits behind it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from inventory.ledger import Job, NewJob, Retry, UnitOfWork

LONGEST_WAIT_S: Final = 900.0
"""The clock is looked at again at least this often: it jumps, and the queue counts seconds."""


def alarm(uow: UnitOfWork, wake_kind: str, at: datetime, job: NewJob) -> None:
    """Have ``job`` enqueued at ``at``; ``wake_kind`` is the layer's job kind that :func:`wake` does."""
    # The job's own payload too: what looks through the queue finds there which order a job is about.
    payload: Mapping[str, Any] = {
        **job.payload,
        "at": at.isoformat(),
        "kind": job.kind,
        "lane": job.lane,
        "payload": job.payload,
        "priority": job.priority,
    }
    lane = f"alarm:{uuid4()}"
    uow.enqueue(NewJob(kind=wake_kind, lane=lane, payload=payload, delay_s=_wait_s(uow.now, at)))


def wake(job: Job, uow: UnitOfWork) -> Retry | None:
    """Enqueue what is due; where the clock says that it is not yet, wait on."""
    wanted = job.payload
    at = datetime.fromisoformat(wanted["at"])
    if at > uow.now:
        return Retry(delay_s=_wait_s(uow.now, at), reason=f"waits until {wanted['at']}")
    uow.enqueue(
        NewJob(kind=wanted["kind"], lane=wanted["lane"], payload=wanted["payload"], priority=wanted["priority"])
    )
    return None


def _wait_s(now: datetime, at: datetime) -> float:
    return max(0.0, min((at - now).total_seconds(), LONGEST_WAIT_S))
