"""Life cycles of TMF652 resource orders and of their items."""

from typing import Final

from inventory.lifecycle import Lifecycle
from orders.states import OrderState, TaskState, task_lifecycle

_S = OrderState

ORDER: Final = Lifecycle(
    name="resource order",
    initial=frozenset({_S.ACKNOWLEDGED, _S.REJECTED}),
    transitions={
        _S.ACKNOWLEDGED: frozenset({_S.IN_PROGRESS}),
        _S.IN_PROGRESS: frozenset({_S.COMPLETED, _S.FAILED, _S.PARTIAL, _S.PENDING, _S.HELD}),
        _S.PENDING: frozenset({_S.IN_PROGRESS, _S.CANCELLED}),
        _S.HELD: frozenset({_S.IN_PROGRESS, _S.CANCELLED}),
    },
)

CANCEL: Final = task_lifecycle("cancel resource order", TaskState.ACKNOWLEDGED)

ITEM: Final = Lifecycle(
    name="resource order item",
    initial=ORDER.initial,
    # TMF652 has no partial items.
    transitions={state: moves - {_S.PARTIAL} for state, moves in ORDER.transitions.items()},
)
