"""The states that product, service and resource orders share on the wire, and how a parent's state is computed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """State of an order or of one of its items, in TM Forum's words."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"


FINAL: Final = frozenset(
    {
        OrderState.REJECTED,
        OrderState.COMPLETED,
        OrderState.FAILED,
        OrderState.PARTIAL,
        OrderState.CANCELLED,
    }
)
"""States that no move leads out of."""

_UNFINISHED_FIRST: Final = (
    OrderState.PENDING_CANCELLATION,
    OrderState.ASSESSING_CANCELLATION,
    OrderState.PENDING,
    OrderState.HELD,
)
"""While items are unfinished the order shows the first of these that one of them is in."""


def roll_up(children: Iterable[OrderState]) -> OrderState:
    """Return the state of an order whose items are in ``children``; an order without items is completed."""
    states = frozenset(children)
    if OrderState.REJECTED in states:
        return OrderState.REJECTED
    if states <= FINAL:
        return _ended(states)
    if states == {OrderState.ACKNOWLEDGED}:
        return OrderState.ACKNOWLEDGED
    return next((state for state in _UNFINISHED_FIRST if state in states), OrderState.IN_PROGRESS)


def _ended(states: frozenset[OrderState]) -> OrderState:
    if states <= {OrderState.COMPLETED}:
        return OrderState.COMPLETED
    if states & {OrderState.COMPLETED, OrderState.PARTIAL}:
        return OrderState.PARTIAL
    return OrderState.FAILED if OrderState.FAILED in states else OrderState.CANCELLED
