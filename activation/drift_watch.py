"""Drift that is remembered: each check's finding is written, and what is news becomes an event."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activation.check_sync import Checked, SyncCheck
from activation.drift_report import event_document, last_document, state_of
from activation.drift_store import DRIFTS, LastCheck, devices_with_fragments, last_checks, note, note_check
from activation.paths import DRIFT_BASE
from activation.states import DriftState
from inventory.ledger import Transactions


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

    def last(self) -> Sequence[Mapping[str, Any]]:
        """Return what came of the last check of each device that carries a service, and when that was."""
        with self.transactions.read() as connection:
            checks, carrying = last_checks(connection), devices_with_fragments(connection)
            known = DRIFTS.many(connection, carrying)
        return [last_document(name, checks.get(name), known.get(name)) for name in carrying]

    def checked_at(self) -> Mapping[str, datetime]:
        """Return when each device was checked last."""
        with self.transactions.read() as connection:
            return {name: check.checked_at for name, check in last_checks(connection).items()}

    def _note(self, checked: Checked) -> None:
        with self.transactions.begin() as uow:
            found = LastCheck(
                device=checked.device,
                state=state_of(checked),
                reason=str(checked.error or ", ".join(checked.busy)),
                deviations=len(checked.drift.deviations) if checked.drift is not None else 0,
                checked_at=uow.now,
            )
            note_check(uow, found)
            if checked.drift is None:
                return
            state = DriftState.IN_SYNC if checked.drift.in_sync else DriftState.DRIFTED
            note(uow, checked.device, state, event_document(checked.drift, checked.roots, DRIFT_BASE))
