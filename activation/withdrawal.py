"""Requests that are not wanted any more: withdrawn before they reach a device, or marked so as not to be redone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from activation.errors import Cancelled
from activation.report import Report
from activation.settle import fail, is_open
from activation.store import MONITORS, has_begun
from inventory.ledger import UnitOfWork
from inventory.store import Row

_MARK: Final = "withdrawn"
"""Where a monitor's private data says why its request is not wanted any more."""


def withdraw(uow: UnitOfWork, external_id: str, reason: str) -> None:
    """Withdraw the request that was asked for by ``external_id``; one that is unknown or has ended stays as it is.

    Where no device can know of it, its monitor ends now. Where a transaction is under way, that goes to its own end:
    if it is rolled back, the request is not tried again.
    """
    monitor = MONITORS.by_external_id(uow, external_id)
    if monitor is None or not is_open(monitor) or _MARK in monitor.task:
        return
    if has_begun(uow.connection, monitor.id):
        MONITORS.save(uow, monitor, replace(monitor, task={**monitor.task, _MARK: reason}))
    else:
        fail(uow, monitor.id, Report(), [Cancelled(reason)])


def withdrawn(monitor: Row) -> str | None:
    """Return why the request of ``monitor`` is not to be tried again; None where it is."""
    found: str | None = monitor.task.get(_MARK)
    return found


def refuse_withdrawn(uow: UnitOfWork, monitors: Sequence[Row]) -> None:
    """Do nothing where all these requests are still wanted; to be asked in the transaction that begins the push.

    Raises:
        Cancelled: one was withdrawn since its row was read.
    """
    MONITORS.prefetch(uow, [each.id for each in monitors], monitors)
    for each in monitors:
        monitor = MONITORS.get(uow, each.id)
        if not is_open(monitor) or withdrawn(monitor) is not None:
            raise Cancelled(f"the request of monitor {each.id} was withdrawn")
