"""Conditions and orders on documents: the operators of TM Forum's REST guidelines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.query import Condition, Operator, Query, SortKey, equals, sort_value, sorted_by

ORDER = {
    "id": "o1",
    "state": "held",
    "priority": 3,
    "isBundle": True,
    "orderTotalPrice": [{"price": 10**400}],
    "orderDate": "2026-11-23T10:00:00.000Z",
    "note": [],
    "relatedParty": [{"id": "C-7", "role": "customer"}, {"id": "S-1", "role": "seller"}],
    "productOrderItem": [{"product": {"place": [{"id": "ADDR-1015", "name": "Lindenstraße 15, 10969 Berlin"}]}}],
}

CASES: dict[str, tuple[str, Operator, tuple[str, ...], bool]] = {
    "equal": ("state", "eq", ("held",), True),
    "other": ("state", "eq", ("failed",), False),
    "one of": ("state", "eq", ("failed", "held"), True),
    "in an array": ("relatedParty.id", "eq", ("S-1",), True),
    "arrays in arrays": ("productOrderItem.product.place.id", "eq", ("ADDR-1015",), True),
    "absent": ("agreement.id", "eq", ("A",), False),
    "absent is not": ("agreement.id", "ne", ("A",), True),
    "none of an array": ("relatedParty.id", "ne", ("C-7",), False),
    "not equal": ("state", "ne", ("failed",), True),
    "number as text": ("priority", "eq", ("3",), True),
    "number with another face": ("priority", "eq", ("3.0",), True),
    "boolean": ("isBundle", "eq", ("true",), True),
    "greater number": ("priority", "gt", ("10",), False),
    "less number, not text": ("priority", "lt", ("10",), True),
    "a number is no text": ("priority", "gt", ("high",), False),
    "not greater than itself": ("priority", "gt", ("3",), False),
    "at least itself": ("priority", "gte", ("3",), True),
    "moment in another zone": ("orderDate", "eq", ("2026-11-23T11:00:00+01:00",), True),
    "later moment": ("orderDate", "lt", ("2026-11-23T10:00:00.001Z",), True),
    "no moment at all": ("orderDate", "gt", ("0001-01-01T00:00:00+23:59",), True),
    "day": ("orderDate", "gte", ("2026-11-23",), True),
    "later day": ("orderDate", "gt", ("2026-11-24",), False),
    "text order": ("state", "gt", ("hel",), True),
    "like": ("productOrderItem.product.place.name", "like", ("linden*berlin",), True),
    "like, whole": ("state", "like", ("he",), False),
    "like, parts must not overlap": ("state", "like", ("hel*eld",), False),
    "like, in the middle": ("state", "like", ("*el*",), True),
    "like anything": ("state", "like", ("*",), True),
    "an empty array has no value": ("note", "eq", ("",), False),
    "no number compares with a number": ("priority", "gte", ("nan",), False),
    "no number equals a number": ("priority", "eq", ("nan",), False),
    "more than any number": ("priority", "lt", ("1e999",), False),
    "hundreds of digits": ("priority", "lt", ("9" * 400,), True),
    "thousands of digits": ("priority", "lt", ("9" * 5000,), False),
    "hundreds of digits, stored": ("orderTotalPrice.price", "gt", ("1e308",), True),
    "below a text is nothing": ("state.id", "eq", ("held",), False),
}


@pytest.mark.parametrize(("name", "operator", "texts", "holds"), CASES.values(), ids=CASES)
def test_condition(name: str, operator: Operator, texts: tuple[str, ...], *, holds: bool) -> None:
    condition = Condition(attribute=tuple(name.split(".")), operator=operator, texts=texts)
    assert condition.holds(ORDER) is holds


def test_all_conditions_must_hold() -> None:
    assert Query(conditions=equals(state="held", id="o1")).holds(ORDER)
    assert not Query(conditions=equals(state="held", id="o2")).holds(ORDER)


@given(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans()), st.text())
def test_of_less_equal_and_greater_at_most_one_is_true(value: Any, text: str) -> None:
    holding = [
        Condition(attribute=("x",), operator=operator, texts=(text,)).holds({"x": value}) for operator in ("lt", "gt")
    ]
    assert holding.count(True) <= 1
    assert Condition(attribute=("x",), texts=(text,)).holds({"x": value}) is not Condition(
        attribute=("x",), operator="ne", texts=(text,)
    ).holds({"x": value})


SORTS: dict[str, tuple[tuple[SortKey, ...], str]] = {
    "numbers": ((SortKey(attribute=("n",)),), "badc"),
    "numbers down, nothing last": ((SortKey(attribute=("n",), descending=True),), "dabc"),
    "two keys": ((SortKey(attribute=("s",)), SortKey(attribute=("n",), descending=True)), "dbac"),
    "numbers of any size": ((SortKey(attribute=("huge",)),), "dbca"),
    "a tie stays in order": ((SortKey(attribute=("s",)),), "bdac"),
}
ROWS: dict[str, dict[str, Any]] = {
    "a": {"n": 9, "s": "y", "huge": 10**400},
    "b": {"n": 2, "s": "x", "huge": 1.5},
    "c": {"s": "z", "huge": 1e308},
    "d": {"n": 10, "s": "x", "huge": -(10**400)},
}


@pytest.mark.parametrize(("keys", "expected"), SORTS.values(), ids=SORTS)
def test_sort(keys: tuple[SortKey, ...], expected: str) -> None:
    rows = [(tuple(sort_value(document, key.attribute) for key in keys), name) for name, document in ROWS.items()]
    assert "".join(sorted_by(keys, rows)) == expected
