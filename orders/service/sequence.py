"""Which items of an order are begun now, and which are undone now, by what they wait for. Pure."""

from collections.abc import Iterable, Mapping

from orders.service.model import ItemTask, Phase
from orders.states import FINAL, OrderState

_NOT_BEGUN = frozenset({OrderState.ACKNOWLEDGED, OrderState.IN_PROGRESS})
"""In progress: its order was on hold before it had begun."""
Tasks = Mapping[str, ItemTask]


def due(tasks: Tasks) -> tuple[ItemTask, ...]:
    """Return the items to begin: all that they wait for is completed."""
    return tuple(task for task in _waiting(tasks) if _states(tasks, task.after) <= {OrderState.COMPLETED})


def lost(tasks: Tasks) -> tuple[tuple[ItemTask, str], ...]:
    """Return the items that can never be begun, each with the reason: something that they wait for came to nothing."""
    found = []
    for task in _waiting(tasks):
        wrong = [key for key in task.after if tasks[key].state in FINAL - {OrderState.COMPLETED}]
        if wrong:
            found.append((task, f"not begun: it waits for item {wrong[0]!r}, which is {tasks[wrong[0]].state}"))
    return tuple(found)


def to_undo(tasks: Tasks) -> tuple[ItemTask, ...]:
    """Return the items to undo now: of those that wait for each other, the one that was begun last goes first."""
    return tuple(
        task
        for task in tasks.values()
        if task.state is OrderState.PENDING_CANCELLATION
        and not task.is_undoing
        and all(other.state in FINAL for other in tasks.values() if task.item_id in other.after)
    )


def _waiting(tasks: Tasks) -> Iterable[ItemTask]:
    return (task for task in tasks.values() if task.phase is Phase.WAITING and task.state in _NOT_BEGUN)


def _states(tasks: Tasks, keys: Iterable[str]) -> set[OrderState]:
    return {tasks[key].state for key in keys}
