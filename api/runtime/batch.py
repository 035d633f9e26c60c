"""Running many ready jobs in one transaction, each so that its failure is its own."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy.exc import DBAPIError

from api.errors import LayerAway
from api.runtime.contracts import Claim, Outcome
from api.runtime.ledger import LedgerUnit
from inventory.ledger import Handler, Retry

_log = logging.getLogger(__name__)

MAX_FAILURES: Final = 8
_LONGEST_PAUSE_S: Final = 60.0


def run_batch(unit: LedgerUnit, claims: Sequence[Claim], handlers: Mapping[str, Handler]) -> list[Outcome]:
    """Run claimed jobs and what they enqueue in their own lanes; return what became of the claimed ones."""
    outcomes = [_run(unit, claim, handlers[claim.job.kind]) for claim in claims]
    for outcome in outcomes:
        if outcome.ending == "finished" and outcome.claim.alone:
            _run_followers(unit, outcome.claim.job.lane, handlers)
    return outcomes


def ended(claim: Claim, retry: Retry | None) -> Outcome:
    """Return the outcome of a handler that answered."""
    if retry is None:
        return Outcome(claim=claim, ending="finished")
    return Outcome(claim=claim, ending="postponed", delay_s=retry.delay_s, reason=retry.reason, failures=claim.failures)


def failed(claim: Claim, error: BaseException) -> Outcome:
    """Return the outcome of a handler that raised: again after a pause, or parked when it did so too often."""
    failures = claim.failures + 1
    ending: Final = "parked" if failures >= MAX_FAILURES else "postponed"
    job = claim.job
    _log.error(
        "job %s (%s, lane %s) failed %d times of %d: %s",
        *(job.job_id, job.kind, job.lane, failures, MAX_FAILURES, ending),
        exc_info=error,
    )
    pause_s = min(0.1 * 2**failures, _LONGEST_PAUSE_S)
    reason = f"{type(error).__name__}: {error}"
    return Outcome(claim=claim, ending=ending, delay_s=pause_s, reason=reason, failures=failures)


def _run(unit: LedgerUnit, claim: Claim, handler: Handler) -> Outcome:
    try:
        with unit.step():
            retry = handler(claim.job, unit)
    except LayerAway as error:
        # Nobody's fault, and no failure: the order waits.
        return ended(claim, Retry(delay_s=error.retry_after_s, reason=str(error)))
    except DBAPIError:
        # The database refused a statement: the transaction may be lost as a whole, and all in it runs again.
        raise
    except Exception as error:  # noqa: BLE001 - see below; kept in the job's row and logged
        # Any handler may have a bug; it must cost its own job only, and stay visible.
        return failed(claim, error)
    return ended(claim, retry)


def _run_followers(unit: LedgerUnit, lane: str, handlers: Mapping[str, Handler]) -> None:
    """Run a lane's next jobs before they ever were in the queue, up to the first that does not end at once."""
    while (job := unit.take(handlers, lane)) is not None:
        outcome = _run(unit, Claim(job=job), handlers[job.kind])
        if outcome.ending != "finished":
            unit.put_back(job, delay_s=outcome.delay_s)
            return
