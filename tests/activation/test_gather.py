"""Work that comes while other work runs is done together; work that comes alone does not wait."""

import threading
from collections.abc import Sequence

import pytest

from activation.gather import Gathering

PATIENCE_S = 5.0


class Worker:
    """Does groups of numbers; the group with 0 in it is under way until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.let_go = threading.Event(), threading.Event()

    def __call__(self, members: Sequence[int]) -> None:
        self.groups.append(list(members))
        if 0 in members:
            self.begun.set()
            assert self.let_go.wait(PATIENCE_S)
        if any(number < 0 for number in members):
            raise ZeroDivisionError


def joined(gathering: Gathering[int], key: str, number: int, errors: list[str]) -> threading.Thread:
    def join() -> None:
        try:
            gathering.join(key, number)
        except ZeroDivisionError:
            errors.append(f"{key} {number}")

    thread = threading.Thread(target=join)
    thread.start()
    return thread


def waiting(gathering: Gathering[int], key: str, count: int) -> None:
    reached = threading.Event()
    while len(gathering._lines.get(key, ())) < count:
        assert not reached.wait(0.001)


def test_alone_nobody_waits() -> None:
    worker = Worker()
    gathering = Gathering(worker, limit=8)
    for number in (1, 2, 3):
        gathering.join("k", number)
    assert worker.groups == [[1], [2], [3]]


@pytest.mark.parametrize(("limit", "groups"), [(8, [[0], [1, 2, 3]]), (2, [[0], [1, 2], [3]])])
def test_who_comes_meanwhile_goes_together(limit: int, groups: list[list[int]]) -> None:
    worker = Worker()
    gathering = Gathering(worker, limit=limit)
    threads = [joined(gathering, "k", 0, [])]
    assert worker.begun.wait(PATIENCE_S)
    for number in (1, 2, 3):
        threads.append(joined(gathering, "k", number, []))
        waiting(gathering, "k", number)
    worker.let_go.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert worker.groups == groups


def test_keys_do_not_wait_for_each_other() -> None:
    worker = Worker()
    gathering = Gathering(worker, limit=8)
    busy = joined(gathering, "slow", 0, [])
    assert worker.begun.wait(PATIENCE_S)
    gathering.join("quick", 1)
    assert worker.groups == [[0], [1]]
    worker.let_go.set()
    busy.join(PATIENCE_S)


def test_an_error_is_every_members_and_nobody_elses() -> None:
    worker, errors = Worker(), []  # type: tuple[Worker, list[str]]
    gathering = Gathering(worker, limit=2)
    threads = [joined(gathering, "k", 0, errors)]
    assert worker.begun.wait(PATIENCE_S)
    for place, number in enumerate((-1, 2, 3), start=1):
        threads.append(joined(gathering, "k", number, errors))
        waiting(gathering, "k", place)
    worker.let_go.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(errors) == ["k -1", "k 2"]
    assert worker.groups[-1] == [3]
