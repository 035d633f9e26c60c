"""What an error says in a line, and what it says at length."""

import pytest

from api.http.problems import MOST_CHARACTERS, MOST_OF_REASON, answer, body, in_short
from inventory.errors import UnknownResource
from orders.errors import InvalidOrder, OrderConflict, Problem

SHORT = {
    "productOrderItem[0].productOffering.id: 'fibre-9' does not exist (legal: fibre-10, fibre-100)": (
        "productOffering.id: 'fibre-9' does not exist"
    ),
    "a.b.c[1].d: is missing; e.f: is 1": "c[1].d: is missing",
    "priority: 'x' is wrong": "priority: 'x' is wrong",
    "unknown device 'sw9'; known: olt1, r1": "unknown device 'sw9'",
    "10.42.1.15 is taken": "10.42.1.15 is taken",
}


@pytest.mark.parametrize("message", SHORT)
def test_the_reason_is_the_first_thing_that_is_wrong(message: str) -> None:
    assert in_short(message) == SHORT[message]


@pytest.mark.parametrize(
    ("error", "reason", "message"),
    [
        (
            InvalidOrder([Problem(path="a.b.c", wrong="is missing", legal="x"), Problem(path="d", wrong="is 1")]),
            "b.c: is missing (and 1 more)",
            "a.b.c: is missing (legal: x); d: is 1",
        ),
        (UnknownResource("device", "sw9", ["olt1"]), "unknown device 'sw9'", "unknown device 'sw9'; known: olt1"),
        (OrderConflict("id", "7", "is terminated"), "id: '7' is terminated", "POST /x: id: '7' is terminated"),
    ],
)
def test_the_message_says_more_than_the_reason(error: Exception, reason: str, message: str) -> None:
    said = bytes(answer(error, "POST", "/x").body).decode()
    assert (f'"reason":"{reason}"' in said, f'"message":"{message}"' in said) == (True, True), said


def test_neither_is_longer_than_somebody_would_read() -> None:
    found = body(400, "x" * 10_000)
    assert (len(found["reason"]), len(found["message"])) == (MOST_OF_REASON + 1, MOST_CHARACTERS + 1)
