"""The hub of a whole platform over HTTP: real orders, real subscribers, the real worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.demo import bodies
from api.hub.topics import TOPICS
from tests.api.conftest import Platform, Start
from tests.api.hub.subscriber import Received, Subscriber, subscribed_system, until

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 30.0
SETTINGS = {"hub_allow": "127.0.0.0/8", "hub_first_pause_s": 0.001, "hub_attempts": 3}
PRODUCT_ORDERS = "/tmf-api/productOrderingManagement/v4/hub"
EVENTS = "/tmf-api/event/v4/hub"
OFFICIAL = {
    "/tmf-api/productOrderingManagement/v4": "TMF622-v4.0.0.json",
    "/tmf-api/serviceOrdering/v4": "TMF641-v4.1.0.json",
    "/tmf-api/resourceOrderingManagement/v4": "TMF652-v4.0.0.json",
    "/tmf-api/ServiceActivationAndConfiguration/v4": "TMF640-v4.0.0.json",
    "/tmf-api/productInventory/v4": "TMF637-v4.0.0.json",
    "/tmf-api/serviceInventory/v4": "TMF638-v4.0.0.json",
    "/tmf-api/resourceInventoryManagement/v4": "TMF639-v4.0.0.json",
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, start: Start) -> Iterator[Platform]:
    with start(tmp_path_factory.mktemp("hub"), **SETTINGS) as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Subscriber]:
    with subscribed_system() as running:
        yield running


def _subscribe(platform: Platform, path: str, callback: str, query: str = "") -> str:
    answer = platform.client.http.post(path, json={"callback": callback, "query": query})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"])


def _order(platform: Platform, serial_number: str = "LMLE0000A015", place_id: str = "ADDR-1015") -> str:
    order_id = platform.client.place(bodies.add(serial_number=serial_number, place_id=place_id))
    platform.client.follow(order_id, timeout_s=PATIENCE_S)
    return order_id


def _leave(platform: Platform, *locations: str) -> None:
    for location in locations:
        assert platform.client.http.delete(location).status_code == 204


def _states(received: list[Received], kind: str) -> list[str]:
    return [each.body["event"][kind]["state"] for each in received if kind in each.body["event"]]


@pytest.mark.parametrize("base", TOPICS)
def test_a_subscription_comes_and_goes_at_every_api(hub: Platform, base: str) -> None:
    http, path = hub.client.http, f"{base}/hub"
    made = http.post(f"{path}/", json={"callback": "http://127.0.0.1:1/x", "query": "domain=nobody"})
    assert made.status_code == 201
    body = made.json()
    assert body == {"id": body["id"], "callback": "http://127.0.0.1:1/x", "query": "domain=nobody"}
    assert made.headers["Location"] == f"{path}/{body['id']}"
    again = http.post(path, json={"callback": "http://127.0.0.1:1/x", "query": "domain=nobody"})
    assert (again.status_code, body["id"] in again.json()["message"]) == (409, True)
    assert http.get(path).json() == [body]
    assert http.get(path).headers["X-Total-Count"] == "1"
    assert http.get(made.headers["Location"]).json() == body
    gone = http.delete(made.headers["Location"])
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "DELETE"):
        missing = http.request(method, made.headers["Location"])
        assert (missing.status_code, missing.json()["code"]) == (404, "notFound")


def test_one_api_does_not_remove_the_subscription_of_another(hub: Platform) -> None:
    location = _subscribe(hub, PRODUCT_ORDERS, "http://127.0.0.1:1/y")
    other = location.replace("productOrderingManagement", "serviceOrdering")
    assert hub.client.http.delete(other).status_code == 404
    assert hub.client.http.get(location).status_code == 200
    _leave(hub, location)


REFUSED = {
    "no callback": ({}, "callback"),
    "private address": ({"callback": "http://10.0.0.1/"}, "LASTMILE_HUB_ALLOW"),
    "metadata": ({"callback": "http://169.254.169.254/"}, "LASTMILE_HUB_ALLOW"),
    "user in the URL": ({"callback": "http://a:b@127.0.0.1/"}, "legal: http"),
    "unknown attribute": ({"callback": "http://127.0.0.1/", "query": "colour=red"}, "externalId"),
    "unknown event": ({"callback": "http://127.0.0.1/", "query": "eventType=X"}, "ProductOrderStateChangeEvent"),
}


@pytest.mark.parametrize(("body", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_subscribed_is_a_tmf_error(hub: Platform, body: dict[str, str], said: str) -> None:
    answer = hub.client.http.post(PRODUCT_ORDERS, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "badRequest"
    assert said in answer.json()["message"]


def test_no_token_no_subscription(hub: Platform) -> None:
    answer = hub.client.http.post(PRODUCT_ORDERS, json={"callback": "http://127.0.0.1/"}, headers={"Authorization": ""})
    assert answer.status_code == 401


def test_a_customer_hears_every_state_of_the_order_in_order(hub: Platform, shop: Subscriber) -> None:
    location = _subscribe(hub, PRODUCT_ORDERS, shop.url)
    order_id = _order(hub, "LMLE0000B015")
    until(lambda: "completed" in _states(shop.accepted, "productOrder"))
    assert {each.body["correlationId"] for each in shop.accepted} == {order_id}
    kinds = [each.path.removeprefix("/listener/productOrder") for each in shop.accepted]
    assert kinds[0] == "CreateEvent"
    assert set(kinds[1:]) <= {"StateChangeEvent", "AttributeValueChangeEvent"}
    assert list(dict.fromkeys(_states(shop.accepted, "productOrder"))) == ["acknowledged", "inProgress", "completed"]
    _leave(hub, location)


def test_every_event_of_every_api_is_what_tm_forum_says(hub: Platform, shop: Subscriber, shared: Path) -> None:
    locations = [_subscribe(hub, f"{base}/hub", f"{shop.url}/{file}") for base, file in OFFICIAL.items()]
    _order(hub, "LMLE0000C015")
    until(lambda: {file for each in shop.accepted if (file := each.path.split("/")[1])} == set(OFFICIAL.values()))
    until(lambda: "completed" in _states(shop.accepted, "productOrder"))
    for received in list(shop.accepted):
        file, _, listener = received.path.removeprefix("/").split("/")
        official: dict[str, Any] = json.loads((shared / "tmf" / file).read_text(encoding="utf-8"))
        assert f"/listener/{listener}" in official["paths"]
        name = received.body["eventType"]
        jsonschema.Draft4Validator(
            {"$ref": f"#/definitions/{name}", "definitions": official["definitions"]},
            format_checker=jsonschema.FormatChecker(),
        ).validate(received.body)
        assert set(received.body["event"]) == set(official["definitions"][f"{name}Payload"]["properties"])
    _leave(hub, *locations)


def test_every_event_of_tmf640_is_told_as_tm_forum_says(hub: Platform, shop: Subscriber, shared: Path) -> None:
    base = "/tmf-api/ServiceActivationAndConfiguration/v4"
    location = _subscribe(hub, f"{base}/hub", f"{shop.url}/{OFFICIAL[base]}")
    values = {"router": "r1", "routerInterface": "eth1", "vlanId": 3900, "address": "10.9.8.7", "gateway": "10.9.8.1"}
    listed = [{"name": name, "value": value} for name, value in values.items()]
    service = {"id": "told-1", "state": "inactive", "serviceSpecification": {"id": "ip-edge"}}
    one, http = f"{base}/service/told-1", hub.client.http
    assert http.post(f"{base}/service", json=service | {"serviceCharacteristic": listed}).status_code == 201
    for patch in ({"state": "active"}, {"name": "by name"}):
        assert http.patch(one, json=patch).status_code == 200
    assert [http.delete(one).status_code for _ in range(2)] == [204, 204]
    wanted = {"serviceCreateEvent", "serviceStateChangeEvent", "serviceAttributeValueChangeEvent", "serviceDeleteEvent"}
    wanted |= {"monitorCreateEvent", "monitorStateChangeEvent"}
    until(lambda: {each.path.rpartition("/")[2] for each in shop.accepted} == wanted)
    official: dict[str, Any] = json.loads((shared / "tmf" / OFFICIAL[base]).read_text(encoding="utf-8"))
    for received in list(shop.accepted):
        definition = {"$ref": f"#/definitions/{received.body['eventType']}", "definitions": official["definitions"]}
        jsonschema.Draft4Validator(definition).validate(received.body)
    told = [each for each in shop.accepted if "service" in each.body["event"]]
    assert list(dict.fromkeys(_states(told, "service"))) == ["designed", "inactive", "active", "terminated"]
    _leave(hub, location)


def test_the_event_types_on_offer_are_the_official_ones(shared: Path) -> None:
    for base, file in OFFICIAL.items():
        official = json.loads((shared / "tmf" / file).read_text(encoding="utf-8"))["paths"]
        offered = {name[0].lower() + name[1:] for name in TOPICS[base].types.values()}
        assert {f"/listener/{name}" for name in offered} <= set(official), base


def test_a_hanging_subscriber_slows_neither_orders_nor_others(hub: Platform, shop: Subscriber) -> None:
    with subscribed_system() as stuck:
        stuck.hold.set()
        locations = [_subscribe(hub, EVENTS, stuck.url), _subscribe(hub, EVENTS, shop.url)]
        order_id = _order(hub, "LMLE0000D015")
        until(lambda: "completed" in _states(shop.accepted, "productOrder"))
        assert stuck.accepted == []
        assert {each.body["correlationId"] for each in shop.accepted} == {order_id}
        _leave(hub, *locations)


def test_dead_letters_are_listed_and_replayed(hub: Platform, shop: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.answer, shop.text = (lambda _: 500), b"closed today"
    location = _subscribe(hub, PRODUCT_ORDERS, shop.url, "eventType=ProductOrderCreateEvent")
    order_id = _order(hub, "LMLE0000E015")
    until(lambda: hub.client.get("/lastmile/v1/deadLetter"))
    (letter,) = hub.client.get("/lastmile/v1/deadLetter")
    assert (letter["resourceId"], letter["attempts"], letter["reason"]) == (order_id, 3, "HTTP 500: closed today")
    assert (letter["eventType"], letter["callback"]) == ("ProductOrderCreateEvent", shop.url)

    monkeypatch.setenv("LASTMILE_URL", hub.url)
    monkeypatch.setenv("LASTMILE_TOKEN", hub.system.first_token or "")
    listed = CliRunner().invoke(app, ["hub", "dead"])
    assert listed.exit_code == 0, listed.output
    assert letter["id"] in listed.output
    assert shop.url in CliRunner().invoke(app, ["hub", "list"]).output

    shop.answer = lambda _: 201
    replayed = CliRunner().invoke(app, ["hub", "replay", letter["id"]])
    assert replayed.exit_code == 0, replayed.output
    shop.wait(accepted=1)
    assert shop.event_ids() == [letter["eventId"]]
    assert hub.client.get("/lastmile/v1/deadLetter") == []
    assert hub.client.http.post(f"/lastmile/v1/deadLetter/{letter['id']}/replay").status_code == 404
    _leave(hub, location)


def test_a_restart_loses_no_event(tmp_path: Path, start: Start, shop: Subscriber) -> None:
    shop.answer = lambda _: 500
    with start(tmp_path, **SETTINGS | {"hub_attempts": 1000}) as first:
        _subscribe(first, PRODUCT_ORDERS, shop.url)
        _order(first)
        shop.wait(tried=2)
    shop.answer = lambda _: 201
    with start(tmp_path, **SETTINGS):
        until(lambda: "completed" in _states(shop.accepted, "productOrder"))
    states = list(dict.fromkeys(_states(shop.accepted, "productOrder")))
    assert states == ["acknowledged", "inProgress", "completed"]
