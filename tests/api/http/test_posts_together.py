"""Orders posted at the same moment, good and bad ones: each client gets its own answer, and finds its order."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from api.client import PRODUCT_ORDERS
from tests.bench.orders import order
from tests.bench.rig import Rig, running

pytestmark = pytest.mark.db

CLIENTS: Final = 8
POSTS: Final = 48


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running(works=False) as found:
        yield found


def _post(
    rig: Rig, bodies: Sequence[Mapping[str, Any]], headers: Mapping[str, str] | None = None
) -> list[httpx.Response]:
    with httpx.Client(base_url=rig.url, trust_env=False) as client, ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda body: client.post(PRODUCT_ORDERS, json=body, headers=headers), bodies))


def _stored(rig: Rig, name: str) -> list[dict[str, Any]]:
    with httpx.Client(base_url=rig.url, trust_env=False) as client:
        found: list[dict[str, Any]] = client.get(PRODUCT_ORDERS, params={"description": name, "limit": 1000}).json()
    return found


def _named(number: int, name: str, **more: object) -> dict[str, Any]:
    # Every third one asks for an offering that nobody has.
    text = json.dumps({**order(number), "description": name, **more})
    offering = order(number)["productOrderItem"][0]["productOffering"]["id"]
    found: dict[str, Any] = json.loads(text.replace(f'"{offering}"', '"nothing"') if number % 3 == 0 else text)
    return found


def test_good_and_bad_ones(rig: Rig) -> None:
    bodies = [_named(number, f"mixed-{number}") for number in range(POSTS)]
    answers = _post(rig, bodies)
    for number, answer in enumerate(answers):
        assert answer.status_code == (400 if number % 3 == 0 else 201), answer.text
        found = _stored(rig, f"mixed-{number}")
        assert found == ([] if number % 3 == 0 else [answer.json()])
        if found:
            assert answer.headers["ETag"] == '"1"'
            assert answer.headers["Location"] == found[0]["href"]


def test_one_order_from_many(rig: Rig) -> None:
    bodies = [_named(1, "the same", externalId="the same") for _ in range(POSTS)]
    answers = _post(rig, bodies)
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["id"] for answer in answers} == {each["id"] for each in _stored(rig, "the same")}


def test_one_request_from_many(rig: Rig) -> None:
    answers = _post(rig, [_named(2, "one key")] * POSTS, {"Idempotency-Key": "k"})
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == len(_stored(rig, "one key")) == 1
