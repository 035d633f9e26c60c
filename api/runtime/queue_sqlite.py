"""The job queue of the SQLite database: two small tables, one writer at a time."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Integer,
    RowMapping,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from api.runtime.contracts import WORKER_DIED, Claim, Outcome, ParkedJob, QueuedJob, WorkerId
from api.runtime.outbox import CARRIED, event_of
from api.runtime.steady import SteadyClock
from api.runtime.tables import events, jobs, metadata, workers
from inventory.bulk import Bulk
from inventory.ledger import Job

READY: Final = "ready"
RUNNING: Final = "running"
PARKED: Final = "parked"
AT_ONCE: Final = 0.0
"""When a job without a delay is due: whatever the clock says after the next start."""

_other = jobs.alias("other")
_blocked = exists().where(
    _other.c.lane == jobs.c.lane,
    _other.c.job_id != jobs.c.job_id,
    or_(_other.c.state == RUNNING, (_other.c.state == READY) & (_other.c.job_id < jobs.c.job_id)),
)
_followed = exists().where(_other.c.lane == jobs.c.lane, _other.c.job_id != jobs.c.job_id, _other.c.state != PARKED)
# Built once: building a statement costs more than a job's look-up.
_WAITING: Final = (jobs.c.state == READY) & jobs.c.kind.in_(bindparam("kinds", expanding=True))
_CLAIM: Final = (
    select(jobs, *(events.c[name] for name in CARRIED), _followed.label("followed"))
    .select_from(jobs.outerjoin(events, events.c.event_id == jobs.c.event_id))
    .where(_WAITING, jobs.c.run_at_s <= bindparam("now_s"), ~_blocked)
    .order_by(jobs.c.priority.desc(), jobs.c.job_id)
    .limit(bindparam("most", type_=Integer))
)
_INSERT: Final = Bulk(insert(jobs))
_NEXT_DUE: Final = select(jobs.c.run_at_s).where(_WAITING, ~_blocked).order_by(jobs.c.run_at_s).limit(1)
_THESE: Final = jobs.c.job_id.in_(bindparam("these", expanding=True))
_LEASE: Final = update(jobs).where(_THESE).values(state=RUNNING, worker_id=bindparam("by"))
_HELD: Final = select(jobs.c.job_id, jobs.c.worker_id, jobs.c.attempt).where(_THESE)
_FINISH: Final = delete(jobs).where(_THESE)
_COUNT: Final = (
    update(jobs)
    .where(
        jobs.c.job_id == bindparam("of"),
        jobs.c.state == RUNNING,
        jobs.c.worker_id == bindparam("by"),
        jobs.c.attempt == bindparam("tried"),
    )
    .values(failures=bindparam("counted"))
)
_NEXT_STATE: Final = {"postponed": READY, "parked": PARKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteQueue:
    """:class:`api.runtime.contracts.JobQueue` on SQLite; ``time_s`` tells the POSIX time, without jumps."""

    time_s: Callable[[], float] = field(default_factory=SteadyClock)

    def create(self, connection: Connection) -> None:
        """Create the tables that are missing."""
        metadata.create_all(connection, tables=[jobs, workers])

    def enqueue(self, connection: Connection, enqueued: Sequence[QueuedJob]) -> None:
        """Write jobs with one statement."""
        _INSERT.execute(connection, [_row(job, self.time_s()) for job in enqueued])

    def claim(self, connection: Connection, kinds: Collection[str], *, limit: int) -> list[Claim]:
        """Return the first job of each ready lane; the database's one writer is us until the transaction ends."""
        asked = {"kinds": sorted(kinds), "now_s": self.time_s(), "most": limit}
        return [_claim(row) for row in connection.execute(_CLAIM, asked).mappings()]

    def lease(
        self,
        connection: Connection,
        kinds: Collection[str],
        *,
        limit: int,
        register: Callable[[Connection], WorkerId],
    ) -> list[Claim]:
        """Return the first job of each ready lane and mark them as run by the worker that ``register`` names."""
        found = self.claim(connection, kinds, limit=limit)
        if not found:
            return []
        worker_id = register(connection)
        connection.execute(_LEASE, {"these": [claim.job.job_id for claim in found], "by": worker_id})
        return [replace(claim, worker_id=worker_id) for claim in found]

    def settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of claimed jobs, with one statement per ending; return those whose lease was lost."""
        held = self._held(connection, [outcome.claim for outcome in outcomes])
        mine = [outcome for outcome in outcomes if _token(outcome.claim) in held]
        done = [outcome.claim.job.job_id for outcome in mine if outcome.ending == "finished"]
        if done:
            connection.execute(_FINISH, {"these": done})
        kept = [self._kept(outcome) for outcome in mine if outcome.ending != "finished"]
        if kept:
            values: dict[str, Any] = {name: bindparam(name) for name in kept[0] if name != "of"}
            connection.execute(update(jobs).where(jobs.c.job_id == bindparam("of")).values(values), kept)
        return [outcome for outcome in outcomes if _token(outcome.claim) not in held]

    def holds(self, connection: Connection, claim: Claim) -> bool:
        """Say whether the lease still stands; nobody else writes while this transaction is open."""
        return bool(self._held(connection, [claim]))

    def register(self, connection: Connection) -> WorkerId:
        """Return a new worker's id."""
        written = connection.execute(insert(workers).values(heard_at_s=self.time_s()))
        return WorkerId(written.lastrowid)

    def beat(self, connection: Connection, worker_id: WorkerId) -> bool:
        """Say that the worker lives."""
        here = workers.c.worker_id == worker_id
        return connection.execute(update(workers).where(here).values(heard_at_s=self.time_s())).rowcount == 1

    def hand_back(self, connection: Connection, worker_id: WorkerId, *, keep: Collection[int]) -> None:
        """Make ready what the worker leased, but for the jobs it keeps."""
        left = (jobs.c.state == RUNNING) & (jobs.c.worker_id == worker_id) & jobs.c.job_id.not_in(sorted(keep))
        values: dict[str, Any] = {"state": READY, "worker_id": None, "attempt": jobs.c.attempt + 1}
        connection.execute(update(jobs).where(left).values(values))

    def retire(self, connection: Connection, worker_id: WorkerId) -> None:
        """Forget the worker; what it still leased is ready at once."""
        self.hand_back(connection, worker_id, keep=())
        connection.execute(delete(workers).where(workers.c.worker_id == worker_id))

    def reap(self, connection: Connection, *, silent_for_s: float, max_failures: int) -> int:
        """Take the jobs of silent workers and make them ready, or park those that killed too many workers."""
        gone = workers.c.heard_at_s <= self.time_s() - silent_for_s
        connection.execute(delete(workers).where(gone))
        alive = select(workers.c.worker_id)
        orphaned = (jobs.c.state == RUNNING) & (jobs.c.worker_id.is_(None) | jobs.c.worker_id.not_in(alive))
        values: dict[str, Any] = {
            "state": case((func.max(jobs.c.failures, 1) >= max_failures, PARKED), else_=READY),
            "worker_id": None,
            "attempt": jobs.c.attempt + 1,
            "failures": func.max(jobs.c.failures, 1),
            "reason": WORKER_DIED,
        }
        return connection.execute(update(jobs).where(orphaned).values(values)).rowcount

    def charge(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count a failure against leased jobs beforehand."""
        _count(connection, claims, more=1)

    def acquit(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count no failure against these but those that they were claimed with."""
        _count(connection, claims, more=0)

    def has_orphans(self, connection: Connection, *, silent_for_s: float) -> bool:
        """Say whether a job is run by nobody who was heard of lately."""
        alive = select(workers.c.worker_id).where(workers.c.heard_at_s > self.time_s() - silent_for_s)
        left = (jobs.c.state == RUNNING) & (jobs.c.worker_id.is_(None) | jobs.c.worker_id.not_in(alive))
        return connection.execute(select(jobs.c.job_id).where(left).limit(1)).first() is not None

    def next_due_s(self, connection: Connection, kinds: Collection[str]) -> float | None:
        """Return in how many seconds the next waiting lane is due."""
        due_s: float | None = connection.execute(_NEXT_DUE, {"kinds": sorted(kinds)}).scalar_one_or_none()
        return None if due_s is None else due_s - self.time_s()

    def pending(self, connection: Connection) -> int:
        """Return how many jobs are neither done nor parked."""
        return connection.execute(select(func.count()).select_from(jobs).where(jobs.c.state != PARKED)).scalar_one()

    def parked(self, connection: Connection) -> list[ParkedJob]:
        """Return the jobs that wait for a person, oldest first."""
        columns = (jobs.c.job_id, jobs.c.kind, jobs.c.lane, jobs.c.attempt, jobs.c.reason)
        found = connection.execute(select(*columns).where(jobs.c.state == PARKED).order_by(jobs.c.job_id))
        return [ParkedJob(**row) for row in found.mappings()]

    def retry(self, connection: Connection, job_ids: Collection[int] | None = None) -> list[int]:
        """Make parked jobs ready again; return which."""
        wanted = jobs.c.state == PARKED
        if job_ids is not None:
            wanted &= jobs.c.job_id.in_(job_ids)
        values = {"state": READY, "failures": 0, "run_at_s": AT_ONCE}
        return sorted(connection.execute(update(jobs).where(wanted).values(values).returning(jobs.c.job_id)).scalars())

    def _kept(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "of": outcome.claim.job.job_id,
            "state": _NEXT_STATE[outcome.ending],
            "worker_id": None,
            "run_at_s": self.time_s() + outcome.delay_s,
            "attempt": outcome.claim.job.attempt,
            "failures": outcome.failures,
            "reason": outcome.reason,
        }

    def _held(self, connection: Connection, claims: Sequence[Claim]) -> set[tuple[int, int | None, int]]:
        rows = connection.execute(_HELD, {"these": [claim.job.job_id for claim in claims]})
        found = {(row.job_id, row.worker_id, row.attempt + 1) for row in rows}
        return found & {_token(claim) for claim in claims}


def _token(claim: Claim) -> tuple[int, int | None, int]:
    return claim.job.job_id, claim.worker_id, claim.job.attempt


def _count(connection: Connection, claims: Sequence[Claim], *, more: int) -> None:
    counted = [
        {
            "of": claim.job.job_id,
            "by": claim.worker_id,
            "tried": claim.job.attempt - 1,
            "counted": claim.failures + more,
        }
        for claim in claims
    ]
    if counted:
        connection.execute(_COUNT, counted)


def _row(job: QueuedJob, now_s: float) -> dict[str, Any]:
    return {
        "kind": job.kind,
        "lane": job.lane,
        "payload": json.dumps(dict(job.payload), separators=(",", ":")),
        "event_id": job.event_id,
        "priority": job.priority,
        "run_at_s": now_s + job.delay_s if job.delay_s > 0 else AT_ONCE,
        "attempt": 0,
        "failures": 0,
        "state": READY,
        "worker_id": None,
        "reason": "",
    }


def _claim(row: RowMapping) -> Claim:
    job = Job(
        job_id=row["job_id"],
        kind=row["kind"],
        lane=row["lane"],
        payload=json.loads(row["payload"]),
        attempt=row["attempt"] + 1,
        event=event_of(row),
    )
    return Claim(
        job=job,
        failures=row["failures"],
        alone=not row["followed"],
        died=row["reason"] == WORKER_DIED,
    )
