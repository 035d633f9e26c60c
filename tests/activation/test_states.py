from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.states import MONITOR, SERVICE, TRANSACTION, MonitorState, ServiceState, Step
from inventory.lifecycle import IllegalTransition, Lifecycle

LIFECYCLES: dict[str, tuple[Lifecycle[Any], type[StrEnum]]] = {
    "monitor": (MONITOR, MonitorState),
    "service": (SERVICE, ServiceState),
    "transaction": (TRANSACTION, Step),
}
FINAL = {
    "monitor": {"Completed", "InError"},
    "service": set(),
    "transaction": {"done", "rolledBack", "rollbackFailed"},
}


@pytest.mark.parametrize("name", LIFECYCLES)
@given(data=st.data())
def test_a_move_is_made_exactly_when_the_table_has_it(name: str, data: st.DataObject) -> None:
    lifecycle, states = LIFECYCLES[name]
    current, to = data.draw(st.sampled_from(list(states))), data.draw(st.sampled_from(list(states)))

    if to in lifecycle.transitions.get(current, frozenset()):
        assert lifecycle.advance(current, to) is to
    else:
        with pytest.raises(IllegalTransition) as refused:
            lifecycle.advance(current, to)
        assert (refused.value.current, refused.value.to) == (current, to)


@pytest.mark.parametrize("name", LIFECYCLES)
def test_final_states_are_those_expected(name: str) -> None:
    lifecycle, states = LIFECYCLES[name]

    assert {state.value for state in states if lifecycle.is_final(state)} == FINAL[name]


@pytest.mark.parametrize("name", LIFECYCLES)
def test_every_state_can_be_reached_from_a_beginning(name: str) -> None:
    lifecycle, states = LIFECYCLES[name]
    reached = set(lifecycle.initial)
    frontier = list(lifecycle.initial)
    while frontier:
        fresh = lifecycle.transitions.get(frontier.pop(), frozenset()) - reached
        reached |= fresh
        frontier += fresh

    assert reached == set(states)


def test_a_transaction_can_roll_back_from_every_step_that_is_not_final() -> None:
    for step in Step:
        assert (Step.ROLLING_BACK in TRANSACTION.legal(step)) is not TRANSACTION.is_final(step)
