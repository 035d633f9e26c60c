"""One broadband order over HTTP against the embedded lab: add, upgrade, cease, and all that can go wrong."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from api.client import PRODUCT_ORDERS
from api.demo import bodies, pictures
from api.wiring import catalog_folders
from inventory.documents import characteristics
from orders.catalog.load import load_catalog
from orders.catalog.wire import BASES, catalog_documents
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

PATIENCE_S = 20.0
SERVICES = "/tmf-api/serviceInventory/v4/service"
EVENTS = "/tmf-api/event/v4/topic"
RESOURCES = "/tmf-api/resourceInventoryManagement/v4/resource?resourceStatus=reserved"
PRODUCTS = "/tmf-api/productInventory/v4/product"


def _ordered(platform: Platform, body: Mapping[str, Any], state: str = "completed") -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == state, pictures.reasons(tree)
    return tree


def _product_id(tree: Mapping[str, Any]) -> str:
    return str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])


def _taken(platform: Platform) -> int:
    return sum(pool["taken"] for pool in platform.client.get("/lastmile/v1/pool"))


def _changed(tree: Mapping[str, Any]) -> list[str]:
    return sorted(device["device"] for device in pictures.plan_devices(tree) if device["diff"])


def test_add_upgrade_cease_leaves_no_trace(platform: Platform) -> None:
    before = platform.configurations()

    added = _ordered(platform, bodies.add())
    found: dict[str, Any] = {}
    for order in added["resourceOrder"]:
        found |= characteristics(order["orderItem"][0]["resource"], "resourceCharacteristic")
    assert (found["vlanId"], found["address"], found["prefixLength"]) == (1042, "10.42.1.15", 24)
    assert (found["olt"], found["ponPort"], found["onuId"]) == ("olt1", "pon1", 1)
    assert _changed(added) == ["olt1", "r1", "sw1"]
    assert len(added["resourceOrder"]) == 3
    active = [service["state"] for service in platform.client.get(SERVICES)]
    assert active == ["active"] * 4
    held = platform.client.get(RESOURCES)
    assert len(held) == 3

    upgraded = _ordered(platform, bodies.upgrade(_product_id(added)))
    assert _changed(upgraded) == ["olt1", "sw1"]
    assert upgraded["resourceOrder"] == []
    assert platform.client.get(RESOURCES) == held
    speeds = characteristics(platform.client.get(PRODUCTS)[0], "productCharacteristic")
    assert (speeds["downstreamMbps"], speeds["upstreamMbps"]) == (500, 250)

    _ordered(platform, bodies.cease(_product_id(added)))
    assert platform.configurations() == before
    assert _taken(platform) == 0
    assert platform.client.get(RESOURCES) == []
    assert platform.client.get(PRODUCTS)[0]["status"] == "terminated"
    assert {service["state"] for service in platform.client.get(SERVICES)} == {"terminated"}


def test_two_customers_share_what_can_be_shared_and_keep_what_is_theirs(platform: Platform) -> None:
    before = platform.configurations()
    first = _ordered(platform, bodies.add(serial_number="LMLE0000B015"))
    with_first = platform.configurations()
    second = _ordered(platform, bodies.add(serial_number="LMLE0000B016", place_id="ADDR-1016"))
    _ordered(platform, bodies.cease(_product_id(second)))
    assert platform.configurations() == with_first
    _ordered(platform, bodies.cease(_product_id(first)))
    assert platform.configurations() == before


def test_every_layer_tells_its_own_events_in_one_chain(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(serial_number="LMLE0000C015"))
    domains = {event["domain"] for event in tree["event"]}
    assert domains == {"product", "service", "resource", "activation", "inventory"}
    assert {event["correlationId"] for event in tree["event"]} == {tree["productOrder"]["id"]}
    moves = [move["to"] for move in tree["history"] if (move["id"], move["item"]) == (tree["id"], "")]
    assert moves == ["acknowledged", "inProgress", "completed"]
    _ordered(platform, bodies.cease(_product_id(tree)))


def _item(**changes: Any) -> dict[str, Any]:
    item = bodies.add()["productOrderItem"][0] | changes
    return {"productOrderItem": [{name: value for name, value in item.items() if value is not None}]}


def _with_serial(value: Any) -> dict[str, Any]:
    entry = {"name": "ontSerialNumber", "value": value}
    return _item(product={"place": [bodies.PLACE], "productCharacteristic": [entry]})


BAD_ORDERS = {
    "unknown offering": (_item(productOffering={"id": "fibre-9000"}), "fibre-100"),
    "no offering": (_item(productOffering=None), "productOffering"),
    "missing characteristic": (_item(product={"place": [bodies.PLACE]}), "ontSerialNumber"),
    "ill-typed characteristic": (_with_serial(17), "ontSerialNumber"),
    "characteristic of the wrong form": (_with_serial("not-a-serial"), "ontSerialNumber"),
    "unknown characteristic": (
        _item(product={"place": [bodies.PLACE], "productCharacteristic": [{"name": "colour", "value": "red"}]}),
        "colour",
    ),
    "unknown action": (_item(action="explode"), "action"),
    "no items": ({"productOrderItem": []}, "productOrderItem"),
    "items of the wrong type": ({"productOrderItem": "x"}, "productOrderItem"),
    "item of the wrong type": ({"productOrderItem": [17]}, "productOrderItem"),
    "no body": ({}, "productOrderItem"),
    "modify of nothing": (_item(action="modify", product={"id": "nobody"}), "nobody"),
    "delete without a product": (_item(action="delete", product=None), "product"),
}


@pytest.mark.parametrize(("body", "said"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_a_bad_order_is_a_tmf_error_and_nothing_is_stored(platform: Platform, body: dict[str, Any], said: str) -> None:
    before = platform.client.http.get(PRODUCT_ORDERS).headers["X-Total-Count"]
    answer = platform.client.http.post(PRODUCT_ORDERS, json=body)
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["code"] == "badRequest"
    assert problem["status"] == "400"
    assert said in problem["message"]
    assert platform.client.http.get(PRODUCT_ORDERS).headers["X-Total-Count"] == before


BAD_REQUESTS = {
    "broken JSON": ("POST", PRODUCT_ORDERS, b'{"a":', 400, "not JSON"),
    "unknown id": ("GET", f"{PRODUCT_ORDERS}/nobody", None, 404, "nobody"),
    "unknown path": ("GET", "/tmf-api/nothing", None, 404, "/tmf-api/nothing"),
    "wrong method": ("PUT", PRODUCT_ORDERS, None, 405, "legal: "),
    "bad limit": ("GET", f"{PRODUCT_ORDERS}?limit=-1", None, 400, "limit"),
    "absurd limit": ("GET", f"{PRODUCT_ORDERS}?limit=000000000001{'0' * 5000}", None, 400, "limit"),
    "absurd offset": ("GET", f"{PRODUCT_ORDERS}?offset=000000000001{'0' * 30}", None, 400, "offset"),
    "absurd event offset": ("GET", f"{EVENTS}/product/event?offset={'9' * 20}", None, 400, "offset"),
    "event limit of the wrong type": ("GET", f"{EVENTS}/product/event?limit=a", None, 400, "limit"),
    "unknown topic": ("GET", f"{EVENTS}/weather/event", None, 404, "product"),
    "bad filter": ("GET", f"{PRODUCT_ORDERS}?colour=red", None, 400, "cannot filter by colour"),
    "too large": ("POST", PRODUCT_ORDERS, b'{"a": "' + b"x" * 1_100_000 + b'"}', 413, "larger than"),
}


@pytest.mark.parametrize(("method", "path", "raw", "status", "said"), BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_bad_request_is_a_tmf_error(
    platform: Platform, method: str, path: str, raw: bytes | None, status: int, said: str
) -> None:
    answer = platform.client.http.request(method, path, content=raw)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == str(status)
    assert said in answer.json()["message"]


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic YWRtaW46YWRtaW4="])
def test_no_token_no_answer(platform: Platform, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = httpx.get(platform.url + PRODUCT_ORDERS, headers=headers, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert httpx.get(platform.url + "/health", trust_env=False).json()["status"] == "pass"


def test_location_is_href_and_lists_count(platform: Platform) -> None:
    answer = platform.client.http.post(PRODUCT_ORDERS + "/", json=bodies.add(serial_number="LMLE0000D015"))
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.json()["href"]
    tree = platform.client.follow(answer.json()["id"], timeout_s=PATIENCE_S)
    _ordered(platform, bodies.cease(_product_id(tree)))
    page = platform.client.http.get(PRODUCT_ORDERS, params={"limit": "1", "fields": "state"})
    assert page.headers["X-Result-Count"] == "1"
    assert int(page.headers["X-Total-Count"]) >= 2
    assert set(page.json()[0]) == {"id", "href", "state"}


def test_an_external_id_is_taken_once(platform: Platform) -> None:
    body = bodies.add(serial_number="LMLE0000E015") | {"externalId": "CRM-1"}
    first, second = platform.client.place(body), platform.client.place(body)
    assert first == second
    tree = platform.client.follow(first, timeout_s=PATIENCE_S)
    _ordered(platform, bodies.cease(_product_id(tree)))


def test_one_ont_is_sold_once(platform: Platform) -> None:
    first = _ordered(platform, bodies.add(serial_number="LMLE0000F015"))
    configured, taken = platform.configurations(), _taken(platform)
    second = _ordered(platform, bodies.add(serial_number="LMLE0000F015", place_id="ADDR-1016"), "failed")
    (reason, *_) = pictures.reasons(second)
    assert "ontSerialNumber 'LMLE0000F015'" in reason
    assert first["serviceOrder"][0]["serviceOrderItem"][0]["service"]["id"] in reason
    assert (platform.configurations(), _taken(platform)) == (configured, taken)
    _ordered(platform, bodies.cease(_product_id(first)))
    again = _ordered(platform, bodies.add(serial_number="LMLE0000F015", place_id="ADDR-1016"))
    _ordered(platform, bodies.cease(_product_id(again)))


def test_a_place_nobody_serves_fails_the_order_and_takes_nothing(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(place_id="ADDR-0000"), "failed")
    assert any("ADDR-0000" in reason for reason in pictures.reasons(tree))
    assert _taken(platform) == 0


@pytest.mark.parametrize("kind", BASES)
def test_the_catalog_is_served(platform: Platform, kind: str) -> None:
    path, files = BASES[kind], load_catalog(*catalog_folders(platform.system.settings))
    ids = {document["id"] for document in catalog_documents(files)[kind]}
    listed = platform.client.get(path)
    assert {document["id"] for document in listed} == ids
    assert all(platform.client.get(document["href"]) == document for document in listed)
    refused = 405 if path.endswith(("/catalog", "/category")) else 400
    assert platform.client.http.post(path, json={"name": 7}).status_code == refused


def test_each_layer_takes_orders_from_outside(platform: Platform) -> None:
    """TMF652 without TMF641, and TMF641 without TMF622."""
    place = [{"id": "ADDR-1017", "role": "installationAddress"}]
    item = {
        "id": "1",
        "action": "add",
        "resource": {"place": place[0], "resourceSpecification": {"id": "vlan"}},
        "resourceSpecification": {"id": "vlan"},
    }
    order = platform.client.post("/tmf-api/resourceOrderingManagement/v4/resourceOrder", {"orderItem": [item]})
    done = _until_final(platform, order["href"])
    assert done["state"] == "completed", done
    held = done["orderItem"][0]["resource"]["id"]
    item = {"id": "1", "action": "delete", "resource": {"id": held}, "resourceSpecification": {"id": "vlan"}}
    order = platform.client.post("/tmf-api/resourceOrderingManagement/v4/resourceOrder", {"orderItem": [item]})
    assert _until_final(platform, order["href"])["state"] == "completed"

    service = {
        "place": place,
        "serviceSpecification": {"id": "internet-access"},
        "serviceCharacteristic": [
            {"name": "downstreamMbps", "value": 100},
            {"name": "upstreamMbps", "value": 50},
            {"name": "ontSerialNumber", "value": "LMLE0000F017"},
        ],
    }
    body = {"serviceOrderItem": [{"id": "1", "action": "add", "service": service}]}
    added = _until_final(platform, platform.client.post("/tmf-api/serviceOrdering/v4/serviceOrder", body)["href"])
    assert added["state"] == "completed", added
    ended = {"id": added["serviceOrderItem"][0]["service"]["id"]}
    body = {"serviceOrderItem": [{"id": "1", "action": "delete", "service": ended}]}
    gone = _until_final(platform, platform.client.post("/tmf-api/serviceOrdering/v4/serviceOrder", body)["href"])
    assert gone["state"] == "completed", gone
    assert _taken(platform) == 0


def test_tmf640_does_not_touch_what_an_order_made(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(serial_number="LMLE0000AA15"))
    configured = platform.configurations()
    service_id = tree["serviceOrder"][0]["serviceOrderItem"][0]["service"]["id"]
    path = f"/tmf-api/ServiceActivationAndConfiguration/v4/service/{service_id}"
    for answer in (platform.client.http.delete(path), platform.client.http.patch(path, json={"state": "inactive"})):
        assert answer.status_code == 409
        assert tree["serviceOrder"][0]["id"] in answer.json()["message"]
    assert platform.configurations() == configured
    _ordered(platform, bodies.cease(_product_id(tree)))


def _until_final(platform: Platform, href: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        document: dict[str, Any] = platform.client.get(href)
        if document["state"] not in {"acknowledged", "inProgress", "InProgress"}:
            return document
        time.sleep(0.02)
    pytest.fail(f"{href} is still {document['state']}")


def test_events_are_readable_by_topic(platform: Platform) -> None:
    topics = [topic["id"] for topic in platform.client.get("/tmf-api/event/v4/topic")]
    assert topics == ["product", "service", "resource", "activation", "inventory", "catalog"]
    event = platform.client.get("/tmf-api/event/v4/topic/product/event?limit=1")[0]
    assert event["eventType"] == "ProductOrderCreateEvent"
    assert event["event"]["productOrder"]["id"] == event["correlationId"]


def test_a_device_shows_its_running_configuration(platform: Platform) -> None:
    for name in ("olt1", "sw1", "r1"):
        text = platform.client.http.get(f"/lastmile/v1/device/{name}/configuration").text
        assert len(text.splitlines()) > 10
    unknown = platform.client.http.get("/lastmile/v1/device/nobody/configuration")
    assert unknown.status_code == 404
    assert "olt1" in unknown.json()["message"]


def test_what_a_live_service_stands_on_cannot_be_taken_from_under_it(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(serial_number="LMLE0000A117", place_id="ADDR-1017"))
    held = [order["orderItem"][0]["resource"] for order in tree["resourceOrder"]]
    taken = _taken(platform)
    orders = "/tmf-api/resourceOrderingManagement/v4/resourceOrder"
    for resource in held:
        item = {"id": "1", "action": "delete", "resource": {"id": resource["id"]}}
        refused = platform.client.http.post(orders, json={"orderItem": [item]})
        assert (refused.status_code, "is used by the active service" in refused.json()["message"]) == (409, True)
    for nobody in ("olt1", "no-such-resource"):
        item = {"id": "1", "action": "delete", "resource": {"id": nobody}}
        refused = platform.client.http.post(orders, json={"orderItem": [item]})
        assert (refused.status_code, nobody in refused.json()["message"]) == (400, True)
    service = tree["serviceOrder"][0]["serviceOrderItem"][0]["service"]["id"]
    body = {"serviceOrderItem": [{"id": "1", "action": "delete", "service": {"id": service}}]}
    refused = platform.client.http.post("/tmf-api/serviceOrdering/v4/serviceOrder", json=body)
    assert (refused.status_code, tree["id"] in refused.json()["message"]) == (409, True)
    assert _taken(platform) == taken
    _ordered(platform, bodies.cease(_product_id(tree)))


def test_a_plan_can_be_read_with_the_lines_that_undo_it(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(serial_number="LMLE0000A118", place_id="ADDR-1017"))
    plan = platform.client.get(f"/lastmile/v1/plan/{tree['monitor'][0]['plan']['planId']}")
    assert sorted(edit["device"] for edit in plan) == ["olt1", "r1", "sw1"]
    assert all(edit["edit"] and edit["inverse"] for edit in plan)
    assert platform.client.http.get("/lastmile/v1/plan/nobody").status_code == 404
    _ordered(platform, bodies.cease(_product_id(tree)))


def test_a_stored_resource_has_a_tag_that_says_whether_it_changed(platform: Platform) -> None:
    order_id = platform.client.http.get(PRODUCT_ORDERS, params={"limit": "1"}).json()[0]["id"]
    first = platform.client.http.get(f"{PRODUCT_ORDERS}/{order_id}")
    again = platform.client.http.get(f"{PRODUCT_ORDERS}/{order_id}", headers={"If-None-Match": first.headers["ETag"]})
    other = platform.client.http.get(f"{PRODUCT_ORDERS}/{order_id}", headers={"If-None-Match": '"another"'})
    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, other.json()) == (200, first.json())


def test_orders_are_found_by_what_stands_deep_in_them(platform: Platform) -> None:
    tree = _ordered(platform, bodies.add(serial_number="LMLE0000D016"))
    query = {"productOrderItem.product.productCharacteristic.value": "LMLE0000D016", "sort": "-orderDate"}
    page = platform.client.http.get(PRODUCT_ORDERS, params=query | {"fields": "productOrderItem.action"})
    assert page.headers["X-Total-Count"] == "1"
    assert page.json()[0]["productOrderItem"] == [{"action": "add"}]
    _ordered(platform, bodies.cease(_product_id(tree)))
