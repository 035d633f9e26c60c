"""Seams of the runtime: one job contract and one kind of database behind two adapters each."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NewType, Protocol

from sqlalchemy import Connection

from inventory.ledger import Job

WorkerId = NewType("WorkerId", int)
Ending = Literal["finished", "postponed", "parked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job on its way into the queue.

    Attributes:
        lane: jobs of one lane run one at a time, in the order in which they were enqueued.
        priority: among the lanes that are ready, the higher number goes first.
        delay_s: not before this many seconds from now.
        event_id: the event in the outbox that caused it, if one did; the claim carries it back whole.
    """

    kind: str
    lane: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    delay_s: float = 0.0
    event_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job in a worker's hands.

    Attributes:
        worker_id: who holds the lease; None where the claim lasts only as long as its transaction.
        alone: whether no other stored job waits in its lane.
        failures: how many attempts ended with an error; a :class:`inventory.ledger.Retry` is not one.
        died: whether the last attempt ended with the death of its worker.

    ``worker_id`` and ``job.attempt`` together are the fencing token: every hand-over counts as an attempt, so that a
    worker that lost its lease can be told from the one that holds it now.
    """

    job: Job
    worker_id: WorkerId | None = None
    failures: int = 0
    alone: bool = False
    died: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a claimed job.

    Attributes:
        ending: ``finished`` removes it, ``postponed`` runs it again after ``delay_s``, ``parked`` waits for a person.
        reason: why it is not finished.
        failures: how many attempts ended with an error by now.
    """

    claim: Claim
    ending: Ending
    delay_s: float = 0.0
    reason: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJob:
    """A job that kept failing, with the reason of its last attempt."""

    job_id: int
    kind: str
    lane: str
    attempt: int
    reason: str


WORKER_DIED: Final = "its worker died while running it"
"""The reason of a job that was taken from a dead worker."""


class JobQueue(Protocol):
    """Jobs in the database; every method works inside the caller's transaction."""

    def create(self, connection: Connection) -> None:
        """Create what the queue keeps in the database, where it is missing."""
        ...

    def enqueue(self, connection: Connection, jobs: Sequence[QueuedJob]) -> None:
        """Write jobs; workers get them after the commit, those of one lane in this order."""
        ...

    def claim(self, connection: Connection, kinds: Collection[str], *, limit: int) -> list[Claim]:
        """Return the first job of each lane that is ready; their lanes are held until this transaction ends."""
        ...

    def lease(
        self,
        connection: Connection,
        kinds: Collection[str],
        *,
        limit: int,
        register: Callable[[Connection], WorkerId],
    ) -> list[Claim]:
        """Return the first job of each lane that is ready, leased beyond this transaction.

        ``register`` is asked for the worker that holds them, where there are any.
        """
        ...

    def settle(self, connection: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Write what became of claimed jobs; return those refused because their lease is another's by now."""
        ...

    def holds(self, connection: Connection, claim: Claim) -> bool:
        """Say whether the lease still stands, and keep it from being taken while this transaction is open."""
        ...

    def register(self, connection: Connection) -> WorkerId:
        """Return a new worker's id; its leases last while it is heard of."""
        ...

    def beat(self, connection: Connection, worker_id: WorkerId) -> bool:
        """Say that the worker lives; False where it was given up meanwhile and must register anew."""
        ...

    def hand_back(self, connection: Connection, worker_id: WorkerId, *, keep: Collection[int]) -> None:
        """Make ready what the worker leased, but for the jobs it keeps."""
        ...

    def retire(self, connection: Connection, worker_id: WorkerId) -> None:
        """Forget a worker that has ended; what it still leased is ready at once."""
        ...

    def reap(self, connection: Connection, *, silent_for_s: float, max_failures: int) -> int:
        """Take the jobs of workers that were silent for so long and make them ready; return how many.

        The first death counts against all that the worker had; after that one counts against what :meth:`charge` said
        was begun. A job with ``max_failures`` against it is parked instead.
        """
        ...

    def charge(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count a failure against leased jobs beforehand: they begin, and whether their worker survives is not known.

        Charged twice, a claim has one more failure all the same. :meth:`acquit` or settling the job takes that back.
        """
        ...

    def acquit(self, connection: Connection, claims: Sequence[Claim]) -> None:
        """Count no failure against these leased jobs but those that they were claimed with."""
        ...

    def has_orphans(self, connection: Connection, *, silent_for_s: float) -> bool:
        """Say whether :meth:`reap` would find something; only reads."""
        ...

    def next_due_s(self, connection: Connection, kinds: Collection[str]) -> float | None:
        """Return in how many seconds the next waiting lane is due (0 or less: now); None where nothing waits."""
        ...

    def pending(self, connection: Connection) -> int:
        """Return how many jobs are neither done nor parked."""
        ...

    def parked(self, connection: Connection) -> list[ParkedJob]:
        """Return the jobs that wait for a person, oldest first."""
        ...

    def retry(self, connection: Connection, job_ids: Collection[int] | None = None) -> list[int]:
        """Make parked jobs ready again, all of them where none is named; return which."""
        ...


class Signals(Protocol):
    """Wakes sleeping workers when something was committed for them."""

    def subscribe(self, kinds: Collection[str], wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake`` after each commit that may have made a job of these kinds ready; return how to stop that."""
        ...

    def committed(self) -> None:
        """Tell the workers of this process that something was committed."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


class Backend(Protocol):
    """A kind of database."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which SQL it speaks."""
        ...

    @property
    def queue(self) -> JobQueue:
        """Its job queue."""
        ...

    @property
    def signals(self) -> Signals:
        """Its way to wake workers."""
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """Open a write transaction; leaving the block commits, an exception rolls back.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke.
        """
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only snapshot.

        Raises:
            DatabaseAway: the server cannot be reached, or the connection broke.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
