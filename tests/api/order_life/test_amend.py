"""Orders on their way: amended, put off, hurried, told late, deleted; every answer is an official one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.demo import bodies
from api.http.app import create_app
from api.runtime.tables import events
from tests.api.http.in_process import InProcess
from tests.api.order_life.stepping import Stepping, stepping
from tests.api.strict import checking

pytestmark = pytest.mark.db

ORDERS = "/tmf-api/productOrderingManagement/v4/productOrder"
CANCELS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
SERVICE_ORDERS = "/tmf-api/serviceOrdering/v4/serviceOrder"
RESOURCE_ORDERS = "/tmf-api/resourceOrderingManagement/v4/resourceOrder"
DAY = timedelta(days=1)


class Clock:
    """A clock that jumps."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def time_s(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Iterator[Stepping]:
    with stepping(tmp_path) as running:
        running.system.database._clock = clock
        object.__setattr__(running.system.database.queue, "time_s", clock.time_s)
        yield running


@pytest.fixture
def send(platform: Stepping, shared: Path) -> Any:
    client, check = InProcess(app=create_app(platform.system)), checking(shared)

    def sent(method: str, path: str, **given: Any) -> httpx.Response:
        response = client.request(method, path, **given)
        check(response)
        return response

    return sent


def placed(send: Any, **head: object) -> dict[str, Any]:
    response = send("POST", ORDERS, json={**bodies.add(), **head})
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


def read(send: Any, path: str, order: Any) -> dict[str, Any]:
    found: dict[str, Any] = send("GET", f"{path}/{order['id']}").json()
    return found


MAY_CHANGE: dict[str, Any] = {
    "description": "ring twice",
    "note": [{"text": "dog"}],
    "priority": "1",
    "requestedCompletionDate": "2031-01-01T00:00:00Z",
    "relatedParty": [{"id": "C-1", "role": "customer", "@referredType": "Individual"}],
    "notificationContact": "a@example.org",
    "category": "b2b",
}
MAY_NOT = ("id", "href", "orderDate", "completionDate", "externalId", "@type")


@pytest.mark.parametrize("jobs", [0, 3])
@pytest.mark.parametrize("name", MAY_CHANGE)
def test_what_may_change_changes_while_the_order_runs(platform: Stepping, send: Any, name: str, jobs: int) -> None:
    order = placed(send)
    platform.go(jobs)

    response = send("PATCH", f"{ORDERS}/{order['id']}", json={name: MAY_CHANGE[name]})

    assert response.status_code == 200, response.text
    found = read(send, ORDERS, order)[name]
    wanted = MAY_CHANGE[name]
    assert found == wanted or wanted[0].items() <= found[0].items()
    platform.drain()
    assert read(send, ORDERS, order)["state"] == "completed"


@pytest.mark.parametrize("name", MAY_NOT)
def test_what_makes_the_order_what_it_is_cannot_change(send: Any, name: str) -> None:
    order = placed(send)
    response = send("PATCH", f"{ORDERS}/{order['id']}", json={name: "2031-01-01T00:00:00Z"})
    assert response.status_code == 400
    assert name in response.json()["message"]
    assert read(send, ORDERS, order) == order


def test_items_may_be_sent_as_they_are(send: Any) -> None:
    order = placed(send)
    same = {"productOrderItem": order["productOrderItem"], "description": "new"}
    assert send("PATCH", f"{ORDERS}/{order['id']}", json=same).json()["description"] == "new"
    other = {"productOrderItem": [{**order["productOrderItem"][0], "quantity": 1}]}
    assert send("PATCH", f"{ORDERS}/{order['id']}", json=other).status_code == 400


def test_a_client_moves_no_state(send: Any) -> None:
    order = placed(send)
    response = send("PATCH", f"{ORDERS}/{order['id']}", json={"state": "completed"})
    assert response.status_code == 409
    assert "inProgress" in response.json()["message"]


def test_if_match_holds_off_what_is_stale(send: Any) -> None:
    order = placed(send)
    tag = send("GET", f"{ORDERS}/{order['id']}").headers["etag"]
    one = f"{ORDERS}/{order['id']}"
    assert send("PATCH", one, json={"description": "a"}, headers={"If-Match": tag}).status_code == 200
    assert send("PATCH", one, json={"description": "b"}, headers={"If-Match": tag}).status_code == 412


def test_only_what_has_ended_is_deleted(platform: Stepping, send: Any) -> None:
    order = placed(send)
    refused = send("DELETE", f"{ORDERS}/{order['id']}")
    assert (refused.status_code, "completed" in refused.json()["message"]) == (409, True)
    platform.drain()
    (resource_order, *_) = send("GET", RESOURCE_ORDERS).json()
    assert send("DELETE", f"{RESOURCE_ORDERS}/{resource_order['id']}").status_code == 409
    assert send("PATCH", f"{ORDERS}/{order['id']}", json={"description": "late"}).status_code == 409
    assert send("PATCH", f"{ORDERS}/{order['id']}", json={"note": [{"text": "paid"}]}).status_code == 200
    assert send("DELETE", f"{ORDERS}/{order['id']}").status_code == 204
    assert send("GET", f"{ORDERS}/{order['id']}").status_code == 404


def test_an_order_with_a_future_start_waits_and_starts_on_time(platform: Stepping, send: Any, clock: Clock) -> None:
    order = placed(send, requestedStartDate=(clock.now + 3 * DAY).isoformat())
    platform.drain()
    clock.now += 2 * DAY
    platform.drain()
    assert read(send, ORDERS, order)["state"] == "acknowledged"

    clock.now += DAY
    platform.drain()

    assert read(send, ORDERS, order)["state"] == "completed"


@pytest.mark.parametrize("days", [-1, 1, 6])
def test_a_start_that_is_put_off_or_brought_forward(platform: Stepping, send: Any, clock: Clock, days: int) -> None:
    order = placed(send, requestedStartDate=(clock.now + 3 * DAY).isoformat())
    wanted = clock.now + days * DAY
    patched = send("PATCH", f"{ORDERS}/{order['id']}", json={"requestedStartDate": wanted.isoformat()})
    assert patched.status_code == 200, patched.text
    for _ in range(8):
        platform.drain()
        assert (read(send, ORDERS, order)["state"] == "completed") == (clock.now >= wanted)
        clock.now += DAY
    again = send("PATCH", f"{ORDERS}/{order['id']}", json={"requestedStartDate": wanted.isoformat() + ""})
    assert again.status_code == 200
    assert len(send("GET", SERVICE_ORDERS).json()) == 1


def test_an_order_that_waits_for_its_start_is_cancelled_at_once(platform: Stepping, send: Any, clock: Clock) -> None:
    before = platform.footprint()
    order = placed(send, requestedStartDate=(clock.now + 3 * DAY).isoformat())
    task = send("POST", CANCELS, json={"productOrder": {"id": order["id"]}})
    assert (task.status_code, task.json()["state"]) == (201, "acknowledged")
    platform.drain()
    assert read(send, ORDERS, order)["state"] == "cancelled"
    assert read(send, CANCELS, task.json())["state"] == "done"
    clock.now += 4 * DAY
    platform.drain()
    assert read(send, ORDERS, order)["state"] == "cancelled"
    assert platform.footprint() == before


def test_duplicate_cancels_answer_alike_and_do_nothing_twice(platform: Stepping, send: Any) -> None:
    order = placed(send)
    body = {"productOrder": {"id": order["id"]}, "cancellationReason": "moved"}
    first = send("POST", CANCELS, json=body)
    second = send("POST", CANCELS, json=body)
    assert (second.status_code, second.json()) == (201, first.json())
    platform.drain()
    third = send("POST", CANCELS, json=body)
    assert (third.json()["id"], third.json()["state"]) == (first.json()["id"], "done")
    assert len(send("GET", CANCELS).json()) == 1
    assert read(send, ORDERS, order)["cancellationReason"] == "moved"


def test_what_cannot_be_cancelled_says_why(platform: Stepping, send: Any) -> None:
    order = placed(send)
    platform.drain()
    assert send("POST", CANCELS, json={"productOrder": {"id": order["id"]}}).status_code == 409
    assert send("POST", CANCELS, json={"productOrder": {"id": "nobody"}}).status_code == 400
    assert send("POST", CANCELS, json={}).status_code == 400
    (service_order,) = send("GET", SERVICE_ORDERS).json()
    sent = {"serviceOrder": {"id": service_order["id"]}}
    refused = send("POST", "/tmf-api/serviceOrdering/v4/cancelServiceOrder", json=sent)
    assert (refused.status_code, order["id"] in refused.json()["message"]) == (409, True)


def test_the_most_urgent_order_goes_first(platform: Stepping, send: Any) -> None:
    first = placed(send)
    second = placed(send, **{**bodies.add(serial_number="LMLE0000B016", place_id="ADDR-1016"), "priority": "0"})
    platform.go(1)
    assert read(send, ORDERS, second)["state"] == "inProgress"
    assert read(send, ORDERS, first)["state"] == "acknowledged"
    platform.drain()
    assert read(send, ORDERS, first)["state"] == "completed"


def test_an_order_that_is_late_is_told_once(platform: Stepping, send: Any, clock: Clock) -> None:
    date = (clock.now + DAY).isoformat()
    placed(send, requestedCompletionDate=date)
    platform.go(2)
    assert platform.steps == ["product.start", "service.start"]
    clock.now += 2 * DAY
    platform.drain()
    with platform.system.database.read() as connection:
        told = connection.execute(
            select(events.c.document).where(events.c.event_type == "ServiceOrderJeopardyEvent")
        ).scalars()
        alerts = [json.loads(each)["jeopardyAlert"] for each in told]
    assert [alert[0]["message"] for alert in alerts] == [f"not completed by {date}"]
