"""Drift that is remembered: each check's finding is written, and what is news becomes an event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from activation.check_sync import Checked, SyncCheck
from activation.drift_report import event_document
from activation.drift_store import devices_with_fragments, note
from activation.states import DriftState
from inventory.ledger import Transactions

DRIFT_BASE: Final = "/lastmile/v1/drift"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWatch:
    """Checks devices and notes what it finds."""

    checks: SyncCheck
    transactions: Transactions

    def check(self, names: Sequence[str], *, whole: bool = False) -> Iterator[Checked]:
        """Yield what came of each device; all that carry a service where none is named.

        Raises:
            UnknownResource: nobody is called so; the message lists the known devices.
        """
        wanted = names or self.carrying()
        for checked in self.checks.run(wanted, self.transactions, whole=whole) if wanted else ():
            if not whole:
                self._note(checked)
            yield checked

    def carrying(self) -> Sequence[str]:
        """Return the names of the devices that carry a service, sorted."""
        with self.transactions.read() as connection:
            return devices_with_fragments(connection)

    def _note(self, checked: Checked) -> None:
        if checked.drift is None:
            return
        state = DriftState.IN_SYNC if checked.drift.in_sync else DriftState.DRIFTED
        with self.transactions.begin() as uow:
            note(uow, checked.device, state, event_document(checked.drift, checked.roots, DRIFT_BASE))
