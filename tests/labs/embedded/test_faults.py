"""The board of a node's faults, and what fault requests are refused."""

from typing import Any

import pytest

from labs.embedded.faults import ALWAYS, KINDS, Fault, FaultBoard
from labs.errors import UnknownFault, UnusableFault


def strikes(board: FaultBoard, occasions: int, kind: str = "refuse_commit") -> list[bool]:
    return [board.strikes(kind) for _ in range(occasions)]


COUNTS = {
    "once": (Fault("refuse_commit"), [True, False, False]),
    "twice": (Fault("refuse_commit", 2), [True, True, False]),
    "always": (Fault("refuse_commit", ALWAYS), [True, True, True]),
    "after-one": (Fault("refuse_commit", after=1), [False, True, False]),
    "another": (Fault("refuse_edit"), [False, False, False]),
}


@pytest.mark.parametrize("case", COUNTS)
def test_a_fault_strikes_when_and_as_often_as_told(case: str) -> None:
    fault, expected = COUNTS[case]
    board = FaultBoard()
    board.set(fault)
    assert strikes(board, 3) == expected


def test_lasting_faults_have_an_amount_until_they_are_cleared() -> None:
    board = FaultBoard()
    assert (board.latency_s, board.commit_s(5000)) == (0.0, 0.0)
    for fault in (Fault("latency", value=0.5), Fault("commit_time"), Fault("commit_time_growing", value=0.1)):
        board.set(fault)
    assert board.latency_s == 0.5
    assert board.commit_s(5000) == pytest.approx(0.7)
    assert [fault.times for fault in board.list()] == [ALWAYS] * 3
    board.clear("latency")
    assert board.latency_s == 0.0
    board.clear()
    assert board.list() == ()


def test_the_list_tells_what_is_left() -> None:
    board = FaultBoard()
    board.set(Fault("refuse_commit", 3, after=1))
    strikes(board, 2)
    assert board.list() == (Fault("refuse_commit", 2),)


def test_an_unknown_kind_is_answered_with_the_legal_ones() -> None:
    with pytest.raises(UnknownFault, match=r"unknown fault 'fire'; known: .*commit_in_part.*hang_in_commit") as refused:
        Fault("fire")
    assert all(kind in str(refused.value) for kind in KINDS)


UNUSABLE: dict[str, tuple[dict[str, Any], str]] = {
    "no-parameter": ({"kind": "refuse_commit", "value": 1}, "'refuse_commit' takes no value; got 1"),
    "negative": ({"kind": "latency", "value": -1}, "'latency' takes seconds, 0 or more; got -1"),
    "never": ({"kind": "refuse_commit", "times": 0}, "times is 1 or more, or -1"),
    "before": ({"kind": "refuse_commit", "after": -1}, "after is 0 or more"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_numbers_that_mean_nothing_are_refused(case: str) -> None:
    given, message = UNUSABLE[case]
    with pytest.raises(UnusableFault, match=message):
        Fault(**given)
