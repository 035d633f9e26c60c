"""What a monitor tells while a transaction of its request waits to be rolled back; gone as soon as that is over."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from activation.errors import DeviceError
from activation.model import TransactionId
from activation.settle import ROLLBACK, is_open
from activation.states import Step
from activation.store import MONITORS, note_on_step
from activation.transaction_store import Kept, transaction
from activation.transactions import WAITING, moment
from inventory.ledger import Transactions

TRANSACTION_BASE: Final = "/lastmile/v1/transaction"


def tell(transactions: Transactions, transaction_id: TransactionId, left: Sequence[DeviceError]) -> None:
    """Note on each monitor of the transaction that its rollback waits: for whom, since when, why, how many tries.

    The journal, too, says what stands in the way.
    """
    with transactions.begin() as uow:
        note_on_step(uow, transaction_id, {WAITING: [str(error) for error in left]})
        kept = transaction(uow.connection, transaction_id)
        note = _note(kept, left)
        for monitor in (MONITORS.find(uow, member.monitor_id) for member in kept.members):
            if monitor is not None and is_open(monitor):
                MONITORS.save(uow, monitor, replace(monitor, document={**monitor.document, ROLLBACK: note}))


def clear(transactions: Transactions, monitor_ids: Iterable[str]) -> None:
    """Take the note off these monitors: the rollback is done, and the requests run again."""
    with transactions.begin() as uow:
        for monitor in (MONITORS.find(uow, monitor_id) for monitor_id in monitor_ids):
            if monitor is not None and ROLLBACK in monitor.document:
                left = {name: value for name, value in monitor.document.items() if name != ROLLBACK}
                MONITORS.save(uow, monitor, replace(monitor, document=left))


def _note(kept: Kept, left: Sequence[DeviceError]) -> dict[str, Any]:
    tries = [entry for entry in kept.journal if entry.step == Step.ROLLING_BACK]
    return {
        "transaction": kept.transaction_id,
        "href": f"{TRANSACTION_BASE}/{kept.transaction_id}",
        "since": moment(tries[0].at),
        "devices": sorted({error.device for error in left}),
        "reason": "; ".join(map(str, left)),
        "tries": len(tries),
    }
