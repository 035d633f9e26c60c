"""Bad input to every route of every API: refused with what is legal, and nothing of it is stored."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from api.http.requests import MAX_DEPTH
from tests.api.http.everywhere import Front, Route, Sent, everything, faults

pytestmark = pytest.mark.db

JSON: Final = {"Content-Type": "application/json"}
BOM: Final = b"\xef\xbb\xbf"


def _raw(content: bytes, **headers: str) -> dict[str, Any]:
    return {"content": content, "headers": {**JSON, **{name.replace("_", "-"): text for name, text in headers.items()}}}


NEVER: Final = {
    "empty": (_raw(b""), 400),
    "broken": (_raw(b'{"a": 1,'), 400),
    "two values": (_raw(b"{} {}"), 400),
    "not UTF-8": (_raw(b'{"a": "\xff"}'), 400),
    "overlong UTF-8": (_raw(b'{"a": "\xc0\xaf"}'), 400),
    "UTF-8 with a byte order mark": (_raw(BOM + b"{}"), 400),
    "UTF-16": (_raw('{"a": 1}'.encode("utf-16")), 400),
    "UTF-16, said so": (_raw('{"a": 1}'.encode("utf-16"), Content_Type="application/json; charset=utf-16"), 415),
    "array": (_raw(b"[]"), 400),
    "string": (_raw(b'"x"'), 400),
    "null": (_raw(b"null"), 400),
    "number": (_raw(b"17"), 400),
    "key twice": (_raw(b'{"externalId": "a", "externalId": "b"}'), 400),
    "key twice within": (_raw(b'{"note": [{"text": "a", "text": "b"}]}'), 400),
    "NaN": (_raw(b'{"priority": NaN}'), 400),
    "Infinity": (_raw(b'{"priority": Infinity}'), 400),
    "too large a number": (_raw(b'{"quantity": 1e999}'), 400),
    "too long a number": (_raw(b'{"quantity": ' + b"9" * 5000 + b"}"), 400),
    "nested too deep": (_raw(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"), 400),
    "nested absurdly": (_raw(b'{"a":' * 100_000), 400),
    "half a character": (_raw(b'{"description": "\\ud800"}'), 400),
    "half a character as a name": (_raw(b'{"\\udfff": 1}'), 400),
    "NUL": (_raw(b'{"externalId": "a\\u0000b"}'), 400),
    "too large": (_raw(b'{"description": "' + b"x" * 2_000_000 + b'"}'), 413),
    "gzip": (_raw(gzip.compress(b"{}"), Content_Encoding="gzip"), 415),
    "gzip bomb": (_raw(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"), 415),
    "gzip, not said": (_raw(gzip.compress(b"{}")), 400),
    "brotli, deflate": (_raw(b"{}", Content_Encoding="br, deflate"), 415),
    "form": (_raw(b"a=b", Content_Type="application/x-www-form-urlencoded"), 415),
    "XML": (_raw(b"<a/>", Content_Type="application/xml"), 415),
    "several types": (_raw(b"{}", Content_Type="application/json, text/plain"), 415),
}
"""Bodies that no route may take, whatever it does."""

TELLING: Final = {
    "If-Match": ("abc", '"', "W/", '"nobody"', "*, *", "\u00e9", "x" * 5000),
    "Prefer": ("wait=-1", "wait=1e99", "wait=", "respond-async; wait=x", ";;;", "wait=99999999999999999999"),
    "Idempotency-Key": ("x" * 256, "a\tb", "\u00ff", "' OR 1=1 --"),
    "If-None-Match": ('"', "*", "\u00ff"),
    "Accept": ("text/html", "x"),
    "X-Correlation-Id": ("x" * 5000, "\u00ff"),
    "traceparent": ("x",),
}
QUERIES: Final = (
    "limit=-1",
    "limit=0",
    "limit=1e3",
    "limit=99999999999999999999",
    "limit=%D9%A3",
    "limit=&offset=",
    "offset=1e99",
    "offset=-1",
    "offset=2147483649",
    "sort=__proto__",
    "sort=-,,+,",
    "sort=id.id.id.id.id.id.id.id.id",
    "sort=-state,state,-id",
    "sort=%00",
    "fields=__class__.__init__",
    "fields=" + "a." * 2000,
    "fields=%00,%FF,,,",
    "fields=" + ",".join(f"f{number}" for number in range(5000)),
    "id" + ".a" * 30 + "=1",
    "id=" + "*" * 3000 + "x",
    "id*=" + "*a" * 3000,
    "id.regex=(a%2B)%2B%24",
    "id=%FF%FE",
    "id=%00",
    "id.gt=%F0%9F%98%80",
    "state=%ED%A0%80",
    "=1",
    "&&&=&",
    ".=1",
    "state..x=1",
    "orderDate.gt=0000-01-01",
    "orderDate.lt=9999-12-31T23:59:59-14:00",
    "priority.gt=" + "9" * 5000,
    "priority.lt=nan",
    "$where=1",
    "device=nobody&whole=perhaps",
    "unfinished=perhaps",
    "dry_run=perhaps",
    "filter=%5B%3F(%40.a%3D%3D1)%5D",
    "&".join(f"id={number}" for number in range(500)),
)
ONE_QUERIES: Final = tuple(query for query in QUERIES if query.startswith(("fields", "&", "limit=-1", "$")))
"""What one resource reads of a query is its ``fields``."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with everything() as running:
        yield running


def test_bodies_that_nobody_may_send(front: Front) -> None:
    requests = [Sent(name=name, given=given) for name, (given, _) in NEVER.items()]
    found: list[str] = []
    for route in front.routes:
        if route.method == "get":
            continue
        ignores = not route.takes_body or _ignores_bodies(route.path)
        before = front.rows()
        for sent, answer in zip(requests, front.answers(_at_nobody(route), requests), strict=True):
            found += faults(route, sent, answer)
            if not ignores and answer.status_code not in {NEVER[sent.name][1], 404}:
                found.append(f"{route} {sent.name}: {answer.status_code} {answer.text[:300]}")
        if front.rows() != before:
            found.append(f"{route}: something was stored")
    assert found == []


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_headers_and_queries(front: Front, method: str) -> None:
    found: list[str] = []
    for route in front.routes:
        if route.method != method:
            continue
        requests = list(_told(method, QUERIES if "{" not in route.template else ONE_QUERIES))
        before = front.rows()
        answers = front.answers(route, requests)
        for sent, answer in zip(requests, answers, strict=True):
            found += faults(route, sent, answer)
        if (method == "get" or not any(answer.is_success for answer in answers)) and front.rows() != before:
            found.append(f"{route}: something was stored")
    assert found == []


def _told(method: str, queries: tuple[str, ...]) -> Iterator[Sent]:
    if method == "get":
        yield from (Sent(name=query[:60], query=query) for query in queries)
    content = None if method == "get" else b'{"externalId": []}'
    # What a reader says is less: the rest is for those who change something.
    for name in ("If-None-Match", "Accept") if method == "get" else TELLING:
        for text in TELLING[name]:
            given = {"headers": {**JSON, name: text.encode()}, "content": content}
            yield Sent(name=f"{name}: {text[:40]}", given=given)


def _at_nobody(route: Route) -> Route:
    """Return the route at something that is not there, where it would take that away."""
    if route.method != "delete":
        return route
    return replace(route, path=f"{route.path.rpartition('/')[0]}/nobody")


def _ignores_bodies(path: str) -> bool:
    """Say whether all that a route is told stands in its address."""
    return path.endswith(("/release", "/trust", "/replay")) or "/serviceTest/" in path
