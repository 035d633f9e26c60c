"""Transactions that a crash or a device out of reach cut off: back on every device, now or later."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from activation import rollback_notes, store
from activation.journal import Journal
from activation.reach import Reach
from activation.report import Report
from activation.settle import fail_all, is_open
from activation.states import TRANSACTION
from activation.store import MONITORS, Transaction
from activation.transact import Outcome, Push
from inventory.ledger import Retry, Transactions

logger = logging.getLogger(__name__)

ROLLBACK_TRIES: Final = 12
"""With the pauses between them some four minutes: longer than a device waits for a confirm."""
LONGEST_PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Rolls interrupted transactions back."""

    reach: Reach

    def all_interrupted(self, transactions: Transactions) -> int:
        """Roll back what can be rolled back now of everything that is unfinished; return how much was unfinished."""
        with transactions.read() as connection:
            interrupted = store.unfinished(connection)
        for transaction in interrupted:
            self._roll_back(transaction, transactions)
        return len(interrupted)

    def resume(self, interrupted: Sequence[Transaction], transactions: Transactions) -> tuple[bool, Retry | None]:
        """Roll back the transactions of one request; say whether it may run now, and if not, when to try again.

        A request that may not run and is not to be tried again has ended: its devices are not as they were.
        """
        for transaction in interrupted:
            outcome = self._roll_back(transaction, transactions)
            if outcome.waiting:
                return False, later(outcome, transaction.rollbacks + 1)
            if outcome.rollback_failures:
                return False, None
        return True, None

    def _roll_back(self, transaction: Transaction, transactions: Transactions) -> Outcome:
        """Undo an interrupted transaction; end its monitors when a device will not be as it was before.

        Several activations share a transaction: whoever comes second finds it rolled back, and touches nothing.
        """
        devices = self.reach.changed_by(transaction.edits)
        journal = Journal(transactions, transaction.transaction_id, transaction.step)
        logger.warning("rolling back %s, interrupted while %s", transaction.transaction_id, transaction.step)
        patient = transaction.rollbacks + 1 < ROLLBACK_TRIES
        with self.reach.participants(devices) as participants, self.reach.locks.held(devices):
            with transactions.read() as connection:
                is_over = TRANSACTION.is_final(store.step_of(connection, transaction.transaction_id))
            if is_over:
                return Outcome(devices={})
            push = Push(transaction.edits, participants, journal)
            outcome = push.recover(may_be_committed=transaction.may_be_committed, patient=patient)
            if outcome.waiting:
                rollback_notes.tell(transactions, transaction.transaction_id, outcome.rollback_failures)
            elif transaction.rollbacks and not outcome.rollback_failures:
                rollback_notes.clear(transactions, transaction.monitor_ids)
        if outcome.rollback_failures and not outcome.waiting:
            _end_unrestored(transaction, outcome, transactions)
        return outcome


def later(outcome: Outcome, rollbacks: int) -> Retry:
    """Return when to try again to roll back what is ``waiting`` for a device, after so many attempts."""
    reasons = "; ".join(map(str, outcome.rollback_failures))
    return Retry(delay_s=min(2.0 ** (rollbacks - 1), LONGEST_PAUSE_S), reason=f"rolling back: {reasons}")


def _end_unrestored(transaction: Transaction, outcome: Outcome, transactions: Transactions) -> None:
    logger.error("%s: not rolled back: %s", transaction.transaction_id, outcome.rollback_failures)
    with transactions.read() as connection:
        monitors = MONITORS.many(connection, transaction.monitor_ids)
    ending = [(key, Report(outcomes=outcome.devices)) for key, monitor in monitors.items() if is_open(monitor)]
    fail_all(transactions, ending, (), outcome.rollback_failures)
