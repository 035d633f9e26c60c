"""Bodies and queries that cannot be read are refused with what is wrong and what is legal."""

import json

import pytest

from api.errors import BadRequest
from api.http.requests import MAX_DEPTH, parse_object

DEEP = b'{"a":' * 200_000

BAD_BODIES = {
    "empty": (b"", "not JSON"),
    "broken": (b'{"a": 1,', "line 1, column 9"),
    "not UTF-8": (b'{"a": "\xff"}', "not UTF-8: byte 7"),
    "array": (b"[1]", "must be a JSON object, not an array"),
    "text": (b'"x"', "not a string"),
    "null": (b"null", "not null"),
    "number": (b"1", "not a number"),
    "boolean": (b"true", "not a boolean"),
    "key twice": (b'{"a": {"b": 1, "b": 2}}', "'b' stands twice"),
    "NaN": (b'{"a": NaN}', "NaN is not a JSON number"),
    "Infinity": (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
    "too deep": (json.dumps({"a": eval("[" * MAX_DEPTH + "]" * MAX_DEPTH)}).encode(), "nested deeper"),  # noqa: S307 - a literal
    "absurdly deep": (DEEP, "nested deeper|not JSON"),
    "half a character": (b'{"a": "\\ud800"}', "half a character"),
    "NUL": (b'{"a": "x\\u0000y"}', "NUL"),
    "infinite number": (b'{"a": [1e400]}', "too large"),
    "absurd number": (b'{"a": ' + b"9" * 5000 + b"}", "not acceptable JSON"),
}


@pytest.mark.parametrize(("raw", "said"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_bad_body_says_what_is_wrong(raw: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        parse_object(raw)


def test_a_good_body_comes_back_as_it_was_sent() -> None:
    body = {"a": [1, 2.5, None, True, "Lindenstraße 15 😀"], "b": {"c": {}}}
    assert parse_object(json.dumps(body).encode()) == body
