"""Plans that wait for people: asking, deciding, and closing what nobody has to decide any more."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from activation.errors import AlreadyDecided, NotApprovable, OtherPlan, ReviewRejected
from activation.model import Plan
from activation.paths import REVIEW_BASE
from activation.review import Requirement, Risk, Ruling
from activation.states import REVIEW, ReviewState
from activation.store import MONITORS, REVIEWS
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row

ANONYMOUS: Final = "anonymous"
REVIEW_ID: Final = "reviewId"
"""Where a monitor's private data names its latest review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What people are asked.

    Attributes:
        author: who ordered; four eyes need somebody else's approval.
        because: why they are asked, in words.
        places: by device, what finds who else is on the touched nodes.
    """

    plan: Plan
    ruling: Ruling
    risk: Risk
    action: str
    service: Mapping[str, Any]
    author: str
    because: str
    places: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person says about the plan with the hash ``plan_hash``."""

    state: ReviewState
    actor: str
    plan_hash: str
    comment: str


def latest(uow: UnitOfWork, monitor: Row) -> Row | None:
    """Return the monitor's latest review, or None."""
    review_id = monitor.task.get(REVIEW_ID)
    return REVIEWS.find(uow, review_id) if review_id else None


def ask(uow: UnitOfWork, monitor: Row, question: Question, additions: Mapping[str, Any]) -> Row:
    """Store a review that waits, and note on the monitor that it does; return the review.

    ``additions`` go into the monitor's document.
    """
    review_id, plan = str(uuid.uuid4()), question.plan
    document = {
        "id": review_id,
        "href": f"{REVIEW_BASE}/{review_id}",
        "state": ReviewState.WAITING.value,
        "requirement": question.ruling.requirement.value,
        "rule": question.ruling.rule,
        "because": question.because,
        "planId": plan.plan_id,
        "planHash": plan.plan_hash,
        "action": question.action,
        "service": dict(question.service),
        "devices": [edit.device for edit in plan.edits if edit.changes],
        "risk": risk_document(question.risk),
        "author": question.author,
        "decision": [],
        "monitor": {"id": monitor.id, "href": monitor.document["href"]},
        "externalId": monitor.external_id or "",
        "requestedAt": uow.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "@type": "Review",
    }
    row = Row(
        id=review_id,
        state=ReviewState.WAITING,
        correlation_id=monitor.correlation_id,
        document=document,
        task={"monitorId": monitor.id, "places": dict(question.places)},
    )
    REVIEWS.insert(uow, row)
    noted = {**monitor.document, **additions, "review": _reference(document)}
    MONITORS.save(uow, monitor, replace(monitor, document=noted, task={**monitor.task, REVIEW_ID: review_id}))
    return row


def supersede(uow: UnitOfWork, review: Row, why: str) -> None:
    """Close a review whose plan will not be pushed; one that is over stays as it is."""
    state = ReviewState(review.state)
    if not REVIEW.is_final(state):
        REVIEW.advance(state, ReviewState.SUPERSEDED)
        document = {**review.document, "state": ReviewState.SUPERSEDED.value, "note": why}
        REVIEWS.save(uow, review, replace(review, state=ReviewState.SUPERSEDED, document=document), reason=why)


def close(uow: UnitOfWork, monitor: Row, why: str) -> None:
    """Close what still waits for a decision about ``monitor``, which has ended without one."""
    review = latest(uow, monitor)
    if review is not None and review.state == ReviewState.WAITING:
        supersede(uow, review, why)


def decide(uow: UnitOfWork, review_id: str, decision: Decision) -> tuple[Row, Row | None]:
    """Record a decision; return the review as it is now, and its monitor where the decision was a new one.

    The same decision about the same plan may be sent again. What follows from a new one is the caller's.

    Raises:
        UnknownResource: no review has this id.
        OtherPlan: the decision signs another hash.
        AlreadyDecided: the review does not wait any more.
        NotApprovable: four eyes, and the approver is the author.
    """
    review = REVIEWS.get(uow, review_id)
    if decision.plan_hash != review.document["planHash"]:
        raise OtherPlan(
            f"review {review.id}: the decision signs plan hash {decision.plan_hash!r}; "
            f"the plan that waits has {review.document['planHash']!r}"
        )
    if review.state == decision.state:
        return review, None
    if review.state != ReviewState.WAITING:
        raise AlreadyDecided(_over(review))
    if decision.state is ReviewState.APPROVED:
        _check_approver(review, decision)
    REVIEW.advance(ReviewState(review.state), decision.state)
    document = {
        **review.document,
        "state": decision.state.value,
        "decision": [*review.document["decision"], _signed(decision, uow)],
    }
    after = replace(review, state=decision.state, document=document)
    reason = f"{decision.actor}: {decision.comment}" if decision.comment else decision.actor
    after = REVIEWS.save(uow, review, after, reason=reason)
    monitor = MONITORS.get(uow, review.task["monitorId"])
    noted = {**monitor.document, "review": _reference(document)}
    return after, MONITORS.save(uow, monitor, replace(monitor, document=noted))


def rejection(review: Row) -> ReviewRejected:
    """Return the error that a rejected plan ends with: who rejected it and why."""
    last = review.document["decision"][-1]
    return ReviewRejected(f"{last['by']} rejected the plan: {last['comment']}")


def satisfies(review: Row, requirement: Requirement) -> bool:
    """Say whether the approvals of ``review`` are enough for ``requirement``."""
    approvers = {each["by"] for each in review.document["decision"] if each["state"] == ReviewState.APPROVED}
    if requirement is Requirement.FOUR_EYES:
        approvers -= {review.document["author"]}
    return requirement is Requirement.AUTO or bool(approvers)


def _check_approver(review: Row, decision: Decision) -> None:
    if review.document["requirement"] != Requirement.FOUR_EYES or decision.actor != review.document["author"]:
        return
    if decision.actor == ANONYMOUS:
        raise NotApprovable(
            f"review {review.id} needs four eyes: with --auth off everybody is {ANONYMOUS!r}, so nobody is known to be "
            f"somebody else than the author; start with --auth on and give each person a token of their own"
        )
    raise NotApprovable(
        f"review {review.id} needs four eyes: {decision.actor!r} ordered this change; "
        "a reviewer with a token of another name has to approve it"
    )


def _over(review: Row) -> str:
    decisions: Sequence[Document] = review.document["decision"]
    if review.state == ReviewState.SUPERSEDED or not decisions:
        return f"review {review.id} is {review.state}: {review.document.get('note', 'its plan will not be pushed')}"
    last = decisions[-1]
    return f"review {review.id} is {review.state} already: by {last['by']} at {last['at']}"


def _signed(decision: Decision, uow: UnitOfWork) -> Document:
    at = uow.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"state": decision.state.value, "by": decision.actor, "comment": decision.comment}
    return {**said, "at": at, "planHash": decision.plan_hash}


def _reference(document: Document) -> Document:
    return {name: document[name] for name in ("id", "href", "state", "requirement", "because", "planHash")}


def risk_document(risk: Risk) -> Document:
    """Return the risk in the wire's words."""
    return {
        "sharedServices": risk.shared_services,
        "removedLines": risk.removed_lines,
        "unownedNodes": risk.unowned_nodes,
    }
