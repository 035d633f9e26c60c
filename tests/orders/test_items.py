"""Items in items: walked with their paths, and rolled up."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.documents import Document
from orders.items import advanced, flat, own_states, pathed
from orders.states import OrderState, roll_up

KEY = "serviceOrderItem"
LEAF_STATES = [state for state in OrderState if state is not OrderState.REJECTED]
OUTSIDE = OrderState.IN_PROGRESS
"""A state of the holding item so far that decides nothing."""


def item(key: str, state: OrderState, *inner: Document) -> dict[str, Any]:
    return {"id": key, "state": state, **({KEY: list(inner)} if inner else {})}


def told(_: Document, state: OrderState) -> OrderState:
    return state


def rolled_up(items: Sequence[Document], own: dict[str, OrderState]) -> tuple[list[Document], OrderState]:
    moved, states = advanced(items, KEY, lambda each: (each, own.get(each["id"])), told)
    return moved, roll_up(states)


def test_paths_lead_to_the_items() -> None:
    document = {KEY: [item("1", OUTSIDE, item("2", OUTSIDE, item("3", OUTSIDE)), item("4", OUTSIDE))]}
    assert [(path, each["id"]) for path, each in pathed(document, KEY)] == [
        ("serviceOrderItem[0]", "1"),
        ("serviceOrderItem[0].serviceOrderItem[0]", "2"),
        ("serviceOrderItem[0].serviceOrderItem[0].serviceOrderItem[0]", "3"),
        ("serviceOrderItem[0].serviceOrderItem[1]", "4"),
    ]
    assert [each["id"] for each in flat(document, KEY)] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("states", list(product(LEAF_STATES, repeat=2)))
def test_an_item_is_what_those_inside_it_make_it(states: tuple[OrderState, OrderState]) -> None:
    inner = [item(str(number), state) for number, state in enumerate(states)]
    own = {str(number): state for number, state in enumerate(states)}
    [moved], state = rolled_up([item("b", OUTSIDE, *inner)], own)
    assert moved["state"] == state == roll_up(states)


@pytest.mark.parametrize("states", list(product(LEAF_STATES, repeat=2)))
def test_its_own_work_counts_like_an_item_inside_it(states: tuple[OrderState, OrderState]) -> None:
    mine, inside = states
    [moved], _ = rolled_up([item("b", OUTSIDE, item("1", inside))], {"b": mine, "1": inside})
    assert moved["state"] == roll_up(states)


def test_an_item_that_is_being_cancelled_ends_cancelled_whatever_is_inside() -> None:
    inner = [item("1", OrderState.FAILED), item("2", OrderState.CANCELLED)]
    own = {"1": OrderState.FAILED, "2": OrderState.CANCELLED}
    [moved], _ = rolled_up([item("b", OrderState.PENDING_CANCELLATION, *inner)], own)
    assert moved["state"] == OrderState.CANCELLED


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, OrderState], set[str]]:
    """Draw items, the states of their own work, and which of those that hold others have any."""
    count = iter(range(1000))
    own: dict[str, OrderState] = {}
    working: set[str] = set()

    def drawn(depth: int) -> dict[str, Any]:
        key, state = str(next(count)), draw(st.sampled_from(LEAF_STATES))
        inner = [drawn(depth + 1) for _ in range(draw(st.integers(0, 2 if depth < 3 else 0)))]
        is_working: bool = draw(st.booleans())
        if inner and is_working:
            working.add(key)
        if not inner or key in working:
            own[key] = state
        return item(key, OUTSIDE if inner else state, *inner)

    return [drawn(0) for _ in range(draw(st.integers(1, 3)))], own, working


@given(forests())
def test_an_order_is_what_the_work_of_all_its_items_makes_it(
    drawn: tuple[list[dict[str, Any]], dict[str, OrderState], set[str]],
) -> None:
    items, own, working = drawn
    moved, state = rolled_up(items, own)
    assert state == roll_up(own.values())
    document = {KEY: moved}
    kept = {key: own[key] for key in working}
    assert own_states(document, KEY, kept) == own
    for each in flat(document, KEY):
        inside = {one["id"] for one in flat(each, KEY)} | {each["id"]}
        assert each["state"] == roll_up(own[key] for key in inside & own.keys())
