"""Odd values anywhere in a body that would be taken: refused as a whole or stored as a whole, never a 5xx."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.http.everywhere import Front, Route, Sent, everything, faults
from tests.api.http.odd import DATES, ODD, places, with_value
from tests.api.http.official import ITEMS, orderable
from tests.bench.orders import order

pytestmark = pytest.mark.db

ORDERS: Final = {
    "productOrder": "/tmf-api/productOrderingManagement/v4/productOrder",
    "serviceOrder": "/tmf-api/serviceOrdering/v4/serviceOrder",
    "resourceOrder": "/tmf-api/resourceOrderingManagement/v4/resourceOrder",
}
MANY: Final = 10_000


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with everything() as running:
        yield running


def _legal(kind: str) -> dict[str, Any]:
    body = {
        "note": [{"text": "a"}],
        "priority": 1 if kind == "resourceOrder" else "1",
        "requestedStartDate": "2030-01-01T00:00:00Z",
    }
    return {**orderable(kind, {**body, ITEMS[kind]: [{}]}, 7), "relatedParty": order(1)["relatedParty"]}


def _with(body: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    changed: dict[str, Any] = with_value(body, path, value)
    changed.pop("externalId", None) if path != ("externalId",) else None
    return changed


def _wrong(front: Front, route: Route, bodies: list[dict[str, Any]]) -> list[str]:
    """Return what is wrong with the answers to ``bodies``, and whether something refused left something behind."""
    found: list[str] = []
    for body in bodies:
        content = json.dumps(body).encode()
        sent = Sent(
            name=content[:3000].decode(), given={"content": content, "headers": {"Content-Type": "application/json"}}
        )
        before = front.rows()
        (answer,) = front.answers(route, [sent])
        found += faults(route, sent, answer)
        if not answer.is_success and front.rows() != before:
            found.append(f"{route}: something of it was stored: {sent.name}")
    return found


def _post(path: str) -> Route:
    return Route(method="post", path=path, template=path)


@pytest.mark.parametrize("kind", ORDERS)
@settings(max_examples=60)
@given(data=st.data())
def test_an_odd_value_anywhere(front: Front, kind: str, data: st.DataObject) -> None:
    body = _legal(kind)
    path = data.draw(st.sampled_from(list(places(body))))
    odd = data.draw(st.sampled_from((*ODD, *DATES)))
    assert _wrong(front, _post(ORDERS[kind]), [_with(body, path, odd)]) == []


@pytest.mark.parametrize("date", DATES)
def test_odd_dates(front: Front, date: str) -> None:
    names = ("requestedStartDate", "requestedCompletionDate")
    bodies = [_with(_legal(kind), (name,), date) for kind in ORDERS for name in names]
    routes = [_post(ORDERS[kind]) for kind in ORDERS for _ in names]
    assert [wrong for route, body in zip(routes, bodies, strict=True) for wrong in _wrong(front, route, [body])] == []


def _relying(kind: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return an order whose items rely on one another as ``pairs`` say."""
    body = _legal(kind)
    (item,) = body[ITEMS[kind]]
    name = "orderItemRelationship" if kind != "productOrder" else "productOrderItemRelationship"
    name = "serviceOrderItemRelationship" if kind == "serviceOrder" else name
    key = {"productOrder": "id", "serviceOrder": "orderItem", "resourceOrder": "orderItem"}[kind]
    items = []
    for one in sorted({one for pair in pairs for one in pair if one != "nobody"}):
        to = [other for first, other in pairs if first == one]
        links = [{"relationshipType": "reliesOn", key: each if key == "id" else {"itemId": each}} for each in to]
        items.append({**item, "id": one, name: links})
    return {**body, "externalId": f"{kind}-{pairs}", ITEMS[kind]: items}


CYCLES: Final = {
    "itself": [("a", "a")],
    "two": [("a", "b"), ("b", "a")],
    "three": [("a", "b"), ("b", "c"), ("c", "a")],
    "nobody": [("a", "nobody")],
}


@pytest.mark.parametrize("pairs", CYCLES.values(), ids=CYCLES)
@pytest.mark.parametrize("kind", ORDERS)
def test_items_that_rely_on_one_another_in_a_circle(front: Front, kind: str, pairs: list[tuple[str, str]]) -> None:
    sent = Sent(name="cycle", given={"json": _relying(kind, pairs)})
    before = front.rows()
    (answer,) = front.answers(_post(ORDERS[kind]), [sent])
    assert (answer.status_code, list(faults(_post(ORDERS[kind]), sent, answer))) == (400, []), answer.text
    assert "a" in answer.json()["message"]
    assert front.rows() == before


@pytest.mark.parametrize("kind", ORDERS)
def test_ten_thousand_items(front: Front, kind: str) -> None:
    items = [{"id": str(number), "action": "add"} for number in range(MANY)]
    sent = Sent(name="many", given={"json": {ITEMS[kind]: items}})
    before = front.rows()
    (answer,) = front.answers(_post(ORDERS[kind]), [sent])
    assert (answer.status_code, list(faults(_post(ORDERS[kind]), sent, answer))) == (400, []), answer.text
    assert front.rows() == before
