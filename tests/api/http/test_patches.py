"""A patch of any kind gives what its RFC says, or a refusal that says what is legal."""

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from api.activation_patch import named_changes
from api.errors import ApiError, BadRequest, PatchConflict, PreconditionFailed, UnsupportedMedia
from api.http.patches import JSON_PATCH, MAX_OPERATIONS, MERGE_PATCH, Patch, merge_patched, patch_of, refuse_others

ORDER: dict[str, Any] = {"id": "1", "priority": "4", "note": [{"text": "a"}], "party": {"id": "C", "role": "buyer"}}


def _request(body: bytes, kind: str, **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    app = FastAPI()
    app.state.max_body_bytes = 10_000
    given = {"content-type": kind, **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value]
    return Request({"type": "http", "app": app, "headers": raw, "method": "PATCH"}, receive)


def _read(body: object, kind: str, **headers: str) -> Patch:
    return asyncio.run(patch_of(_request(json.dumps(body).encode(), kind, **headers)))


def _op(op: str, path: str, **more: object) -> dict[str, Any]:
    return {"op": op, "path": path, **more}


# RFC 7396, appendix A, the rows whose document is an object.
MERGES = {
    "replace": ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    "add": ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    "remove": ({"a": "b"}, {"a": None}, {}),
    "remove one": ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    "array by text": ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    "text by array": ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    "nested": ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    "arrays are not merged": ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    "null stays where it was": ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    "nulls of new objects": ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
}


@pytest.mark.parametrize(("document", "patch", "expected"), MERGES.values(), ids=MERGES)
def test_merge_patch(document: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge_patched(document, patch) == expected


OPERATIONS = {
    "replace": ([_op("replace", "/priority", value="1")], {"priority": "1"}),
    "append": ([_op("add", "/note/-", value={"text": "b"})], {"note": [{"text": "a"}, {"text": "b"}]}),
    "remove": ([_op("remove", "/party")], {"party": None}),
    "within": ([_op("replace", "/party/role", value="owner")], {"party": {"id": "C", "role": "owner"}}),
    "tested": ([_op("test", "/id", value="1"), _op("remove", "/priority")], {"priority": None}),
    "moved": ([{"op": "move", "from": "/priority", "path": "/rank"}], {"rank": "4", "priority": None}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize(("operations", "changes"), OPERATIONS.values(), ids=OPERATIONS)
def test_json_patch_as_changes(operations: list[Any], changes: dict[str, Any]) -> None:
    patch = _read(operations, JSON_PATCH)
    before = json.dumps(ORDER)
    assert patch.changes(ORDER) == changes
    assert patch.applied_to(ORDER) == merge_patched(ORDER, changes)
    assert json.dumps(ORDER) == before


def test_a_patch_gives_the_same_twice() -> None:
    patch = _read([_op("add", "/new", value={}), _op("add", "/new/x", value=1)], JSON_PATCH)
    assert patch.changes(ORDER) == patch.changes(ORDER) == {"new": {"x": 1}}


COPIES = [_op("add", "/a", value="x" * 1000), *({"op": "copy", "from": "", "path": f"/{n}"} for n in range(60))]
BAD = {
    "test fails": ([_op("test", "/id", value="2")], PatchConflict, "operation 0"),
    "nothing there": ([_op("remove", "/colour")], PatchConflict, "colour"),
    "below a text": ([_op("replace", "/priority/x", value=1)], ApiError, "operation 0"),
    "unknown operation": ([_op("rename", "/id")], BadRequest, "rename"),
    "no value": ([_op("add", "/x")], BadRequest, "value"),
    "no path": ([{"op": "add", "value": 1}], BadRequest, "path"),
    "bad pointer": ([_op("add", "x", value=1)], BadRequest, "operation 0"),
    "no array": ({"op": "add"}, BadRequest, "array of objects"),
    "array of texts": (["add"], BadRequest, "array of objects"),
    "too many": ([_op("test", "/id", value="1")] * (MAX_OPERATIONS + 1), BadRequest, f"{MAX_OPERATIONS} at most"),
    "no object left": ([_op("replace", "", value=[1])], BadRequest, "an array"),
    "larger and larger": (COPIES, BadRequest, "larger than"),
    "deeper and deeper": ([{"op": "move", "from": "/note", "path": "/note/x"}], ApiError, "operation 0"),
}


@pytest.mark.parametrize(("operations", "error", "said"), BAD.values(), ids=BAD)
def test_a_bad_json_patch_says_what_is_wrong(operations: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        _read(operations, JSON_PATCH).applied_to(ORDER)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_paths = st.sampled_from(["", "/", "/note/0", "/note/-", "/note/9", "/note/x", "/party/id", "/~2", "id"]) | _values
_operations = st.lists(
    st.dictionaries(st.sampled_from(["op", "path", "from", "value"]), _paths | st.sampled_from(["add", "copy", "move"]))
    | st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
            "path": _paths,
            "from": _paths,
            "value": _values,
        }
    ),
    max_size=4,
)


@given(operations=_operations)
def test_any_json_patch_applies_or_is_refused(operations: list[Any]) -> None:
    patch = Patch(operations=tuple(operations))
    try:
        applied = patch.applied_to(ORDER)
    except ApiError:
        return
    # A null cannot be said in a merge patch, where it removes.
    if None not in applied.values():
        assert set(merge_patched(ORDER, patch.changes(ORDER))) == set(applied)


KINDS = {
    "merge": (MERGE_PATCH, True),
    "plain": ("application/json; charset=UTF-8", True),
    "nothing said": ("", True),
    "text": ("text/plain", False),
    "form": ("application/x-www-form-urlencoded", False),
    "another encoding": (f"{MERGE_PATCH}; charset=latin-1", False),
}


@pytest.mark.parametrize(("kind", "is_legal"), KINDS.values(), ids=KINDS)
def test_kinds_of_patch(kind: str, *, is_legal: bool) -> None:
    if is_legal:
        assert _read({"a": 1}, kind) == Patch(merge={"a": 1})
        return
    with pytest.raises(UnsupportedMedia, match=r"legal: (application/json, application/json-patch|utf-8)"):
        _read({"a": 1}, kind)


def test_a_compressed_patch_is_refused() -> None:
    with pytest.raises(UnsupportedMedia, match="'gzip' is not taken here; legal: identity"):
        _read({}, MERGE_PATCH, content_encoding="gzip")


def test_if_match() -> None:
    refuse_others(frozenset(), '"3"')
    refuse_others(frozenset({'"2"', '"3"'}), '"3"')
    refuse_others(frozenset({"*"}), '"3"')
    with pytest.raises(PreconditionFailed, match='now: "3"'):
        refuse_others(frozenset({'"2"'}), '"3"')


def _listed(**values: object) -> list[dict[str, object]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def test_a_named_list_is_said_by_what_changes_in_it() -> None:
    before = {
        "name": "x",
        "serviceCharacteristic": _listed(a=1, b=2, c=3),
        "supportingService": [{"id": "p", "state": "active"}, {"id": "q", "state": "active"}],
    }
    after = {"serviceCharacteristic": _listed(a=1, b=5, d=4), "supportingService": [{"id": "p", "state": "active"}]}
    assert named_changes(before, after) == {
        "serviceCharacteristic": _listed(b=5, d=4, c=None),
        "supportingService": [{"id": "q", "state": "terminated"}],
    }
