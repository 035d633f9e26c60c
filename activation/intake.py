"""From jobs to members: what the database says of each, and what it is to change on which devices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from activation import fragment_store, store
from activation.desired import Renderings, changes
from activation.errors import ActivationError, Cancelled
from activation.gate import ReviewGate
from activation.model import Fragment
from activation.repair_requests import RepairRequest
from activation.repairs import Repairs
from activation.report import Report
from activation.service_activation import Request, pending, resolved
from activation.service_documents import state_of
from activation.settle import fail_all, is_open
from activation.states import STAGED
from activation.store import MONITORS, SERVICES, Transaction
from activation.unique import claims
from activation.withdrawal import withdrawn
from activation.work import Member, Work
from inventory.errors import InventoryError, UnknownResource
from inventory.ledger import DeviceJob
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A job whose request is to be done, and what the database says of it.

    Attributes:
        interrupted: its transactions that a crash cut off.
        old: the fragments its service has.
        service: the service as it is stored; None: nobody keeps it.
    """

    job: DeviceJob
    monitor: Row
    interrupted: tuple[Transaction, ...]
    old: tuple[Fragment, ...]
    service: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads what jobs are about, and renders it."""

    renderings: Renderings
    repairs: Repairs
    gate: ReviewGate | None = None

    def arrivals(self, jobs: Sequence[DeviceJob]) -> list[Arrival]:
        """Return what the database says of ``jobs``, read with a statement per table; end those with nothing to do."""
        with jobs[0].transactions.read() as connection:
            monitors = MONITORS.many(connection, list({_monitor_id(job) for job in jobs}))
            interrupted = store.unfinished(connection, list(monitors))
            roots = {key: Request.of(monitor).service_id for key, monitor in monitors.items()}
            fragments = fragment_store.fragments_of(connection, list(roots.values()))
            services = SERVICES.many(connection, list(roots.values()))
        found: list[Arrival] = []
        for job in jobs:
            key = _monitor_id(job)
            if key not in monitors:
                job.end(UnknownResource(MONITORS.kind, key))
            elif not is_open(monitors[key]) or _is_behind(key, services.get(roots[key])):
                # What is behind another request of its service comes again when that one ends.
                job.end(None)
            else:
                mine = tuple(each for each in interrupted if key in each.monitor_ids)
                arrival = Arrival(
                    job=job,
                    monitor=monitors[key],
                    interrupted=mine,
                    old=fragments[roots[key]],
                    service=services.get(roots[key]),
                )
                found.append(arrival)
        return found

    def member(self, arrival: Arrival) -> Member | None:
        """Return the member that ``arrival`` becomes; None where it cannot, and its monitor says why."""
        report = Report()
        if (reason := withdrawn(arrival.monitor)) is not None:
            fail_all(arrival.job.transactions, [(arrival.monitor.id, report)], (Cancelled(reason),))
            return None
        try:
            with _timed(report, "render"):
                repair = RepairRequest.of(arrival.monitor)
                if repair is not None:
                    work: Work = self.repairs.work(repair, arrival.job.transactions)
                else:
                    work = self.work(Request.of(arrival.monitor), arrival.old, arrival.service)
        except (ActivationError, InventoryError) as error:
            fail_all(arrival.job.transactions, [(arrival.monitor.id, report)], (error,))
            return None
        transactions = arrival.job.transactions
        return Member(
            monitor=arrival.monitor,
            work=work,
            report=report,
            transactions=transactions,
            end=arrival.job.end,
            job=arrival.job,
            service=arrival.service,
            # What is approved is what is pushed: a plan of one activation, and of no other.
            alone=repair is not None
            or work.is_staged
            or work.by_hand
            or (self.gate is not None and self.gate.may_hold(arrival.monitor, work, transactions)),
        )

    def work(self, request: Request, old: tuple[Fragment, ...], service: Row | None = None) -> Work:
        """Return what ``request`` changes of ``service``, which has the fragments ``old``.

        Raises:
            ActivationError: the service does not fit its intents, or a template failed.
            IllegalTransition: the service cannot come into the state it is to be in.
            UnknownResource: a device that is not in the inventory, or a service that is gone.
        """
        wanted = resolved(request, service)
        new = self.renderings.fragments(wanted) if wanted is not None else ()
        is_staged = wanted is not None and state_of(wanted) in STAGED
        return Work(
            root_id=request.service_id,
            old=old,
            by_device=changes(old, new),
            claims=claims(self.renderings.intents, wanted),
            is_staged=is_staged,
            by_hand=request.by_hand,
        )


def _is_behind(monitor_id: str, service: Row | None) -> bool:
    return service is not None and monitor_id in pending(service) and pending(service)[0] != monitor_id


def _monitor_id(job: DeviceJob) -> str:
    return str(job.job.payload["monitorId"])


@contextmanager
def _timed(report: Report, phase: str) -> Iterator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        report.phases_s[phase] = perf_counter() - started
