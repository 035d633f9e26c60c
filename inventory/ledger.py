"""The ledger's contract: what one short transaction writes together.

A state move, its history row, its event (outbox) and the jobs that follow are one commit or none.
Layers see only these values and Protocols; :mod:`api.runtime` implements them on a database.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from sqlalchemy import Connection

from inventory.documents import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one resource, in TM Forum's event words.

    Attributes:
        event_type: TMF name, e.g. ``"ServiceOrderStateChangeEvent"``.
        domain: who says so: ``"product"``, ``"service"``, ``"resource"``, ``"activation"``, ``"inventory"`` or
            ``"catalog"``.
        resource_kind: lowerCamel TMF resource name, e.g. ``"serviceOrder"``.
        resource_id: its id; events of one resource stay in order.
        correlation_id: one id along the whole chain, the product order's id where there is one.
        document: the whole resource as it stands after the change.
        priority: of the jobs that follow the event, see :class:`NewJob`.
    """

    event_type: str
    domain: str
    resource_kind: str
    resource_id: str
    correlation_id: str
    document: Document
    priority: int = 0


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
        priority: among the lanes that are ready, the higher number goes first; a lane keeps its own order.
    """

    kind: str
    lane: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
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


class Open(Protocol):
    """What a store's :class:`Sheet` may use of the transaction it belongs to."""

    @property
    def reader(self) -> Connection:
        """The transaction's connection as it is: it does not see what is collected and not yet written."""
        ...

    @property
    def now(self) -> datetime:
        """The transaction's one reading of the clock, UTC, aware."""
        ...

    def text(self, value: object) -> str:
        """Return the compact JSON text of ``value``; the same value is written out once per transaction."""
        ...


class Sheet(Protocol):
    """What one store collects in one transaction; made by the unit of work at its first use.

    Every change is noted so that a step which fails can be undone, a write to the database among them.
    """

    def mark(self) -> int:
        """Return where the sheet stands; 0 when it is new."""
        ...

    def undo(self, mark: int) -> None:
        """Forget everything since ``mark``; the database forgets by itself."""
        ...

    def flush(self) -> None:
        """Write what is not written yet, with a statement per table."""
        ...


SheetT = TypeVar("SheetT", bound=Sheet)


class UnitOfWork(Open, Protocol):
    """One open write transaction. Only stores touch its connections; the runtime commits, nobody else does."""

    @property
    def connection(self) -> Connection:
        """The connection after everything collected in sheets was written: any statement sees it."""
        ...

    def sheet(self, make: Callable[[Open], SheetT]) -> SheetT:
        """Return this unit's one sheet of the class ``make``."""
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


class Trial(Protocol):
    """Notes what a worker is doing at the moment: its death counts against that, and not against what only waited."""

    def begins(self, job_ids: Collection[int], /) -> None:
        """Charge these jobs with a failure beforehand, those at least that failed before; the end takes it back."""
        ...

    def survived(self, job_ids: Collection[int], /) -> None:
        """Take one :meth:`begins` of each of these back: they wait for what comes next."""
        ...

    def cleared(self, job_ids: Collection[int], /) -> None:
        """Take back all of that, at once: these have ended, and what is begun next is no concern of theirs."""
        ...


class NoTrial:
    """A :class:`Trial` that notes nothing."""

    def begins(self, job_ids: Collection[int], /) -> None:
        """Do nothing."""

    def survived(self, job_ids: Collection[int], /) -> None:
        """Do nothing."""

    def cleared(self, job_ids: Collection[int], /) -> None:
        """Do nothing."""


NO_TRIAL: Final = NoTrial()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceJob:
    """A leased job in the hands of a :class:`DeviceDesk`.

    Attributes:
        transactions: where its work is written; they fail once the job is another worker's.
        end: to be called once, from any thread: None where the job is done, when to run it again, or what broke it.
        trial: to be told of each part of the work that may take the worker along.
        failures: how often the job failed, or its worker died: what many share is then done by fewer together.
        died: whether the death of a worker is the last that became of it.
    """

    job: Job
    transactions: Transactions
    end: Callable[["Retry | BaseException | None"], None]
    trial: Trial = NO_TRIAL
    failures: int = 0
    died: bool = False


class DeviceDesk(Protocol):
    """Work that talks to devices and is done for many jobs together: those that wait are kept, not a thread each."""

    def accept(self, jobs: Sequence[DeviceJob], /) -> None:
        """Take these jobs, in this order, and return at once. Running one twice must have the effect of once."""
        ...

    def dismiss(self) -> None:
        """End every job that has not begun, to be run again; those under way go on."""
        ...
