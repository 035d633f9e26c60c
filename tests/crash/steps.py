"""Every move that is written down on the way of an order, as moments to die at."""

from typing import Final

from activation.states import MonitorState, Step
from orders.states import OrderState
from tests.crash.life import Doom

_PUSH: Final = (Step.STAGING, Step.COMMITTING, Step.READING_BACK, Step.CONFIRMING, Step.DONE)
_UNDO: Final = (Step.ROLLING_BACK, Step.ROLLED_BACK)
_ORDERS: Final = ("productOrder", "serviceOrder", "resourceOrder")
_LIFE: Final = (OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS, OrderState.COMPLETED)


def pushing() -> list[Doom]:
    """Return the steps of a transaction that goes well."""
    return [_doom("deviceTransaction", step, at) for step in _PUSH for at in (False, True)]


def undoing(*interrupted: Step) -> list[tuple[Doom, Doom]]:
    """Return the steps of a rollback, each behind the step at which the transaction is ``interrupted`` first."""
    return [
        (_doom("deviceTransaction", first, True), _doom("deviceTransaction", step, at))
        for first in interrupted
        for step in _UNDO
        for at in (False, True)
    ]


def ordering() -> list[Doom]:
    """Return the moves of the orders above, and of the request to the activation core."""
    orders = [_doom(kind, state, at) for kind in _ORDERS for state in _LIFE for at in (False, True)]
    monitors = [
        _doom("monitor", state, at) for state in MonitorState if state != MonitorState.IN_ERROR for at in (False, True)
    ]
    return orders + monitors


def _doom(kind: str, state: str, is_committed: bool) -> Doom:  # noqa: FBT001 - two moments of one step
    return Doom(kind=kind, state=state, is_committed=is_committed)
