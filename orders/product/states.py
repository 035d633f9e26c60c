"""Life cycles of TMF622 product orders, of their items and of TMF637 products."""

from enum import StrEnum
from typing import Final

from inventory.lifecycle import Lifecycle
from orders.states import OrderState, TaskState, task_lifecycle

_S = OrderState

ORDER: Final = Lifecycle(
    name="product order",
    initial=frozenset({_S.ACKNOWLEDGED, _S.REJECTED}),
    transitions={
        _S.ACKNOWLEDGED: frozenset({_S.IN_PROGRESS, _S.PENDING}),
        _S.IN_PROGRESS: frozenset(
            {_S.COMPLETED, _S.FAILED, _S.PARTIAL, _S.PENDING, _S.HELD, _S.ASSESSING_CANCELLATION}
        ),
        _S.PENDING: frozenset({_S.IN_PROGRESS, _S.CANCELLED, _S.ASSESSING_CANCELLATION}),
        _S.HELD: frozenset({_S.IN_PROGRESS, _S.CANCELLED, _S.ASSESSING_CANCELLATION}),
        _S.ASSESSING_CANCELLATION: frozenset({_S.IN_PROGRESS, _S.PENDING, _S.HELD, _S.PENDING_CANCELLATION}),
        _S.PENDING_CANCELLATION: frozenset({_S.CANCELLED}),
    },
)

CANCEL: Final = task_lifecycle("cancel product order", TaskState.ACKNOWLEDGED)

ITEM: Final = Lifecycle(
    name="product order item",
    initial=ORDER.initial,
    transitions={
        # TMF622 has no partial items.
        **{state: moves - {_S.PARTIAL} for state, moves in ORDER.transitions.items()},
        # An item that is completed while others are in flight is undone with them, also inside one that has failed.
        _S.COMPLETED: frozenset({_S.PENDING_CANCELLATION}),
        _S.FAILED: frozenset({_S.PENDING_CANCELLATION}),
    },
)


class ProductStatus(StrEnum):
    """TMF637 status; the official list really spells aborted with a trailing blank."""

    CREATED = "created"
    PENDING_ACTIVE = "pendingActive"
    CANCELLED = "cancelled"
    ACTIVE = "active"
    PENDING_TERMINATE = "pendingTerminate"
    TERMINATED = "terminated"
    SUSPENDED = "suspended"
    ABORTED = "aborted "


RETURNED: Final = Lifecycle(
    name="product whose cease is rolled back",
    initial=frozenset(),
    transitions={ProductStatus.TERMINATED: frozenset({ProductStatus.ACTIVE})},
)
"""What an engineer's rollback may do to a product; no order may."""

PRODUCT: Final = Lifecycle(
    name="product",
    initial=frozenset({ProductStatus.CREATED}),
    transitions={
        ProductStatus.CREATED: frozenset({ProductStatus.PENDING_ACTIVE, ProductStatus.CANCELLED}),
        ProductStatus.PENDING_ACTIVE: frozenset({ProductStatus.ACTIVE, ProductStatus.ABORTED, ProductStatus.CANCELLED}),
        ProductStatus.ACTIVE: frozenset({ProductStatus.PENDING_TERMINATE, ProductStatus.SUSPENDED}),
        ProductStatus.SUSPENDED: frozenset({ProductStatus.ACTIVE, ProductStatus.PENDING_TERMINATE}),
        # Back to active: the cease failed and the product works on.
        ProductStatus.PENDING_TERMINATE: frozenset({ProductStatus.TERMINATED, ProductStatus.ACTIVE}),
    },
)
