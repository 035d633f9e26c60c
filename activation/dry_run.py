"""What activations would do that nobody has asked for yet, with everything that is unfinished applied first."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from activation.errors import ActivationError, DevicesFailed, Outdated
from activation.forecast import Forecast, Holdings, fragments_after, mended
from activation.fragment_store import fragments_of, fragments_sharing, owners, place_keys, sharers
from activation.model import Fragment, Path, Plan, PlanId
from activation.notation import parents
from activation.plan import touched_paths
from activation.planning import read_devices, refuse_strangers
from activation.project import ProjectedDevice
from activation.reach import Reach
from activation.repair_requests import RepairRequest
from activation.repair_work import RepairWork
from activation.risk import shared_places
from activation.service_activation import Request
from activation.service_documents import state_of
from activation.states import ServiceState
from activation.store import SERVICES
from activation.work import Work
from inventory.errors import InventoryError
from inventory.ledger import Transactions
from inventory.store import Row

_PLAN: Final = PlanId("")
WorkOf = Callable[[Request, tuple[Fragment, ...], Row | None], Work]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mending:
    """A repair that comes first, and what it changes as things stand now."""

    request: RepairRequest
    work: RepairWork


@dataclass(frozen=True, slots=True, kw_only=True)
class DryPlan:
    """What one request would do.

    Attributes:
        neighbours: by device, every other service on the touched nodes, those that come first among them.
    """

    request: Request
    work: Work
    plan: Plan
    neighbours: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunResult:
    """The plans, how many unfinished activations were applied first, and why others could not be."""

    plans: tuple[DryPlan, ...]
    applied: int
    skipped: tuple[str, ...]


@dataclass(slots=True)
class _Services:
    """The services that change, as they will be: their fragments and their rows."""

    held: dict[str, tuple[Fragment, ...]]
    rows: dict[str, Row]

    def copy(self) -> "_Services":
        return _Services(dict(self.held), dict(self.rows))

    def mend(self, work: RepairWork) -> None:
        """Let the services be what a repair makes of them."""
        for service_id, document in work.services.items():
            row = self.rows.get(service_id)
            if row is not None:
                after = document or {**row.document, "state": ServiceState.RESERVED.value}
                self.rows[service_id] = replace(row, state=state_of(after), document=after)

    def change(self, request: Request) -> None:
        """Let ``request`` be through."""
        before = self.rows.pop(request.service_id, None)
        document = request.wanted(before.document if before is not None else None)
        if document is not None:
            row = before or Row(id=request.service_id, state="", correlation_id="", document={})
            task = {**row.task, "stands": True}
            self.rows[row.id] = replace(row, state=state_of(document), document=document, task=task)


@dataclass(slots=True, kw_only=True)
class DryRun:
    """One dry run: ``wanted`` after ``before``, each in order.

    Attributes:
        work_of: what a request changes of a service that has these fragments and is stored so.
    """

    reach: Reach
    work_of: WorkOf
    transactions: Transactions
    before: Sequence[Request | Mending]
    wanted: Sequence[Request]
    _skipped: list[str] = field(default_factory=list)

    def run(self) -> DryRunResult:
        """Return what would happen; nothing is stored, nothing is pushed, no device is locked.

        Raises:
            ActivationError: a wanted service does not fit its intents, a template failed, a device cannot be read, or
                a change cannot be planned.
            UnknownResource: a device that is not in the inventory.
        """
        roots = sorted({root for request in (*self.before, *self.wanted) for root in _roots(request)})
        with self.transactions.read() as connection:
            now = _Services(dict(fragments_of(connection, roots)), dict(SERVICES.many(connection, roots)))
        devices = self._devices(self._touched(now.copy()))
        with self.transactions.read() as connection:
            forecast = Forecast(
                devices=devices,
                holdings=Holdings(platform_of=self.reach.platform, held=now.held),
                neighbours=lambda name, places: fragments_sharing(connection, roots, {name: places})[name],
            )
            applied = sum(self._apply(forecast, now, request) for request in self.before)
            plans = [self._plan(forecast, now, request) for request in self.wanted]
            places = [shared_places(each.plan, self.reach.platform) for each in plans]
            stored = [sharers(connection, roots, place_keys(each)) for each in places]
        found = tuple(
            replace(plan, neighbours=_neighbours(plan.request, where, known, forecast.holdings))
            for plan, where, known in zip(plans, places, stored, strict=True)
        )
        return DryRunResult(plans=found, applied=applied, skipped=tuple(self._skipped))

    def _touched(self, now: "_Services") -> Mapping[str, tuple[Path, ...]]:
        """Return what has to be read of each device that ``wanted`` changes."""
        before = list(filter(None, (self._try(now, request) for request in self.before)))
        wanted = [self._work(now, request) for request in self.wanted]
        with self.transactions.read() as connection:
            refuse_strangers(wanted, owners(connection, {part for work in wanted for part in work.parts()}))
        found: dict[str, set[Path]] = {name: set() for work in wanted for name in work.changing()}
        for work in (*before, *wanted):
            for name, changes in work.changing().items():
                if name in found:
                    found[name].update(touched_paths(self.reach.platform(name), changes))
        return {name: _outermost(paths) for name, paths in sorted(found.items())}

    def _try(self, now: "_Services", request: Request | Mending) -> Work | None:
        try:
            if isinstance(request, Mending):
                now.held |= mended(request.work, now.held)
                now.mend(request.work)
                return request.work
            return self._work(now, request)
        except (ActivationError, InventoryError):
            # It will fail when its turn comes; said once, when it is left out of the forecast.
            return None

    def _work(self, now: "_Services", request: Request) -> Work:
        work = self.work_of(request, now.held[request.service_id], now.rows.get(request.service_id))
        now.held[request.service_id] = work.old if work.is_staged else fragments_after(work)
        now.change(request)
        return work

    def _devices(self, touched: Mapping[str, tuple[Path, ...]]) -> Mapping[str, ProjectedDevice]:
        with self.reach.participants(self.reach.named(touched)) as participants:
            answers = read_devices(participants, touched)
        if errors := [answer.error for answer in answers.values() if answer.error is not None]:
            raise DevicesFailed(errors)
        return {
            name: ProjectedDevice.of(name, self.reach.platform(name), answers[name].value or "", paths)
            for name, paths in touched.items()
        }

    def _apply(self, forecast: Forecast, now: "_Services", request: Request | Mending) -> bool:
        if isinstance(request, Mending):
            return self._mend(forecast, now, request)
        try:
            work = self.work_of(request, now.held[request.service_id], now.rows.get(request.service_id))
            if not work.is_staged:
                forecast.apply(work, forecast.plan(work, _PLAN))
            now.change(request)
        except (ActivationError, InventoryError) as error:
            self._skipped.append(f"{request.action} of {request.service_id} is left out, it will fail: {error}")
            return False
        return True

    def _mend(self, forecast: Forecast, now: "_Services", mending: Mending) -> bool:
        request, work = mending.request, mending.work
        try:
            plan = forecast.plan(work, _PLAN)
            work.check(plan)
            forecast.mend(work, plan)
        except Outdated as error:
            self._skipped.append(f"{request.action} of {request.subject} is left out: {error}")
            return False
        except (ActivationError, InventoryError) as error:
            self._skipped.append(f"{request.action} of {request.subject} is left out, it will fail: {error}")
            return False
        now.mend(work)
        return True

    def _plan(self, forecast: Forecast, now: "_Services", request: Request) -> DryPlan:
        work = self.work_of(request, now.held[request.service_id], now.rows.get(request.service_id))
        plan = forecast.plan(work, PlanId(str(uuid.uuid4())))
        if not work.is_staged:
            forecast.apply(work, plan)
        now.change(request)
        return DryPlan(request=request, work=work, plan=plan, neighbours={})


def _roots(request: Request | Mending) -> frozenset[str]:
    return request.work.roots() if isinstance(request, Mending) else frozenset({request.service_id})


def _neighbours(
    request: Request,
    places: Mapping[str, frozenset[Path]],
    stored: Mapping[str, frozenset[str]],
    holdings: Holdings,
) -> Mapping[str, frozenset[str]]:
    """Return, by device, the services that stand there and those that will, but for the request's own."""
    return {
        device: stored[device] | (holdings.sharers(device, paths) - {request.service_id})
        for device, paths in places.items()
    }


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return ``paths`` without those below another, sorted."""
    chosen = frozenset(paths)
    return tuple(sorted(path for path in chosen if chosen.isdisjoint(parents(path))))
