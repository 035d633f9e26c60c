"""The ledger's contract: what one short transaction writes together.

A state move, its history row, its event (outbox) and the jobs that follow are one commit or none.
Layers see only these values and Protocols; :mod:`api.runtime` implements them on a database.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from inventory.documents import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one resource, in TM Forum's event words.

    Attributes:
        event_type: TMF name, e.g. ``"ServiceOrderStateChangeEvent"``.
        domain: who says so: ``"product"``, ``"service"``, ``"resource"``, ``"activation"`` or ``"inventory"``.
        resource_kind: lowerCamel TMF resource name, e.g. ``"serviceOrder"``.
        resource_id: its id; events of one resource stay in order.
        correlation_id: one id along the whole chain, the product order's id where there is one.
        document: the whole resource as it stands after the change.
    """

    event_type: str
    domain: str
    resource_kind: str
    resource_id: str
    correlation_id: str
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One row of a resource's history: which state became which, and why."""

    resource_kind: str
    resource_id: str
    item: str = ""
    from_state: str
    to_state: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """Work to be done after this transaction commits.

    Attributes:
        kind: handler name, ``"<layer>.<verb>"``.
        lane: jobs of one lane run one at a time, in order; by convention the id of the resource they move.
        payload: JSON values only.
        delay_s: not before this many seconds from now.
    """

    kind: str
    lane: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its handler gets it; ``attempt`` counts from 1.

    ``event`` is set when a published event caused the job: the event's id, type, resource id, correlation id and
    document, so that a layer never reads another layer's tables.
    """

    job_id: int
    kind: str
    lane: str
    payload: Mapping[str, Any]
    attempt: int
    event: Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A handler's answer for "not now": run the job again after ``delay_s``; the reason is kept for the engineer."""

    delay_s: float
    reason: str


class UnitOfWork(Protocol):
    """One open write transaction. Only stores touch ``connection``; the runtime commits, nobody else does."""

    @property
    def connection(self) -> Connection:
        """The transaction's SQLAlchemy connection."""
        ...

    @property
    def now(self) -> datetime:
        """The transaction's one reading of the clock, UTC, aware."""
        ...

    def publish(self, event: Event) -> None:
        """Write ``event`` to the outbox; subscribed layers and hubs get it after the commit."""
        ...

    def record(self, move: Move) -> None:
        """Write one history row."""
        ...

    def enqueue(self, job: NewJob) -> None:
        """Write one job; a worker takes it after the commit."""
        ...


class Transactions(Protocol):
    """Opens units of work; leaving the block commits, an exception rolls everything back."""

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """Open a write transaction."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a read-only connection that never waits for a writer."""
        ...


class Handler(Protocol):
    """Database-only work on one job, inside the transaction that also ends the job."""

    def __call__(self, job: Job, uow: UnitOfWork, /) -> Retry | None:
        """Do the work. Running twice must have the effect of running once."""
        ...


class DeviceHandler(Protocol):
    """Work that talks to devices: no transaction is open while it runs; it opens short ones of its own."""

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Do the work. Running twice must have the effect of running once."""
        ...
