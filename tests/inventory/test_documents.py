"""TMF characteristic lists, and the text of documents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.documents import characteristic_list, characteristics, json_text

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_a_list_reads_back_as_what_it_was_made_of(values: dict[str, Any]) -> None:
    document = json.loads(json.dumps({"serviceCharacteristic": characteristic_list(values)}))
    assert characteristics(document, "serviceCharacteristic") == values


@pytest.mark.parametrize("document", [{}, {"serviceCharacteristic": None}, {"serviceCharacteristic": []}])
def test_no_list_is_no_characteristics(document: dict[str, Any]) -> None:
    assert characteristics(document, "serviceCharacteristic") == {}


TYPES = [(True, "boolean"), (1042, "integer"), (1.5, "number"), ("sw1", "string"), ([1], "array"), ({}, "object")]


@pytest.mark.parametrize(("value", "name"), TYPES)
def test_each_json_type_has_its_name(value: object, name: str) -> None:
    assert characteristic_list({"x": value}) == [{"name": "x", "valueType": name, "value": value}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=JSON)
def test_json_text_is_read_back_as_it_was(value: object) -> None:
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize("value", [{"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"x": {1, 2}}, {"b": b"x"}])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        json_text(value)
