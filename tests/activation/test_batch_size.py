"""However a device's commits behave, the learned batch size comes close to the best one, and stays there."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from activation.batch_size import FIRST, MOST, TARGET_S, BatchSize

LEARNED = 16
"""Commits of full batches after which a device is known."""
FIXED_S = st.floats(0.0, 30.0)
EACH_S = st.floats(0.0, 5.0)


def learned(fixed_s: float, each_s: float, commits: int = LEARNED) -> BatchSize:
    state = BatchSize()
    for _ in range(commits):
        state = state.after(state.limit, fixed_s + each_s * state.limit)
    return state


def best(fixed_s: float, each_s: float) -> float:
    room_s = max(TARGET_S, 2 * fixed_s) - fixed_s
    return min(float(MOST), room_s / each_s) if each_s else float(MOST)


@given(fixed_s=FIXED_S, each_s=EACH_S)
@example(fixed_s=5.125, each_s=0.0)
def test_full_batches_lead_to_the_best_size(fixed_s: float, each_s: float) -> None:
    limit = learned(fixed_s, each_s).limit
    assert limit <= max(1.0, 1.3 * best(fixed_s, each_s) + 1)
    assert limit >= int(0.5 * best(fixed_s, each_s))


@given(fixed_s=FIXED_S, each_s=EACH_S)
def test_once_known_a_device_is_not_tried_out_again(fixed_s: float, each_s: float) -> None:
    state = learned(fixed_s, each_s)
    for _ in range(30):
        assert state.limit <= max(1.0, 1.3 * best(fixed_s, each_s) + 1)
        state = state.after(state.limit, fixed_s + each_s * state.limit)


@given(sizes=st.lists(st.integers(1, MOST), max_size=40), fixed_s=FIXED_S, each_s=EACH_S)
def test_the_limit_never_more_than_doubles_what_was_seen(sizes: list[int], fixed_s: float, each_s: float) -> None:
    state, most = BatchSize(), FIRST
    for size in sizes:
        state = state.after(size, fixed_s + each_s * size)
        most = max(most, 2 * size)
        assert 1 <= state.limit <= min(MOST, most)


@given(size=st.integers(8, MOST), times=st.floats(1.5, 20.0))
def test_a_commit_that_took_too_long_shrinks_the_batch_at_once(size: int, times: float) -> None:
    state = BatchSize(limit=size).after(size, times * TARGET_S)
    assert state.limit <= max(4, size / times)


@given(count=st.integers(1, 50), took_s=st.floats(0.0, TARGET_S))
def test_lone_orders_say_nothing_of_batches(count: int, took_s: float) -> None:
    state = BatchSize()
    for _ in range(count):
        state = state.after(1, took_s)
    assert state.limit == FIRST


@pytest.mark.parametrize("fixed_s", [0.2, 2.0, 10.0, 60.0])
def test_a_device_slow_in_itself_still_takes_many_after_lone_orders(fixed_s: float) -> None:
    state = BatchSize()
    for _ in range(10):
        state = state.after(1, fixed_s)
    for _ in range(10):
        state = state.after(state.limit, fixed_s)
    assert state.limit == MOST


def test_a_device_that_slows_down_as_it_fills_is_followed() -> None:
    state, each_s = BatchSize(), 0.005
    for _ in range(60):
        state = state.after(state.limit, 0.2 + each_s * state.limit)
        each_s *= 1.05
    assert state.limit <= 1.3 * best(0.2, each_s)
    assert state.limit >= 0.4 * best(0.2, each_s)


def test_the_target_is_a_setting() -> None:
    slow, fast = BatchSize(), BatchSize()
    for _ in range(LEARNED):
        slow = slow.after(slow.limit, 0.2 + 0.05 * slow.limit, target_s=10.0)
        fast = fast.after(fast.limit, 0.2 + 0.05 * fast.limit, target_s=1.0)
    assert slow.limit == pytest.approx(196, abs=10)
    assert fast.limit == pytest.approx(16, abs=3)
