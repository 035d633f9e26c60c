"""The journal of one running transaction: each step is written, and on disk, before it is taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from activation.model import TransactionId
from activation.states import Step
from activation.store import enter_step
from inventory.ledger import Transactions


@dataclass(slots=True)
class Journal:
    """Where a transaction stands; moved by :meth:`enter` alone."""

    transactions: Transactions
    transaction_id: TransactionId
    step: Step = Step.STAGING

    def enter(self, step: Step, detail: Mapping[str, Any] | None = None) -> None:
        """Write that ``step`` begins now.

        Raises:
            IllegalTransition: the life cycle has no such move.
            StaleState: somebody else moved the transaction.
        """
        with self.transactions.begin() as uow:
            enter_step(uow, self.transaction_id, self.step, step, detail or {})
        self.step = step
