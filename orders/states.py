"""The states that orders and the tasks that cancel them have on the wire, and how a parent's state is computed."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from inventory.lifecycle import Lifecycle


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

ON_THE_WAY: Final = frozenset({OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS, OrderState.HELD, OrderState.PENDING})
"""States of what has not ended and is not being undone."""

LEAVING: Final = frozenset({OrderState.ASSESSING_CANCELLATION, OrderState.PENDING_CANCELLATION, OrderState.CANCELLED})
"""States of what is being undone, or is."""

_UNFINISHED_FIRST: Final = (
    OrderState.PENDING_CANCELLATION,
    OrderState.ASSESSING_CANCELLATION,
    OrderState.PENDING,
    OrderState.HELD,
)
"""While items are unfinished the order shows the first of these that one of them is in."""


def way(lifecycle: Lifecycle[OrderState], current: OrderState, to: OrderState) -> tuple[OrderState, ...]:
    """Return the moves that lead from ``current`` to ``to``: one, or by way of ``inProgress`` where there is no other.

    Raises:
        IllegalTransition: there is no such way.
    """
    middle, moves = OrderState.IN_PROGRESS, lifecycle.transitions
    if to not in moves.get(current, ()) and middle in moves.get(current, ()) and to in moves[middle]:
        return (middle, to)
    return (lifecycle.advance(current, to),)


def roll_up(children: Iterable[OrderState], *, before: OrderState | None = None) -> OrderState:
    """Return the state of an order whose items are in ``children``; an order without items is completed.

    ``before`` is the order's own state so far: one that was being cancelled ends cancelled, whatever its items were.
    """
    states = frozenset(children)
    if before is OrderState.PENDING_CANCELLATION and states <= FINAL:
        return OrderState.CANCELLED
    if OrderState.REJECTED in states:
        return OrderState.REJECTED
    if states <= FINAL:
        return _ended(states)
    if states == {OrderState.ACKNOWLEDGED}:
        return OrderState.ACKNOWLEDGED
    return next((state for state in _UNFINISHED_FIRST if state in states), OrderState.IN_PROGRESS)


def counted(children: Iterable[tuple[OrderState, bool]]) -> list[OrderState]:
    """Return the states that make the state of what holds ``children``, each with whether it was taken out.

    What was taken out counts for nothing, but that nothing ends before it is undone.
    """
    found = list(children)
    left = [state for state, is_out in found if not (is_out and state in LEAVING)]
    if not left:
        return [state for state, _ in found]
    if {state for state, is_out in found if is_out and state in LEAVING} <= FINAL or not FINAL.issuperset(left):
        return left
    return [*left, OrderState.PENDING_CANCELLATION if OrderState.CANCELLED in left else OrderState.IN_PROGRESS]


def _ended(states: frozenset[OrderState]) -> OrderState:
    if states <= {OrderState.COMPLETED}:
        return OrderState.COMPLETED
    if states & {OrderState.COMPLETED, OrderState.PARTIAL}:
        return OrderState.PARTIAL
    return OrderState.FAILED if OrderState.FAILED in states else OrderState.CANCELLED


class TaskState(StrEnum):
    """State of a cancel task; TMF641 says accepted where the others say acknowledged."""

    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    IN_PROGRESS = "inProgress"
    DONE = "done"
    TERMINATED_WITH_ERROR = "terminatedWithError"


ENDED: Final = frozenset({TaskState.DONE, TaskState.TERMINATED_WITH_ERROR})


def task_lifecycle(name: str, first: TaskState) -> Lifecycle[TaskState]:
    """Return the life cycle of a cancel task that begins in ``first``."""
    return Lifecycle(
        name=name,
        initial=frozenset({first}),
        transitions={first: frozenset({TaskState.IN_PROGRESS}), TaskState.IN_PROGRESS: ENDED},
    )
