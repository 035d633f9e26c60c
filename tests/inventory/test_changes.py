"""What changed between two documents: a table, and the law that nothing is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.changes import Change, changes
from inventory.documents import characteristic_list

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, Any, Any]]]] = {
    "alike": ({"a": 1}, {"a": 1}, []),
    "one value": ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b", 2, 3)]),
    "new and gone": ({"a": 1}, {"b": 2}, [("a", 1, None), ("b", None, 2)]),
    "a characteristic": (
        {"c": characteristic_list({"x": 1, "y": 2})},
        {"c": characteristic_list({"x": 1, "y": 3})},
        [("c.y", 2, 3)],
    ),
    "first characteristics": ({}, {"c": characteristic_list({"x": 1})}, [("c.x", None, 1)]),
    "references": ({"r": [{"id": "1"}]}, {"r": [{"id": "2"}]}, [("r", [{"id": "1"}], [{"id": "2"}])]),
    "a text": ({"t": "ab"}, {"t": "ac"}, [("t", "ab", "ac")]),
    "emptied": ({"c": characteristic_list({"x": 1})}, {"c": []}, [("c", characteristic_list({"x": 1}), [])]),
}
VALUES = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3) | st.lists(st.integers(0, 1), max_size=2))


@pytest.mark.parametrize("case", CASES)
def test_changes(case: str) -> None:
    before, after, expected = CASES[case]
    assert changes(before, after) == tuple(Change(attribute=a, before=b, after=c) for a, b, c in expected)


@given(VALUES, VALUES)
def test_changes_made_to_before_give_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    made = dict(before)
    for each in changes(before, after):
        if each.after is None:
            del made[each.attribute]
        else:
            made[each.attribute] = each.after
    assert made == after
