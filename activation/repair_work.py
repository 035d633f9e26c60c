"""The work of a repair: changes of several services' fragments at once, or of nobody's; and how it ends."""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from activation.claim_store import ClaimSheet
from activation.contracts import Returns
from activation.draft import PlatformOf, with_places
from activation.errors import PlanError, RollbackRefused
from activation.fragment_store import fragments_of, replace_fragments
from activation.model import Fragment, FragmentChange, Plan
from activation.repair import is_baseline, is_passing
from activation.service_activation import HEADER
from activation.settle import HELD, end_monitor
from activation.states import TAKEN_BACK, MonitorState, ServiceState
from activation.store import MONITORS, SERVICES
from activation.work import Member, Work, change_key, fragments_in
from inventory.documents import Document
from inventory.ledger import UnitOfWork

LEGAL: Final = "legal: order it anew, or end what has it first"
ROLLED_BACK: Final = "rolledBack"
"""Marks, in a service's private data, that a rollback took it off its devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comeback:
    """Services that ended and that a rollback brings back.

    Attributes:
        claims: what each of them has for itself, by its id.
        ordered: those that orders made: the inventories know them.
        returns: the inventories; None where no service is known to them.
    """

    claims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()
    returns: Returns | None = None

    def hold(self, uow: UnitOfWork) -> Mapping[str, str]:
        """Take again what the services had; return the names of the resources by id.

        Raises:
            RollbackRefused: something is another's by now; says whose.
        """
        for service_id, claimed in sorted(self.claims.items()):
            if taken := uow.sheet(ClaimSheet).take(service_id, claimed):
                told = "; ".join(f"{claim} (service {holder})" for claim, holder in sorted(taken.items()))
                raise RollbackRefused(f"service {service_id} cannot come back, others have by now: {told}; {LEGAL}")
        return self.returns.hold(uow, self.ordered) if self.returns is not None else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairWork(Work):
    """What a repair changes.

    Attributes:
        owners: the activated service by each part whose fragment changes.
        may_push: whether devices may change: who adopts only learns.
        services: activated services whose documents go back, too: what they were before, None where they were not.
        comeback: those of them that had ended.
        regained: the names of the resources, by id, that these get back.
    """

    asserted: bool = True
    owners: Mapping[str, str] = field(default_factory=dict)
    may_push: bool = True
    services: Mapping[str, Document | None] = field(default_factory=dict)
    comeback: Comeback = field(default_factory=Comeback)
    regained: Mapping[str, str] = field(default_factory=dict)

    def begin(self, uow: UnitOfWork, monitor_id: str) -> None:
        """Take what services that come back had, so that nobody else gets it meanwhile.

        Raises:
            RollbackRefused: something is another's by now; says whose.
        """
        if self.comeback.claims:
            held = self.comeback.hold(uow)
            monitor = MONITORS.get(uow, monitor_id)
            taken = {
                "resources": sorted(held),
                "claims": {key: list(each) for key, each in self.comeback.claims.items()},
            }
            MONITORS.save(uow, monitor, replace(monitor, task={**monitor.task, HELD: taken}))

    def roots(self) -> frozenset[str]:
        """Return the activated services whose fragments change."""
        parts = self.parts()
        return frozenset(self.root_of(part) for part in parts if part in self.owners or is_baseline(part))

    def root_of(self, part: str) -> str:
        """Return the activated service that the service ``part`` belongs to; a baseline is its own."""
        return self.owners.get(part, part)

    def check(self, plan: Plan) -> None:
        """Do nothing where ``plan`` may be pushed.

        Raises:
            PlanError: it would change a device although it only was to learn from it.
        """
        if not self.may_push and (changed := [edit.device for edit in plan.edits if edit.changes]):
            raise PlanError(f"{', '.join(changed)} changed again since it was looked at; legal: look again, then adopt")

    def to_approve(self, plan: Plan) -> Plan | None:
        """Return ``plan``; where only what is intended changes, the diffs and the hash tell that."""
        if self.may_push:
            return Work.to_approve(self, plan)
        learned = {device: "".join(map(_lesson, made)) for device, made in self.changing().items()}
        edits = tuple(replace(edit, diff=learned.get(edit.device, "")) for edit in plan.edits)
        signed = "\0".join((plan.plan_hash, *(f"{device}\0{text}" for device, text in sorted(learned.items()))))
        return replace(plan, edits=edits, plan_hash=hashlib.sha256(signed.encode()).hexdigest())


def _lesson(change: FragmentChange) -> str:
    """Return how the fragment of a service changes, as a unified diff."""
    before, after = (
        each.text.splitlines(keepends=True) if each is not None else [] for each in (change.old, change.new)
    )
    name = change_key(change)
    return "".join(difflib.unified_diff(before, after, f"{name} (intended)", f"{name} (adopted)"))


def complete_repair(
    uow: UnitOfWork, member: Member, settled: Mapping[str, FragmentChange], platform_of: PlatformOf
) -> None:
    """Write what the repaired services have now on the devices that were repaired, and end the monitor.

    Args:
        uow: the transaction that also ends the device transaction.
        member: its work is a repair.
        settled: the changes as they are to be stored, by :func:`activation.work.change_key`.
        platform_of: the platform of a device, by its name.
    """
    work = member.work
    for root, by_device in _held(uow, work, settled).items():
        replace_fragments(uow, root, {device: with_places(held, platform_of) for device, held in by_device.items()})
    if isinstance(work, RepairWork):
        if HELD not in MONITORS.get(uow, member.monitor.id).task:
            # Its devices were as they are to be: nothing was pushed, and nothing taken before.
            work.begin(uow, member.monitor.id)
        for service_id, document in work.services.items():
            _take_back(uow, service_id, document, work.comeback.claims.get(service_id))
        if work.comeback.returns is not None:
            work.comeback.returns.returned(uow, work.comeback.ordered)
    monitor = MONITORS.get(uow, member.monitor.id)
    response = {"statusCode": "200", "body": "", "header": list(HEADER)}
    end_monitor(uow, monitor, MonitorState.COMPLETED, {**member.report.document(), "response": response})


def _held(
    uow: UnitOfWork, work: Work, settled: Mapping[str, FragmentChange]
) -> Mapping[str, Mapping[str, Sequence[Fragment]]]:
    """Return what each service has, by device, after the change: what changes, and what it has there besides."""
    stored = fragments_of(uow.connection, work.roots())
    found: dict[str, dict[str, dict[str, Fragment]]] = {}
    for device, made in work.changing().items():
        for change in made:
            part = next(fragments_in([change])).service_id
            if is_passing(part):
                continue
            root = work.root_of(part)
            there = found.setdefault(root, {}).setdefault(
                device, {fragment_key(each): each for each in stored.get(root, ()) if each.device == device}
            )
            there.pop(change_key(change), None)
            after = settled[change_key(change)].new
            if after is not None:
                there[change_key(change)] = after
    return {root: {device: tuple(held.values()) for device, held in by.items()} for root, by in found.items()}


def fragment_key(fragment: Fragment) -> str:
    """Return what names ``fragment``, as :func:`activation.work.change_key` does."""
    return change_key(FragmentChange(old=fragment, new=fragment))


def _take_back(
    uow: UnitOfWork, service_id: str, document: Document | None, claims: Sequence[str] | None = None
) -> None:
    """Make the service's document what it was; where it was not there, it is reserved: nothing of it is on devices.

    ``claims`` is what one that had ended has for itself again.
    """
    row = SERVICES.find(uow, service_id)
    if row is None:
        return
    state = ServiceState(document["state"]) if document is not None else ServiceState.RESERVED
    if row.state != state:
        TAKEN_BACK.advance(ServiceState(row.state), state)
    after = document if document is not None else {**row.document, "state": state.value}
    task = {**row.task, ROLLED_BACK: document is None, **({"claims": claims} if claims is not None else {})}
    SERVICES.save(uow, row, replace(row, state=state, document=after, task=task))
