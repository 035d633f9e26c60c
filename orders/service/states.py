"""Life cycles of TMF641 service orders, of their items and of TMF638 services."""

from enum import StrEnum
from typing import Final

from inventory.lifecycle import Lifecycle
from orders.states import OrderState, TaskState, task_lifecycle

_S = OrderState

ORDER: Final = Lifecycle(
    name="service order",
    initial=frozenset({_S.ACKNOWLEDGED}),
    transitions={
        _S.ACKNOWLEDGED: frozenset({_S.IN_PROGRESS, _S.REJECTED, _S.CANCELLED, _S.ASSESSING_CANCELLATION}),
        _S.IN_PROGRESS: frozenset(
            {_S.COMPLETED, _S.PARTIAL, _S.FAILED, _S.CANCELLED, _S.PENDING, _S.HELD, _S.ASSESSING_CANCELLATION}
        ),
        _S.PENDING: frozenset({_S.IN_PROGRESS, _S.CANCELLED, _S.ASSESSING_CANCELLATION}),
        _S.HELD: frozenset({_S.IN_PROGRESS, _S.CANCELLED, _S.ASSESSING_CANCELLATION}),
        _S.ASSESSING_CANCELLATION: frozenset(
            {_S.ACKNOWLEDGED, _S.IN_PROGRESS, _S.PENDING, _S.HELD, _S.PENDING_CANCELLATION}
        ),
        _S.PENDING_CANCELLATION: frozenset({_S.CANCELLED}),
    },
)

CANCEL: Final = task_lifecycle("cancel service order", TaskState.ACCEPTED)

ITEM: Final = Lifecycle(
    name="service order item",
    initial=ORDER.initial,
    # An item that is completed while others are in flight is undone with them, also inside one that is partial.
    transitions={
        **ORDER.transitions,
        _S.COMPLETED: frozenset({_S.PENDING_CANCELLATION}),
        _S.PARTIAL: frozenset({_S.PENDING_CANCELLATION}),
    },
)


class ServiceState(StrEnum):
    """TMF638 and TMF640 state."""

    FEASIBILITY_CHECKED = "feasibilityChecked"
    DESIGNED = "designed"
    RESERVED = "reserved"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TERMINATED = "terminated"


_PLANNING: Final = frozenset({ServiceState.DESIGNED, ServiceState.RESERVED, ServiceState.INACTIVE, ServiceState.ACTIVE})

SERVICE: Final = Lifecycle(
    name="service",
    initial=frozenset(set(ServiceState) - {ServiceState.TERMINATED}),
    transitions={
        ServiceState.FEASIBILITY_CHECKED: _PLANNING | {ServiceState.FEASIBILITY_CHECKED},
        ServiceState.DESIGNED: _PLANNING,
        ServiceState.RESERVED: _PLANNING,
        ServiceState.INACTIVE: frozenset({ServiceState.INACTIVE, ServiceState.ACTIVE}),
        ServiceState.ACTIVE: frozenset({ServiceState.ACTIVE, ServiceState.INACTIVE, ServiceState.TERMINATED}),
        ServiceState.TERMINATED: frozenset({ServiceState.ACTIVE}),
    },
)
"""The official diagram lets a terminated service return; the order layer refuses orders for one."""
