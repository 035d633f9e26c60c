"""The job queue of the PostgreSQL database: Procrastinate's tables and functions, used for many jobs at a time.

Procrastinate fetches and ends one job per round trip and transaction. Here its schema, its ``defer`` function, its
registry of workers and its notifications stay as they are, while whole batches are claimed and ended inside the
caller's transaction, together with the effects of the jobs. A job's kind is its queue and its task; its lane is its
lock; a parked job is ``failed``.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, inspect, text

from api.runtime.contracts import WORKER_DIED, Claim, Outcome, ParkedJob, QueuedJob, WorkerId
from api.runtime.outbox import CARRIED, event_of
from inventory.ledger import Job

CHANNEL: Final = "procrastinate_queue_v1#"
"""What Procrastinate notifies when a job was inserted; the kind follows."""
_LANES: Final = 0x6C6D  # "lm": the advisory locks of lanes, apart from any other's
_LOOK_AHEAD: Final = 4  # heads looked at per job wanted: those before may be in another worker's hands

_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS lastmile_jobs_lane ON procrastinate_jobs (lock, id) WHERE status IN ('todo', 'doing')",
    "CREATE INDEX IF NOT EXISTS lastmile_jobs_due ON procrastinate_jobs (scheduled_at) WHERE status = 'todo'",
)

_DEFER: Final = text("""
    SELECT procrastinate_defer_jobs_v1(ARRAY(
        SELECT ROW(kind, kind, priority, lane, NULL, args, now() + delay_s * interval '1 second')
               ::procrastinate_job_to_defer_v1
        FROM unnest(CAST(:kinds AS text[]), CAST(:lanes AS text[]), CAST(:priorities AS int[]),
                    CAST(:args AS jsonb[]), CAST(:delays AS float[]))
             WITH ORDINALITY AS given(kind, lane, priority, args, delay_s, place)
        ORDER BY place))
""")

_WAITING: Final = "job.status = 'todo' AND job.queue_name = ANY(:kinds)"
_DUE: Final = "(job.scheduled_at IS NULL OR job.scheduled_at <= now())"
_FIRST: Final = """NOT EXISTS (
    SELECT FROM procrastinate_jobs AS other
    WHERE other.lock = job.lock AND other.status IN ('todo', 'doing')
      AND other.id <> job.id AND (other.status = 'doing' OR other.id < job.id))"""

# The planner must not try locks of lanes that the other conditions rule out: they would be held for nothing.
_HOLD: Final = text(f"""
    WITH head AS MATERIALIZED (
        SELECT job.id, job.lock FROM procrastinate_jobs AS job
        WHERE {_WAITING} AND {_DUE} AND {_FIRST}
        ORDER BY job.priority DESC, job.id LIMIT :look_ahead)
    SELECT id FROM head WHERE pg_try_advisory_xact_lock({_LANES}, hashtext(lock)) LIMIT :limit
""")

# A new statement sees what was committed before the lanes were held: only now is "first of its lane" certain.
_CLAIM: Final = text(f"""
    SELECT job.id, job.queue_name, job.lock, job.args, job.attempts, {", ".join(CARRIED)},
           EXISTS (SELECT FROM procrastinate_jobs AS other WHERE other.lock = job.lock
                   AND other.status IN ('todo', 'doing') AND other.id <> job.id) AS followed
    FROM procrastinate_jobs AS job LEFT JOIN event ON event.event_id = job.args ->> 'event'
    WHERE job.id = ANY(:ids) AND {_WAITING} AND {_DUE} AND {_FIRST}
    ORDER BY job.priority DESC, job.id
""")

_LEASE: Final = text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE id = ANY(:ids)")

_MINE: Final = text("""
    SELECT job.id FROM procrastinate_jobs AS job
    JOIN unnest(CAST(:ids AS bigint[]), CAST(:workers AS bigint[]), CAST(:attempts AS int[]))
         AS given(id, worker_id, attempts) ON given.id = job.id
    WHERE job.attempts = given.attempts AND job.worker_id IS NOT DISTINCT FROM given.worker_id
      AND job.status = CASE WHEN given.worker_id IS NULL THEN 'todo' ELSE 'doing' END::procrastinate_job_status
    FOR UPDATE OF job
""")

_FINISH: Final = text("DELETE FROM procrastinate_jobs WHERE id = ANY(:ids)")

_KEEP: Final = text("""
    UPDATE procrastinate_jobs AS job
    SET status = given.status::procrastinate_job_status, worker_id = NULL, attempts = job.attempts + 1,
        scheduled_at = now() + given.delay_s * interval '1 second',
        args = job.args || jsonb_build_object('reason', given.reason, 'failures', given.failures)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:delays AS float[]), CAST(:reasons AS text[]),
                CAST(:failures AS int[])) AS given(id, status, delay_s, reason, failures)
    WHERE given.id = job.id
""")

# Ending a job may make the next one of its lane ready, which another process may be waiting for.
_WAKE: Final = text(f"""
    SELECT pg_notify('{CHANNEL}' || kind, '') FROM (
        SELECT DISTINCT queue_name AS kind FROM procrastinate_jobs
        WHERE status = 'todo' AND lock = ANY(:lanes)) AS waiting
""")

_HOLDS: Final = text("""
    SELECT 1 FROM procrastinate_jobs
    WHERE id = :id AND status = 'doing' AND worker_id = :worker AND attempts = :attempts FOR SHARE
""")

_ORPHANS: Final = "UPDATE procrastinate_jobs AS job SET worker_id = NULL, scheduled_at = NULL, attempts = attempts + 1"

_HAND_BACK: Final = text(f"""
    WITH back AS ({_ORPHANS}, status = 'todo'
        WHERE job.status = 'doing' AND worker_id = :worker AND NOT job.id = ANY(:keep) RETURNING queue_name)
    SELECT pg_notify('{CHANNEL}' || queue_name, '') FROM back
""")

# A row that is locked just now is being written to by its worker: that one lives.
_REAP: Final = text(f"""
    WITH orphan AS (
        SELECT id FROM procrastinate_jobs AS job
        WHERE job.status = 'doing' AND NOT EXISTS (SELECT FROM procrastinate_workers AS w WHERE w.id = job.worker_id)
        FOR UPDATE SKIP LOCKED),
    taken AS ({_ORPHANS},
        status = CASE WHEN GREATEST(COALESCE((args ->> 'failures')::int, 0), 1) >= :max_failures THEN 'failed'
                      ELSE 'todo' END::procrastinate_job_status,
        args = args || jsonb_build_object('reason', CAST(:reason AS text),
                                          'failures', GREATEST(COALESCE((args ->> 'failures')::int, 0), 1))
        FROM orphan WHERE job.id = orphan.id RETURNING job.queue_name)
    SELECT count(*), count(pg_notify('{CHANNEL}' || queue_name, '')) FROM taken
""")

_COUNT: Final = text("""
    UPDATE procrastinate_jobs AS job SET args = job.args || jsonb_build_object('failures', given.failures)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:workers AS bigint[]), CAST(:attempts AS int[]), CAST(:failures AS int[]))
         AS given(id, worker_id, attempts, failures)
    WHERE job.id = given.id AND job.status = 'doing' AND job.worker_id = given.worker_id
      AND job.attempts = given.attempts
""")

_PRUNE: Final = text("SELECT procrastinate_prune_stalled_workers_v1(:silent_for_s)")
_ORPHANED: Final = text("""
    SELECT 1 FROM procrastinate_workers WHERE last_heartbeat < now() - :silent_for_s * interval '1 second'
    UNION ALL SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL
    LIMIT 1
""")
_UNLOCK: Final = text("DELETE FROM device_lock WHERE worker_id NOT IN (SELECT id FROM procrastinate_workers)")
_REGISTER: Final = text("SELECT worker_id FROM procrastinate_register_worker_v1()")
_UNREGISTER: Final = text("SELECT procrastinate_unregister_worker_v1(:worker)")
_BEAT: Final = text("UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = :worker")

_NEXT_DUE: Final = text(f"""
    SELECT extract(epoch FROM COALESCE(job.scheduled_at, now()) - now()) FROM procrastinate_jobs AS job
    WHERE {_WAITING} AND {_FIRST} ORDER BY job.scheduled_at NULLS FIRST LIMIT 1
""")

_PENDING: Final = text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")

_PARKED: Final = text("""
    SELECT id AS job_id, queue_name AS kind, lock AS lane, attempts AS attempt, args ->> 'reason' AS reason
    FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id
""")

_RETRY: Final = text(f"""
    WITH again AS (
        UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = NULL, args = args - 'failures'
        WHERE status = 'failed' AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(:ids)) RETURNING id, queue_name)
    SELECT id, pg_notify('{CHANNEL}' || queue_name, '') FROM again ORDER BY id
""")

_STATUS: Final = {"postponed": "todo", "parked": "failed"}


def procrastinate_schema() -> str:
    """Return the SQL of Procrastinate's schema.

    It is read from the installed package's file: importing the package costs every start a tenth of a second, and
    nothing else of it is needed.
    """
    found = find_spec("procrastinate")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("procrastinate is not installed: install lastmile from its lock file")
    return (Path(found.submodule_search_locations[0]) / "sql" / "schema.sql").read_text(encoding="utf-8")


class ProcrastinateQueue:
    """:class:`api.runtime.contracts.JobQueue` on PostgreSQL."""

    def create(self, connection: Connection) -> None:
        """Create Procrastinate's schema where it is missing, and two indexes for lanes and due times."""
        if not inspect(connection).has_table("procrastinate_jobs"):
            # Its text has "%" signs and several statements: it must not pass through parameter handling.
            connection.exec_driver_sql(procrastinate_schema().replace("%", "%%"))
        for index in _INDEXES:
            connection.exec_driver_sql(index)

    def enqueue(self, connection: Connection, jobs: Sequence[QueuedJob]) -> None:
        """Defer jobs with one call."""
        given = {
            "kinds": [job.kind for job in jobs],
            "lanes": [job.lane for job in jobs],
            "priorities": [job.priority for job in jobs],
            "args": [_args(job) for job in jobs],
            # No time at all is "at once", and spares Procrastinate an event per job.
            "delays": [job.delay_s if job.delay_s > 0 else None for job in jobs],
        }
        connection.execute(_DEFER, given)

    def claim(self, connection: Connection, kinds: Collection[str], *, limit: int) -> list[Claim]:
        """Return the first job of each ready lane; advisory locks hold the lanes until the transaction ends."""
        looked = {"kinds": sorted(kinds), "limit": limit, "look_ahead": limit * _LOOK_AHEAD}
        ids = connection.execute(_HOLD, looked).scalars().all()
        if not ids:
            return []
        found = connection.execute(_CLAIM, {"kinds": sorted(kinds), "ids": list(ids)})
        return [_claim(row) for row in found.mappings()]

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
        connection.execute(_LEASE, {"worker": worker_id, "ids": [claim.job.job_id for claim in found]})
        return [replace(claim, worker_id=worker_id) for claim in found]

    def settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of claimed jobs, with one statement per ending; return those whose lease was lost."""
        tokens = {
            "ids": [outcome.claim.job.job_id for outcome in outcomes],
            "workers": [outcome.claim.worker_id for outcome in outcomes],
            "attempts": [outcome.claim.job.attempt - 1 for outcome in outcomes],
        }
        held = set(connection.execute(_MINE, tokens).scalars())
        mine = [outcome for outcome in outcomes if outcome.claim.job.job_id in held]
        self._write(connection, mine)
        return [outcome for outcome in outcomes if outcome.claim.job.job_id not in held]

    def holds(self, connection: Connection, claim: Claim) -> bool:
        """Say whether the lease still stands, and keep the job's row from being taken until the transaction ends."""
        token = {"id": claim.job.job_id, "worker": claim.worker_id, "attempts": claim.job.attempt - 1}
        return connection.execute(_HOLDS, token).first() is not None

    def register(self, connection: Connection) -> WorkerId:
        """Return a new worker's id."""
        return WorkerId(connection.execute(_REGISTER).scalar_one())

    def beat(self, connection: Connection, worker_id: WorkerId) -> bool:
        """Say that the worker lives."""
        return connection.execute(_BEAT, {"worker": worker_id}).rowcount == 1

    def hand_back(self, connection: Connection, worker_id: WorkerId, *, keep: Collection[int]) -> None:
        """Make ready what the worker leased, but for the jobs it keeps."""
        connection.execute(_HAND_BACK, {"worker": worker_id, "keep": sorted(keep)})

    def retire(self, connection: Connection, worker_id: WorkerId) -> None:
        """Forget the worker; what it still leased is ready at once."""
        self.hand_back(connection, worker_id, keep=())
        connection.execute(_UNREGISTER, {"worker": worker_id})
        connection.execute(_UNLOCK)

    def reap(self, connection: Connection, *, silent_for_s: float, max_failures: int) -> int:
        """Take the jobs of silent workers and make them ready, or park those that killed too many workers."""
        connection.execute(_PRUNE, {"silent_for_s": silent_for_s})
        connection.execute(_UNLOCK)
        found = connection.execute(_REAP, {"max_failures": max_failures, "reason": WORKER_DIED})
        return int(found.scalar_one())

    def charge(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count a failure against leased jobs beforehand."""
        _count(connection, claims, more=1)

    def acquit(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count no failure against these but those that they were claimed with."""
        _count(connection, claims, more=0)

    def has_orphans(self, connection: Connection, *, silent_for_s: float) -> bool:
        """Say whether a worker was not heard of lately, or a job has none."""
        return connection.execute(_ORPHANED, {"silent_for_s": silent_for_s}).first() is not None

    def next_due_s(self, connection: Connection, kinds: Collection[str]) -> float | None:
        """Return in how many seconds the next waiting lane is due."""
        due_s = connection.execute(_NEXT_DUE, {"kinds": sorted(kinds)}).scalar_one_or_none()
        return None if due_s is None else float(due_s)

    def pending(self, connection: Connection) -> int:
        """Return how many jobs are neither done nor parked."""
        return int(connection.execute(_PENDING).scalar_one())

    def parked(self, connection: Connection) -> list[ParkedJob]:
        """Return the jobs that wait for a person, oldest first."""
        return [ParkedJob(**row) for row in connection.execute(_PARKED).mappings()]

    def retry(self, connection: Connection, job_ids: Collection[int] | None = None) -> list[int]:
        """Make parked jobs ready again; return which."""
        wanted = None if job_ids is None else sorted(job_ids)
        return list(connection.execute(_RETRY, {"ids": wanted}).scalars())

    def _write(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        done = [outcome.claim.job.job_id for outcome in outcomes if outcome.ending == "finished"]
        kept = [outcome for outcome in outcomes if outcome.ending != "finished"]
        if done:
            connection.execute(_FINISH, {"ids": done})
        if kept:
            connection.execute(_KEEP, _kept(kept))
        if outcomes:
            connection.execute(_WAKE, {"lanes": [outcome.claim.job.lane for outcome in outcomes]})


def _count(connection: Connection, claims: Sequence[Claim], *, more: int) -> None:
    counted = {
        "ids": [claim.job.job_id for claim in claims],
        "workers": [claim.worker_id for claim in claims],
        "attempts": [claim.job.attempt - 1 for claim in claims],
        "failures": [claim.failures + more for claim in claims],
    }
    connection.execute(_COUNT, counted)


def _args(job: QueuedJob) -> str:
    found: dict[str, object] = {"payload": dict(job.payload)}
    if job.event_id is not None:
        found["event"] = job.event_id
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False)


def _kept(outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
    return {
        "ids": [outcome.claim.job.job_id for outcome in outcomes],
        "states": [_STATUS[outcome.ending] for outcome in outcomes],
        "delays": [outcome.delay_s for outcome in outcomes],
        "reasons": [outcome.reason.replace("\0", "�") for outcome in outcomes],
        "failures": [outcome.failures for outcome in outcomes],
    }


def _claim(row: RowMapping) -> Claim:
    args = row["args"]
    job = Job(
        job_id=row["id"],
        kind=row["queue_name"],
        lane=row["lock"],
        payload=args["payload"],
        attempt=row["attempts"] + 1,
        event=event_of(row),
    )
    return Claim(
        job=job,
        failures=args.get("failures", 0),
        alone=not row["followed"],
        died=args.get("reason") == WORKER_DIED,
    )
