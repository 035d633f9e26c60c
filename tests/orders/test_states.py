"""The life cycles as tables, and the roll-up as a truth table."""

import json
from collections.abc import Sequence
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.lifecycle import IllegalTransition, Lifecycle
from orders.product import states as product_states
from orders.resource import states as resource_states
from orders.service import states as service_states
from orders.states import FINAL, OrderState, roll_up

LIFECYCLES: dict[str, Lifecycle[Any]] = {
    "product order": product_states.ORDER,
    "product order item": product_states.ITEM,
    "product": product_states.PRODUCT,
    "service order": service_states.ORDER,
    "service order item": service_states.ITEM,
    "service": service_states.SERVICE,
    "resource order": resource_states.ORDER,
    "resource order item": resource_states.ITEM,
}
ORDERS = {name: cycle for name, cycle in LIFECYCLES.items() if "order" in name}
OFFICIAL = {
    "ProductOrder(TMF622)": product_states.ORDER,
    "ServiceOrder(TMF641)": service_states.ORDER,
    "ResourceOrder(TMF652)": resource_states.ORDER,
}
ACK, REJECTED, PENDING, HELD, RUNNING, CANCELLED, DONE, FAILED, PARTIAL, ASSESSING, CANCELLING = OrderState

PAIRS = {
    ACK: {(ACK, ACK)},
    REJECTED: {pair for pair in combinations_with_replacement(OrderState, 2) if REJECTED in pair},
    DONE: {(DONE, DONE)},
    FAILED: {(FAILED, FAILED), (CANCELLED, FAILED)},
    CANCELLED: {(CANCELLED, CANCELLED)},
    PARTIAL: {
        (CANCELLED, DONE),
        (CANCELLED, PARTIAL),
        (DONE, FAILED),
        (DONE, PARTIAL),
        (FAILED, PARTIAL),
        (PARTIAL, PARTIAL),
    },
    RUNNING: {
        (ACK, RUNNING),
        (ACK, CANCELLED),
        (ACK, DONE),
        (ACK, FAILED),
        (ACK, PARTIAL),
        (RUNNING, RUNNING),
        (RUNNING, CANCELLED),
        (RUNNING, DONE),
        (RUNNING, FAILED),
        (RUNNING, PARTIAL),
    },
    PENDING: {
        (ACK, PENDING),
        (PENDING, PENDING),
        (PENDING, HELD),
        (PENDING, RUNNING),
        (PENDING, CANCELLED),
        (PENDING, DONE),
        (PENDING, FAILED),
        (PENDING, PARTIAL),
    },
    HELD: {
        (ACK, HELD),
        (HELD, HELD),
        (HELD, RUNNING),
        (HELD, CANCELLED),
        (HELD, DONE),
        (HELD, FAILED),
        (HELD, PARTIAL),
    },
    ASSESSING: {
        (other, ASSESSING) for other in (ACK, PENDING, HELD, RUNNING, CANCELLED, DONE, FAILED, PARTIAL, ASSESSING)
    },
    CANCELLING: {
        (other, CANCELLING)
        for other in (ACK, PENDING, HELD, RUNNING, CANCELLED, DONE, FAILED, PARTIAL, ASSESSING, CANCELLING)
    },
}
"""Every pair of item states, in the order of the enumeration, under the order state it gives."""


@given(cycle=st.sampled_from(list(LIFECYCLES.values())), data=st.data())
def test_only_moves_of_the_table_are_made(cycle: Lifecycle[Any], data: st.DataObject) -> None:
    states = sorted({*cycle.initial, *cycle.transitions, *(to for moves in cycle.transitions.values() for to in moves)})
    current, to = data.draw(st.sampled_from(states)), data.draw(st.sampled_from(states))

    if to in cycle.transitions.get(current, ()):
        assert cycle.advance(current, to) is to
    else:
        with pytest.raises(IllegalTransition, match=f"no move from '{current}' to '{to}'"):
            cycle.advance(current, to)


@given(cycle=st.sampled_from(list(ORDERS.values())), wishes=st.lists(st.sampled_from(list(OrderState)), max_size=30))
def test_nothing_leads_out_of_a_final_state(cycle: Lifecycle[Any], wishes: list[OrderState]) -> None:
    state, ended = min(cycle.initial), False
    for wish in wishes:
        if wish in cycle.legal(state):
            assert not ended or (state in {DONE, FAILED, PARTIAL} and wish is CANCELLING)
            state = cycle.advance(state, wish)
            ended = state in FINAL


@pytest.mark.parametrize("name", ORDERS)
def test_final_states_are_final_and_the_others_are_not(name: str) -> None:
    cycle = ORDERS[name]
    reached = {to for moves in cycle.transitions.values() for to in moves} | cycle.initial
    # A completed item of an order in flight is undone with the order, and so is what holds one.
    undoable = {"product order item": {DONE, FAILED}, "service order item": {DONE, PARTIAL}}.get(name, set())
    assert {state for state in reached if cycle.is_final(state)} == (reached & FINAL) - undoable


@pytest.mark.shared
@pytest.mark.parametrize("name", OFFICIAL)
def test_order_tables_are_the_official_ones(name: str, shared: Path) -> None:
    official = json.loads((shared / "tmf" / "lifecycles.json").read_text())[name]
    cycle = OFFICIAL[name]
    assert {state: set(moves) for state, moves in cycle.transitions.items()} == {
        state: set(moves) for state, moves in official["transitions"].items()
    }
    assert cycle.initial == set(official["initial"])


def test_the_pairs_are_complete() -> None:
    listed = [pair for pairs in PAIRS.values() for pair in pairs]
    assert sorted(listed) == sorted(combinations_with_replacement(OrderState, 2))


@pytest.mark.parametrize("expected", PAIRS)
def test_roll_up_of_every_pair(expected: OrderState) -> None:
    for one, other in PAIRS[expected]:
        assert (roll_up((one, other)), roll_up((other, one))) == (expected, expected)


@pytest.mark.parametrize("state", OrderState)
def test_one_item_makes_the_order(state: OrderState) -> None:
    assert roll_up((state,)) is state


@pytest.mark.parametrize("states", list(combinations_with_replacement(sorted(FINAL - {REJECTED}), 2)))
def test_an_order_that_is_being_cancelled_ends_cancelled_whatever_its_items_were(
    states: tuple[OrderState, OrderState],
) -> None:
    assert roll_up(states, before=CANCELLING) is CANCELLED
    assert roll_up((*states, CANCELLING), before=CANCELLING) is CANCELLING


def test_no_item_is_nothing_left_to_do() -> None:
    assert roll_up(()) is DONE


@given(st.lists(st.sampled_from(list(OrderState)), min_size=1))
def test_order_is_final_when_all_its_items_are(children: Sequence[OrderState]) -> None:
    everything_ended = all(child in FINAL for child in children)
    assert (roll_up(children) in FINAL) == (everything_ended or REJECTED in children)
