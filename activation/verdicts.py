"""What people say about a plan that waits, and what follows from it, in one transaction."""

from dataclasses import dataclass

from activation.report import Report
from activation.reviews import Decision, decide, rejection
from activation.service_activation import Request, run_job
from activation.settle import fail
from activation.states import ReviewState
from inventory.ledger import UnitOfWork
from inventory.store import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who decides, about which bytes, and what they want to be remembered."""

    actor: str
    plan_hash: str
    comment: str = ""


def approve(uow: UnitOfWork, review_id: str, signature: Signature) -> Row:
    """Let the plan go to its devices, if it is still the same when it is made again; return the review.

    Raises:
        UnknownResource: no review has this id.
        OtherPlan: the signature is for another hash.
        AlreadyDecided: the review is rejected or superseded.
        NotApprovable: four eyes, and the signer ordered the change.
    """
    review, monitor = decide(uow, review_id, _decision(ReviewState.APPROVED, signature))
    if monitor is not None:
        uow.enqueue(run_job(Request.of(monitor).service_id, monitor.id))
    return review


def reject(uow: UnitOfWork, review_id: str, signature: Signature) -> Row:
    """End the activation with the reviewer's name and comment; nothing was pushed; return the review.

    Raises:
        UnknownResource: no review has this id.
        OtherPlan: the signature is for another hash.
        AlreadyDecided: the review is approved or superseded.
    """
    review, monitor = decide(uow, review_id, _decision(ReviewState.REJECTED, signature))
    if monitor is not None:
        fail(uow, monitor.id, Report(), [rejection(review)])
    return review


def _decision(state: ReviewState, signature: Signature) -> Decision:
    return Decision(
        state=state, actor=signature.actor, plan_hash=signature.plan_hash, comment=signature.comment.strip()
    )
