"""The job table: which jobs may run now, and what became of them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, exists, func, select, update

from api.runtime.ledger import PARKED, READY, RUNNING
from api.runtime.tables import events, jobs
from inventory.ledger import Event, Job

_earlier = jobs.alias("earlier")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJob:
    """A job that kept failing, with the reason of its last attempt."""

    job_id: int
    kind: str
    lane: str
    attempt: int
    reason: str


def ready(connection: Connection, kinds: Collection[str], *, now_s: float, limit: int) -> list[Job]:
    """Return the first job of each lane that is due, oldest first."""
    in_front = exists().where(
        _earlier.c.lane == jobs.c.lane, _earlier.c.job_id < jobs.c.job_id, _earlier.c.state != PARKED
    )
    wanted = (
        select(jobs, events)
        .select_from(jobs.outerjoin(events, events.c.sequence == jobs.c.event_sequence))
        .where(and_(jobs.c.state == READY, jobs.c.run_at_s <= now_s, jobs.c.kind.in_(sorted(kinds)), ~in_front))
        .order_by(jobs.c.job_id)
        .limit(limit)
    )
    return [_job(row) for row in connection.execute(wanted).mappings()]


def next_due_s(connection: Connection) -> float | None:
    """Return when the next waiting job is due, as a POSIX time; None where nothing waits."""
    due_s: float | None = connection.execute(
        select(func.min(jobs.c.run_at_s)).where(jobs.c.state == READY)
    ).scalar_one()
    return due_s


def start(connection: Connection, job_ids: Collection[int]) -> None:
    """Mark jobs as running outside a transaction; their lanes are taken until :func:`finish` or :func:`postpone`."""
    connection.execute(update(jobs).where(jobs.c.job_id.in_(job_ids)).values(state=RUNNING))


def finish(connection: Connection, job_id: int) -> None:
    """Remove a job that is done."""
    connection.execute(delete(jobs).where(jobs.c.job_id == job_id))


def postpone(connection: Connection, job: Job, *, run_at_s: float, reason: str, park: bool = False) -> None:
    """Put a job back for another attempt, or aside for an engineer."""
    values = {"state": PARKED if park else READY, "run_at_s": run_at_s, "attempt": job.attempt, "reason": reason}
    connection.execute(update(jobs).where(jobs.c.job_id == job.job_id).values(values))


def hand_back(connection: Connection) -> int:
    """Make jobs that a dead process was running ready again; return how many."""
    return connection.execute(update(jobs).where(jobs.c.state == RUNNING).values(state=READY)).rowcount


def parked(connection: Connection) -> list[ParkedJob]:
    """Return the jobs that wait for an engineer, oldest first."""
    columns = (jobs.c.job_id, jobs.c.kind, jobs.c.lane, jobs.c.attempt, jobs.c.reason)
    found = connection.execute(select(*columns).where(jobs.c.state == PARKED).order_by(jobs.c.job_id))
    return [ParkedJob(**row) for row in found.mappings()]


def pending(connection: Connection) -> int:
    """Return how many jobs are not done and not parked."""
    return connection.execute(select(func.count()).select_from(jobs).where(jobs.c.state != PARKED)).scalar_one()


def _job(row: RowMapping) -> Job:
    return Job(
        job_id=row[jobs.c.job_id],
        kind=row[jobs.c.kind],
        lane=row[jobs.c.lane],
        payload=json.loads(row[jobs.c.payload]),
        attempt=row[jobs.c.attempt] + 1,
        event=_event(row) if row[jobs.c.event_sequence] is not None else None,
    )


def _event(row: RowMapping) -> Event:
    facts: dict[str, Any] = {
        name: row[events.c[name]] for name in ("event_type", "domain", "resource_kind", "resource_id", "correlation_id")
    }
    return Event(**facts, document=json.loads(row[events.c.document]))
