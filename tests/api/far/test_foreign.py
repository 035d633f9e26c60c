"""COM over a service order system that is not lastmile."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.client import PRODUCT_ORDERS, Client
from api.demo import bodies
from api.errors import StartRefused
from api.far.side import side_of
from api.http.app import create_app
from api.http.layer_calls import AUTHOR, CORRELATION
from api.http.server import bind, serving
from api.settings import Settings
from api.wiring import running_system
from tests.api.far.stand_in import BASE, StandIn, stand_in

pytestmark = [pytest.mark.lab, pytest.mark.db]

CANCELS = "/tmf-api/productOrderingManagement/v4/cancelProductOrder"
PATIENCE_S = 15.0


def until(read: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := read()):
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.01)
    return found


@dataclass(slots=True)
class Com:
    client: Client
    below: StandIn

    def placed(self) -> str:
        return self.client.place(bodies.add())

    def known(self, order_id: str) -> dict[str, Any]:
        """Return the order as the stand-in has it, once it is there."""
        found: dict[str, Any] = until(lambda: self.below.by_name(order_id))[0]
        return found

    def becomes(self, order_id: str, state: str) -> dict[str, Any]:
        path = f"{PRODUCT_ORDERS}/{order_id}"
        order: dict[str, Any] = until(lambda: self._in(path, state))
        return order

    def _in(self, path: str, state: str) -> dict[str, Any] | None:
        order: dict[str, Any] = self.client.get(path)
        return order if order["state"] == state else None


@pytest.fixture
def below() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def com_over(below: StandIn, folder: Path, **more: object) -> Iterator[Com]:
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    given = {"port": port, "data": folder, "lab": "none", "auth": False, "layer": "com", **more}
    settings = Settings.read({}, upstream=f"som={below.url}", **given)
    with running_system(settings) as system, serving(create_app(system), listening) as url:
        client = Client.open(url, None)
        yield Com(client, below)
        client.close()


@pytest.fixture
def com(below: StandIn, tmp_path: Path) -> Iterator[Com]:
    for running in com_over(below, tmp_path):
        until(lambda: below.callbacks)
        yield running


def test_an_order_is_sent_and_followed(com: Com) -> None:
    order = com.placed()
    sent = com.known(order)
    (headers,) = com.below.headers
    assert (headers[CORRELATION], headers[AUTHOR], headers["Idempotency-Key"]) == (order, "anonymous", order)
    assert com.below.move(order, "inProgress", "2026-01-01T10:00:00Z") == 204
    assert com.below.move(order, "held", "2026-01-01T10:00:01Z", note=[{"text": "somebody must look"}]) == 204
    assert com.becomes(order, "held")["note"][-1]["text"] == "somebody must look"
    assert com.below.move(order, "completed", "2026-01-01T10:00:02Z") == 204
    com.becomes(order, "completed")
    product = com.client.get("/tmf-api/productInventory/v4/product")[0]
    assert product["realizingService"][0]["id"] == "svc-1"
    assert com.below.tell({**sent, "state": "inProgress"}, "2026-01-01T10:00:01Z") == 204


def test_the_token_goes_along(below: StandIn, tmp_path: Path) -> None:
    for com in com_over(below, tmp_path, upstream_tokens="som=lm_x"):
        com.known(com.placed())
        assert below.headers[0]["Authorization"] == "Bearer lm_x"


def test_late_and_repeated_events_change_nothing(com: Com) -> None:
    order = com.placed()
    com.known(order)
    for at, state in ((3, "held"), (1, "acknowledged"), (2, "inProgress"), (3, "held")):
        com.below.move(order, state, f"2026-01-01T10:00:0{at}Z")
    com.becomes(order, "held")
    com.below.move(order, "cancelled", "2026-01-01T10:00:09Z")
    com.becomes(order, "cancelled")
    assert com.client.get("/lastmile/v1/parkedJob") == []


def test_a_lost_answer_is_looked_up_and_not_sent_twice(com: Com) -> None:
    com.below.answers[:] = [503, "lost"]
    order = com.placed()
    com.known(order)
    com.below.move(order, "completed", "2026-01-01T10:00:00Z")
    com.becomes(order, "completed")
    until(lambda: com.client.get("/health")["jobs"]["pending"] <= 1)
    assert len(com.below.by_name(order)) == 1
    assert com.below.posts == 2


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refusal_fails_the_order_with_its_reason(com: Com, status: int) -> None:
    com.below.answers[:] = [status]
    failed = com.becomes(com.placed(), "failed")
    assert "som: the stand-in does not want it" in failed["note"][-1]["text"]


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_what_can_be_mended_is_waited_for(com: Com, status: int) -> None:
    com.below.answers[:] = [status]
    com.known(com.placed())
    assert com.below.posts == 2


def test_a_cancellation_goes_down_and_its_refusal_comes_up(com: Com) -> None:
    order = com.placed()
    sent = com.known(order)
    com.below.move(order, "inProgress", "2026-01-01T10:00:00Z")
    com.becomes(order, "inProgress")
    task = com.client.post(CANCELS, {"productOrder": {"id": order}, "cancellationReason": "moved"})
    (asked,) = until(lambda: com.below.cancels)
    assert (asked["serviceOrder"]["id"], asked["cancellationReason"]) == (sent["id"], "moved")
    told = {"id": "c-1", "state": "terminatedWithError", "errorMessage": {"reason": "too late"}}
    event = {"eventTime": "2026-01-01T10:00:01Z", "event": {"cancelServiceOrder": told}}
    url = f"{com.below.callbacks[-1]}/listener/cancelServiceOrderStateChangeEvent"
    assert httpx.post(url, json=event, trust_env=False).status_code == 204
    ended = until(lambda: (found := com.client.get(task["href"]))["state"] == "terminatedWithError" and found)
    assert ended["errorMessage"]["reason"] == "too late"
    com.becomes(order, "inProgress")


def test_what_the_other_system_does_not_know_of_is_told_on_the_order(com: Com) -> None:
    order = com.placed()
    com.known(order)
    com.below.move(order, "inProgress", "2026-01-01T10:00:00Z")
    com.becomes(order, "inProgress")
    wish = {"characteristic": [{"name": "ontSerialNumber", "value": "LMLE0000CAFE"}]}
    com.client.post(f"/lastmile/v1/productOrder/{order}/amend", wish)
    path = f"{PRODUCT_ORDERS}/{order}"
    until(
        lambda: [each for each in com.client.get(path)["note"] if each["text"] == "refused: amend: som: nothing here"]
    )
    com.below.move(order, "completed", "2026-01-01T10:00:02Z")
    com.becomes(order, "completed")
    product = com.client.get("/tmf-api/productInventory/v4/product")[0]
    values = {each["name"]: each["value"] for each in product["productCharacteristic"]}
    assert values["ontSerialNumber"] != "LMLE0000CAFE"


def test_a_report_that_cannot_be_used_fails_the_order(com: Com) -> None:
    order = com.placed()
    sent = com.known(order)
    items = [{**item, "state": "completed", "service": {"id": 17}} for item in sent["serviceOrderItem"]]
    com.below.tell({**sent, "state": "completed", "serviceOrderItem": items}, "2026-01-01T10:00:00Z")
    assert "has no id" in com.becomes(order, "failed")["note"][-1]["text"]


NONSENSE: dict[str, Any] = {
    "no event": {},
    "a list": {"event": []},
    "an unknown state": {"event": {"serviceOrder": {"id": "so-1", "state": "dancing"}}},
    "a state of the wrong type": {"event": {"serviceOrder": {"id": "so-1", "state": {"x": 1}}}},
    "items of the wrong type": {"event": {"serviceOrder": {"id": "so-1", "state": "held", "serviceOrderItem": "x"}}},
    "notes of the wrong type": {"event": {"serviceOrder": {"id": "so-1", "state": "inProgress", "note": [7, None]}}},
    "somebody else's order": {"event": {"serviceOrder": {"id": "so-99", "state": "failed"}}},
}


def test_nonsense_is_taken_and_does_no_harm(com: Com) -> None:
    order = com.placed()
    com.known(order)
    url = f"{com.below.callbacks[-1]}/listener/serviceOrderStateChangeEvent"
    for body in NONSENSE.values():
        assert httpx.post(url, json=body, trust_env=False).status_code == 204
    com.below.move(order, "completed", "2026-01-01T10:00:00Z")
    com.becomes(order, "completed")
    assert com.client.get("/lastmile/v1/parkedJob") == []


def test_nobody_forges_a_report_without_the_secret(com: Com) -> None:
    order = com.placed()
    sent = com.known(order)
    callback, _, secret = com.below.callbacks[-1].rpartition("/")
    for guess in ("x", secret[:-1], secret.lower() + "x", "ä"):
        body = {"event": {"serviceOrder": {**sent, "state": "completed"}}}
        url = f"{callback}/{guess}/listener/serviceOrderStateChangeEvent"
        assert httpx.post(url, json=body, trust_env=False).status_code == 404
    assert com.client.get(f"{PRODUCT_ORDERS}/{order}")["state"] == "inProgress"


@pytest.mark.parametrize("hub_status", [201, 404])
def test_a_lost_event_is_caught_up(below: StandIn, tmp_path: Path, hub_status: int) -> None:
    below.hub_status = hub_status
    for com in com_over(below, tmp_path, upstream_patience_s=0.2):
        order = com.placed()
        found = com.known(order)
        found |= {"state": "completed"}
        found["serviceOrderItem"][0]["service"]["id"] = "svc-1"
        com.becomes(order, "completed")


def test_what_happened_while_it_was_down_is_read_at_the_start(below: StandIn, tmp_path: Path) -> None:
    order, found = "", {}
    for com in com_over(below, tmp_path):
        order = com.placed()
        found = com.known(order)
    found |= {"state": "failed", "errorMessage": [{"reason": "no fibre there"}]}
    for com in com_over(below, tmp_path):
        assert "no fibre there" in com.becomes(order, "failed")["note"][-1]["text"]


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "nobody below": ({"layer": "com"}, "layer com sends orders to som: say where"),
    "one of two below": ({"layer": "som", "upstream": "rom=http://h"}, "sends orders to activation"),
    "somebody useless": ({"layer": "rom", "upstream": "som=http://h"}, "sends nothing to som"),
    "somebody who is here": ({"upstream": "som=http://h"}, "sends nothing to som"),
    "a token for nobody": (
        {"layer": "com", "upstream": "som=http://h", "upstream_tokens": "rom=lm_x"},
        "a token for rom; legal: som",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_start_that_makes_no_sense_says_why(case: str) -> None:
    given, said = REFUSED[case]
    with pytest.raises(StartRefused, match=said):
        side_of(Settings.read({}, **given))


@pytest.mark.parametrize(
    "upstream", ["som", "som=", "som=ftp://h", "mom=http://h", "som=http://u:p@h", "som=http://h?x"]
)
def test_an_address_that_is_none_is_refused(upstream: str) -> None:
    with pytest.raises(ValueError, match=r"legal|Input should be"):
        Settings.read({}, layer="com", upstream=upstream)


def test_tokens_of_layers_are_not_shown() -> None:
    settings = Settings.read({}, layer="com", upstream="som=http://h", upstream_tokens="som=lm_secret")
    side = side_of(settings)
    side.close()
    assert "lm_secret" not in repr(settings) + repr(side)


def test_the_stand_in_serves_what_the_page_demands(below: StandIn) -> None:
    assert httpx.get(f"{below.url}{BASE}/serviceOrder?externalId=x", trust_env=False).json() == []
