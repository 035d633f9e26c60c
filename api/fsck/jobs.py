"""Reads the jobs that are not done, whichever queue holds them."""

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select, text

from api.fsck.model import Finding, QueuedWork
from api.runtime.queue_sqlite import PARKED
from api.runtime.tables import events, jobs

_NAMES: Final = ("order", "monitorId")
"""How payloads name what the job moves."""

_TABLE: Final = (
    select(
        jobs.c.job_id,
        jobs.c.kind,
        jobs.c.lane,
        jobs.c.payload,
        jobs.c.event_id,
        (jobs.c.state == PARKED).label("parked"),
        jobs.c.attempt,
        jobs.c.reason,
        events.c.resource_id,
    )
    .select_from(jobs.outerjoin(events, events.c.event_id == jobs.c.event_id))
    .order_by(jobs.c.job_id)
)
_PROCRASTINATE: Final = text("""
    SELECT job.id AS job_id, queue_name AS kind, lock AS lane, CAST(args -> 'payload' AS text) AS payload,
           args ->> 'event' AS event_id, status = 'failed' AS parked, attempts AS attempt,
           coalesce(args ->> 'reason', '') AS reason, event.resource_id
    FROM procrastinate_jobs AS job LEFT JOIN event ON event.event_id = args ->> 'event'
    WHERE status IN ('todo', 'doing', 'failed')
    ORDER BY job.id
""")


def work(connection: Connection) -> list[QueuedWork]:
    """Return every job that is not done."""
    if connection.dialect.name == "postgresql":
        return [_work(row) for row in connection.execute(_PROCRASTINATE).mappings()]
    return [_work(row) for row in connection.execute(_TABLE).mappings()]


def check_jobs(found: list[QueuedWork]) -> Iterator[Finding]:
    """Yield the jobs that will not do what they are for."""
    for job in found:
        if job.parked:
            text_ = f"{job.job_kind} is parked after {job.attempt} attempts: {job.reason}"
            yield Finding(rule="job-parked", kind="job", id=str(job.job_id), text=text_)
        if not job.has_event:
            text_ = f"{job.job_kind} carries an event that is not there"
            yield Finding(rule="job-without-event", kind="job", id=str(job.job_id), text=text_)


def _work(row: RowMapping) -> QueuedWork:
    payload: dict[str, Any] = json.loads(row["payload"])
    named = next((str(payload[name]) for name in _NAMES if name in payload), "")
    return QueuedWork(
        job_id=row["job_id"],
        job_kind=row["kind"],
        lane=row["lane"],
        moves_id=named or row["resource_id"] or "",
        parked=row["parked"],
        attempt=row["attempt"],
        reason=row["reason"],
        has_event=row["event_id"] is None or row["resource_id"] is not None,
    )
