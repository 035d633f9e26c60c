"""Between plan and devices: a plan goes through when its bytes stand approved, or when nobody has to be asked."""

from dataclasses import dataclass, replace

from activation.contracts import Authors, Devices
from activation.desired import parts
from activation.fragment_store import place_keys, sharers
from activation.model import Plan
from activation.report import Report
from activation.review import Foreseen, Requirement, ReviewPolicy, Risk, Ruling, stronger
from activation.reviews import Question, ask, latest, satisfies, supersede
from activation.risk import PlatformOf, removed_lines, shared_places, unowned_nodes
from activation.service_activation import Request
from activation.states import MONITOR, MonitorState, ReviewState
from activation.store import MONITORS, SERVICES, store_plan
from activation.work import Work
from inventory.documents import Document
from inventory.ledger import Transactions, UnitOfWork
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One activation that goes alone, with its plan."""

    monitor: Row
    work: Work
    plan: Plan
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewGate:
    """Asks people where the policy says so.

    Attributes:
        authors: tells who ordered what.
        platform_of: the platform of a device, by its name.
    """

    policy: ReviewPolicy
    authors: Authors
    devices: Devices
    platform_of: PlatformOf

    def may_hold(self, monitor: Row, work: Work, transactions: Transactions) -> bool:
        """Say whether the plan of this activation might have to wait for people: then it goes alone."""
        if "reviewId" in monitor.task:
            return True
        if self.policy.is_silent:
            return False
        return self.policy.may_need_people(self._foreseen(Request.of(monitor), work, transactions))

    def ruling(
        self, request: Request, work: Work, plan: Plan, transactions: Transactions, *, shared_services: int
    ) -> tuple[Ruling, Risk]:
        """Return what the policy says of a plan, and the risk it was judged by."""
        risk = Risk(
            shared_services=shared_services,
            removed_lines=removed_lines(plan),
            unowned_nodes=unowned_nodes(plan, self.platform_of),
        )
        return self.policy.ruling(self._foreseen(request, work, transactions), risk), risk

    def admitted(self, candidate: Candidate, transactions: Transactions) -> Plan | None:
        """Return the plan to push, under the id it was approved with; None where it waits for people.

        What was asked once stays asked: a policy that has become milder since lets nothing through that people were
        to look at, and an approval is worth something for exactly the bytes it signs.
        """
        asked = candidate.work.to_approve(candidate.plan)
        if asked is None:
            return candidate.plan
        candidate = replace(candidate, plan=asked)
        request, plan = Request.of(candidate.monitor), candidate.plan
        with transactions.read() as connection:
            places = place_keys(shared_places(plan, self.platform_of))
            shared = frozenset().union(*sharers(connection, [request.service_id], places).values())
        ruling, risk = self.ruling(request, candidate.work, plan, transactions, shared_services=len(shared))
        with transactions.begin() as uow:
            monitor = MONITORS.get(uow, candidate.monitor.id)
            if MONITOR.is_final(MonitorState(monitor.state)):
                # Cancelled while it was planned: there is nothing left to ask about.
                return None
            review = latest(uow, monitor)
            if review is not None:
                ruling = _kept(ruling, review)
                if review.document["planHash"] == candidate.plan.plan_hash:
                    if review.state == ReviewState.APPROVED and satisfies(review, ruling.requirement):
                        return replace(candidate.plan, plan_id=review.document["planId"])
                    if review.state == ReviewState.WAITING and review.document["requirement"] == ruling.requirement:
                        return None
            if ruling.requirement is Requirement.AUTO:
                return candidate.plan
            self._ask(uow, replace(candidate, monitor=monitor), ruling, risk, review)
        return None

    def _ask(self, uow: UnitOfWork, candidate: Candidate, ruling: Ruling, risk: Risk, before: Row | None) -> None:
        because = f"the review policy's rule {ruling.rule!r} wants {ruling.requirement.value}"
        if before is not None:
            because = _why_again(before, candidate.plan, ruling)
            supersede(uow, before, because)
        request, monitor = Request.of(candidate.monitor), candidate.monitor
        question = Question(
            plan=candidate.plan,
            ruling=ruling,
            risk=risk,
            action=request.action,
            service=_summary(request, SERVICES.find(uow, request.service_id)),
            author=self.authors.author_of(uow, monitor.id, monitor.correlation_id),
            because=because,
            places=place_keys(shared_places(candidate.plan, self.platform_of)),
        )
        store_plan(uow, candidate.plan, monitor.id)
        ask(uow, monitor, question, candidate.report.document())

    def _foreseen(self, request: Request, work: Work, transactions: Transactions) -> Foreseen:
        names = frozenset(work.by_device)
        devices = [self.devices.device(name) for name in names]
        return Foreseen(
            action=request.action,
            specifications=_specifications(request, work, transactions),
            devices=names,
            roles=frozenset(device.role for device in devices),
            platforms=frozenset(device.platform for device in devices),
        )


def _specifications(request: Request, work: Work, transactions: Transactions) -> frozenset[str]:
    """Return the specifications of the service and of its parts."""
    service = request.service
    if service is None:
        with transactions.read() as connection:
            stored = SERVICES.find(connection, request.service_id)
        service = request.wanted(stored.document if stored is not None else None) or {}
    named = {_specification(each) for each in (service, *parts(service))}
    held = {change.old.intent for made in work.by_device.values() for change in made if change.old is not None}
    return frozenset((named | held) - {""})


def _specification(service: Document) -> str:
    return str(service.get("serviceSpecification", {}).get("id", ""))


def _summary(request: Request, stored: Row | None) -> Document:
    document = request.service or (stored.document if stored is not None else {})
    named = {"id": request.service_id, "name": document.get("name"), "specification": _specification(document)}
    return {key: value for key, value in named.items() if value}


def _kept(ruling: Ruling, review: Row) -> Ruling:
    asked = Requirement(review.document["requirement"])
    if stronger(asked, ruling.requirement) is ruling.requirement:
        return ruling
    return Ruling(requirement=asked, rule=review.document["rule"])


def _why_again(before: Row, plan: Plan, ruling: Ruling) -> str:
    if before.document["planHash"] == plan.plan_hash:
        return f"the review policy's rule {ruling.rule!r} now wants {ruling.requirement.value}"
    return (
        f"the touched part of a device has changed since review {before.id} ({before.state}): the plan is another one"
    )
