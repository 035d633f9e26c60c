from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.service_documents import in_state, patched, state_of
from activation.states import ServiceState

SERVICE: dict[str, Any] = {
    "id": "s",
    "state": "active",
    "name": "line",
    "serviceCharacteristic": [{"name": "a", "value": 1}, {"name": "b", "value": {"x": 1, "y": 2}}],
    "supportingService": [
        {"id": "p", "state": "active", "serviceCharacteristic": [{"name": "c", "value": 3}, {"name": "d", "value": 4}]},
        {"id": "q", "state": "active"},
    ],
}

PATCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "a value": ({"name": "other"}, {"name": "other"}),
    "null removes": ({"name": None}, {"name": None}),
    "null of nothing": ({"colour": None}, {}),
    "objects are merged": ({"serviceSpecification": {"id": "x", "name": None}}, {"serviceSpecification": {"id": "x"}}),
    "a plain list is replaced, without nulls": ({"note": [{"text": "t", "id": None}]}, {"note": [{"text": "t"}]}),
    "a characteristic by name": (
        {"serviceCharacteristic": [{"name": "a", "value": 2}]},
        {"serviceCharacteristic": [{"name": "a", "value": 2}, SERVICE["serviceCharacteristic"][1]]},
    ),
    "a new characteristic": (
        {"serviceCharacteristic": [{"name": "z", "value": 2}]},
        {"serviceCharacteristic": [*SERVICE["serviceCharacteristic"], {"name": "z", "value": 2}]},
    ),
    "a characteristic goes": (
        {"serviceCharacteristic": [{"name": "a", "value": None}]},
        {"serviceCharacteristic": [SERVICE["serviceCharacteristic"][1]]},
    ),
    "a part's characteristic": (
        {"supportingService": [{"id": "p", "serviceCharacteristic": [{"name": "c", "value": 9}]}]},
        {
            "supportingService": [
                {
                    "id": "p",
                    "state": "active",
                    "serviceCharacteristic": [{"name": "c", "value": 9}, {"name": "d", "value": 4}],
                },
                SERVICE["supportingService"][1],
            ]
        },
    ),
    "a part goes": (
        {"supportingService": [{"id": "q", "state": "terminated"}]},
        {"supportingService": [SERVICE["supportingService"][0]]},
    ),
    "a new part": (
        {"supportingService": [{"id": "r", "name": None}]},
        {"supportingService": [*SERVICE["supportingService"], {"id": "r"}]},
    ),
    "no list where one belongs": ({"serviceCharacteristic": "x"}, {"serviceCharacteristic": "x"}),
    "an entry without a name stays visible": (
        {"serviceCharacteristic": [5]},
        {"serviceCharacteristic": [*SERVICE["serviceCharacteristic"], 5]},
    ),
}


@pytest.mark.parametrize("case", PATCHES)
def test_what_a_patch_makes_of_a_service(case: str) -> None:
    patch, changes = PATCHES[case]
    expected = {name: value for name, value in (SERVICE | changes).items() if value is not None}
    assert patched(SERVICE, patch) == expected


VALUES = st.none() | st.integers() | st.text(max_size=3)
ENTRIES = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcz"), "value": VALUES}), max_size=4, unique_by=lambda e: e["name"]
)
SOME = st.dictionaries(st.sampled_from(["name", "description"]), VALUES)


@given(plain=SOME, entries=ENTRIES)
def test_a_patch_twice_is_a_patch_once(plain: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    patch = {**plain, "serviceCharacteristic": [e for e in entries if e["value"] is not None]}
    once = patched(SERVICE, patch)
    assert patched(once, patch) == once


def test_all_parts_are_in_the_services_state() -> None:
    found = in_state(SERVICE, ServiceState.INACTIVE)
    assert state_of(found) is ServiceState.INACTIVE
    assert {part["state"] for part in found["supportingService"]} == {"inactive"}
    assert state_of({}) is ServiceState.ACTIVE
