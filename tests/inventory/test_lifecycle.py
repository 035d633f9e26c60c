"""The law of life cycles, for any table."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.lifecycle import IllegalTransition, Lifecycle


class State(StrEnum):
    PLANNED = "planned"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


STATES = st.sampled_from(list(State))
LIFECYCLES: st.SearchStrategy[Lifecycle[State]] = st.builds(
    Lifecycle,
    name=st.just("thing"),
    initial=st.just(frozenset({State.PLANNED})),
    transitions=st.dictionaries(STATES, st.frozensets(STATES)),
)
THING = Lifecycle(
    name="thing",
    initial=frozenset({State.PLANNED}),
    transitions={
        State.PLANNED: frozenset({State.LIVE, State.ENDED}),
        State.LIVE: frozenset({State.PAUSED, State.ENDED}),
        State.PAUSED: frozenset({State.LIVE}),
    },
)


@given(LIFECYCLES, STATES, STATES)
def test_the_moves_are_those_of_the_table(lifecycle: Lifecycle[State], current: State, to: State) -> None:
    if to in lifecycle.transitions.get(current, ()):
        assert lifecycle.advance(current, to) is to
    else:
        with pytest.raises(IllegalTransition):
            lifecycle.advance(current, to)


@given(LIFECYCLES, STATES, STATES)
def test_nothing_leads_out_of_a_final_state(lifecycle: Lifecycle[State], current: State, to: State) -> None:
    assert lifecycle.is_final(current) == (not lifecycle.legal(current))
    if lifecycle.is_final(current):
        with pytest.raises(IllegalTransition, match="the state is final"):
            lifecycle.advance(current, to)


@given(st.lists(STATES))
def test_no_walk_leaves_the_table(steps: list[State]) -> None:
    current = State.PLANNED
    for to in steps:
        if to in THING.legal(current):
            current = THING.advance(current, to)
        else:
            with pytest.raises(IllegalTransition):
                THING.advance(current, to)
        assert current is not State.ENDED or THING.is_final(current)


def test_a_refusal_names_both_states_and_the_legal_moves() -> None:
    with pytest.raises(IllegalTransition) as caught:
        THING.advance(State.LIVE, State.PLANNED)
    message = str(caught.value)
    assert message.startswith("thing: no move from ")
    assert message.index("'live'") < message.index("'planned'")
    assert message.endswith("; legal from here: ended, paused")
    assert (caught.value.current, caught.value.to, caught.value.legal) == ("live", "planned", ("ended", "paused"))
