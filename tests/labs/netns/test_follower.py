from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from labs.netns.errors import NetnsError, NotSettled
from labs.netns.follower import Follower

PATIENCE_S = 10.0


@contextmanager
def _started(follower: Follower) -> Iterator[Follower]:
    follower.start()
    yield follower
    follower.stop()


def test_it_ends_at_the_newest_state() -> None:
    state, seen = [0], [-1]
    with _started(Follower("sw1", lambda: seen.append(state[0]))) as follower:
        for number in range(1, 50):
            state[0] = number
            follower.changed()
        follower.settle(PATIENCE_S)
        assert seen[-1] == 49


def test_trouble_is_tried_again() -> None:
    left = [NetnsError("busy"), NetnsError("busy")]

    def follow() -> None:
        if left:
            raise left.pop()

    with _started(Follower("sw1", follow)) as follower:
        follower.settle(PATIENCE_S)
    assert left == []


def test_lasting_trouble_is_told() -> None:
    def follow() -> None:
        raise NetnsError("no such bridge")

    with (
        _started(Follower("sw1", follow)) as follower,
        pytest.raises(NotSettled, match="no such bridge"),
    ):
        follower.settle(0.5)
