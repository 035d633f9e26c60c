"""The shortest way from one state to another, for reports that skip what happened in between."""

import pytest

from orders.product.states import ORDER
from orders.states import OrderState

_S = OrderState
WAYS = {
    "one step": (_S.IN_PROGRESS, _S.COMPLETED, (_S.COMPLETED,)),
    "an event was lost": (_S.HELD, _S.COMPLETED, (_S.IN_PROGRESS, _S.COMPLETED)),
    "it ended before it was assessed": (_S.ASSESSING_CANCELLATION, _S.FAILED, (_S.IN_PROGRESS, _S.FAILED)),
    "cancelled, and nobody said how": (
        _S.IN_PROGRESS,
        _S.CANCELLED,
        (_S.ASSESSING_CANCELLATION, _S.PENDING_CANCELLATION, _S.CANCELLED),
    ),
    "where it is": (_S.IN_PROGRESS, _S.IN_PROGRESS, ()),
    "back": (_S.PENDING_CANCELLATION, _S.ASSESSING_CANCELLATION, ()),
    "out of an end": (_S.COMPLETED, _S.IN_PROGRESS, ()),
}


@pytest.mark.parametrize(("current", "to", "way"), WAYS.values(), ids=WAYS)
def test_the_way(current: OrderState, to: OrderState, way: tuple[OrderState, ...]) -> None:
    assert ORDER.path(current, to, avoid={_S.HELD, _S.PENDING}) == way
