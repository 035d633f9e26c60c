"""The catalog changed over TMF620, TMF633 and TMF634, on a whole platform."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from api.client import PRODUCT_ORDERS
from api.demo import bodies
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

OFFERINGS = "/tmf-api/productCatalogManagement/v4/productOffering"
PRODUCTS = "/tmf-api/productCatalogManagement/v4/productSpecification"
SERVICES = "/tmf-api/serviceCatalogManagement/v4/serviceSpecification"
RESOURCES = "/tmf-api/resourceCatalog/v4/resourceSpecification"
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def http(platform: Platform) -> httpx.Client:
    """Return the raw client of one platform; each test makes entries of its own."""
    return platform.client.http


def offering(key: str, **changes: Any) -> dict[str, Any]:
    """Return an offering in TM Forum's own words alone."""
    fixed = {"downstreamMbps": 200, "upstreamMbps": 100}
    return {
        "id": key,
        "name": key.capitalize(),
        "lifecycleStatus": "Active",
        "productSpecification": {"id": "broadband"},
        "prodSpecCharValueUse": [
            {"name": name, "productSpecCharacteristicValue": [{"value": value}]} for name, value in fixed.items()
        ],
        **changes,
    }


def made(http: httpx.Client, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    answer = http.post(path, json=dict(body))
    assert answer.status_code == HTTPStatus.CREATED, answer.text
    document: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == document["href"]
    return document


def refused(answer: httpx.Response, status: HTTPStatus, *said: str) -> None:
    assert answer.status_code == status, answer.text
    assert all(each in answer.json()["message"] for each in said), answer.json()["message"]


def order(offering_id: str, serial: str, place: str = "ADDR-1016") -> dict[str, Any]:
    return bodies.add(offering_id, serial, place)


def test_a_new_offering_is_sold_at_once_and_delivered(platform: Platform, http: httpx.Client) -> None:
    document = made(http, OFFERINGS, offering("posted-200", marketSegment=[{"id": "m1", "name": "homes"}]))
    assert document["marketSegment"] == [{"id": "m1", "name": "homes"}]
    assert document["lastmile"]["fixes"] == {"downstreamMbps": 200, "upstreamMbps": 100}
    assert http.get(f"{OFFERINGS}/posted-200").json() == document
    tree = platform.client.follow(platform.client.place(order("posted-200", "LMLE0000C001")), timeout_s=PATIENCE_S)
    assert tree["productOrder"]["state"] == "completed"
    refused(http.delete(f"{OFFERINGS}/posted-200"), HTTPStatus.CONFLICT, "in use", "product ")


def test_only_what_is_offered_can_be_ordered_and_the_life_cycle_is_kept(http: httpx.Client) -> None:
    made(http, OFFERINGS, offering("draft-200", lifecycleStatus="In design"))
    path = f"{OFFERINGS}/draft-200"
    refused(http.post(PRODUCT_ORDERS, json=order("draft-200", "LMLE0000C002")), HTTPStatus.BAD_REQUEST, "draft-200")
    refused(http.patch(path, json={"lifecycleStatus": "Active"}), HTTPStatus.CONFLICT, "inTest", "rejected")
    refused(http.patch(path, json={"lifecycleStatus": "Sold"}), HTTPStatus.BAD_REQUEST, "lifecycleStatus", "Retired")
    for status in ("In test", "Active", "Retired"):
        answer = http.patch(path, json={"lifecycleStatus": status})
        assert (answer.status_code, answer.json()["lifecycleStatus"]) == (HTTPStatus.OK, status)
        assert answer.json()["version"] == "1.0"
    refused(http.post(PRODUCT_ORDERS, json=order("draft-200", "LMLE0000C002")), HTTPStatus.BAD_REQUEST, "draft-200")
    assert http.delete(path).status_code == HTTPStatus.NO_CONTENT
    assert http.get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_change_of_what_was_offered_is_a_new_version(http: httpx.Client) -> None:
    made(http, OFFERINGS, offering("grown", description="first"))
    described = http.patch(f"{OFFERINGS}/grown", json={"description": "better"}).json()
    assert (described["version"], described["description"]) == ("1.0", "better")
    fixes = {"downstreamMbps": 300, "upstreamMbps": 100}
    second = http.patch(f"{OFFERINGS}/grown", json={"lastmile": {"fixes": fixes}}).json()
    assert (second["version"], second["lifecycleStatus"]) == ("1.1", "Active")
    assert second["prodSpecCharValueUse"][0]["productSpecCharacteristicValue"][0]["value"] == 300
    old = http.get(f"{OFFERINGS}/grown:(version=1.0)").json()
    assert old["lastmile"]["fixes"]["downstreamMbps"] == 200
    assert http.get(f"{OFFERINGS}/grown").json() == second
    named = http.patch(f"{OFFERINGS}/grown", json={"version": "2.0", "name": "Grown up"}).json()
    assert (named["version"], named["name"]) == ("2.0", "Grown up")
    refused(http.post(OFFERINGS, json=offering("grown", version="2.0")), HTTPStatus.CONFLICT, "1.0, 1.1, 2.0")


def test_json_patch_and_if_match(http: httpx.Client) -> None:
    made(http, OFFERINGS, offering("tagged"))
    path = f"{OFFERINGS}/tagged"
    tag = http.get(path).headers["ETag"]
    patch = [{"op": "replace", "path": "/description", "value": "now"}]
    headers = {"Content-Type": "application/json-patch+json", "If-Match": tag}
    answer = http.patch(path, json=patch, headers=headers)
    assert (answer.status_code, answer.json()["description"]) == (HTTPStatus.OK, "now")
    assert answer.headers["ETag"] == http.get(path).headers["ETag"] != tag
    assert http.patch(path, json=patch, headers=headers).status_code == HTTPStatus.PRECONDITION_FAILED
    assert http.delete(path, headers={"If-Match": tag}).status_code == HTTPStatus.PRECONDITION_FAILED


BAD: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "dangling": (
        OFFERINGS,
        offering("b1", productSpecification={"id": "fax"}),
        ("productSpecification", "'fax'", "broadband"),
    ),
    "illegal value": (
        OFFERINGS,
        offering("b2", lastmile={"fixes": {"downstreamMbps": 0}}),
        ("lastmile.fixes.downstreamMbps", ">= 1"),
    ),
    "no name": (OFFERINGS, {"id": "b3"}, ("name",)),
    "wrong type": (OFFERINGS, {"name": 7}, ("name",)),
    "unknown key": (OFFERINGS, offering("b4", lastmile={"fixed": {}}), ("lastmile.fixed", "is not known here")),
    "bad id": (OFFERINGS, offering("B 5"), ("id",)),
    "begins retired": (OFFERINGS, offering("b6", lifecycleStatus="Retired"), ("lifecycleStatus", "Active")),
    "bad range": (
        RESOURCES,
        {
            "name": "b7",
            "lastmile": {"allocation": "vlan", "pool": "subscriber-vlans"},
            "resourceSpecCharacteristic": [
                {
                    "name": "x",
                    "valueType": "integer",
                    "resourceSpecCharacteristicValue": [{"valueFrom": 9, "valueTo": 1}],
                }
            ],
        },
        ("resourceSpecCharacteristic[0].min", "above max"),
    ),
    "no allocation": (RESOURCES, {"name": "b8"}, ("lastmile.allocation", "is missing")),
    "no intent": (
        SERVICES,
        {"name": "b9", "@type": "ResourceFacingServiceSpecification", "lifecycleStatus": "Active"},
        ("no intent", "gpon-access"),
    ),
    "which way": (SERVICES, {"name": "b10"}, ("@type", "CustomerFacingServiceSpecification")),
    "made of itself": (
        SERVICES,
        {"id": "b11", "name": "b11", "lastmile": {"supportedBy": [{"specification": "b11"}]}},
        ("made of itself",),
    ),
    "bad expression": (
        PRODUCTS,
        {
            "id": "b12",
            "name": "b12",
            "lastmile": {
                "realizedBy": {"specification": "internet-access", "characteristics": {"upstreamMbps": "1 +"}}
            },
        },
        ("lastmile.realizedBy.characteristics.upstreamMbps", "does not compile"),
    ),
    "characteristics of a string": (
        PRODUCTS,
        {"name": "b13", "productSpecCharacteristic": "x"},
        ("productSpecCharacteristic",),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_lint_refuses_is_refused_with_its_path(http: httpx.Client, case: str) -> None:
    path, body, said = BAD[case]
    before = http.get(path).json()
    refused(http.post(path, json=body), HTTPStatus.BAD_REQUEST, *said)
    assert http.get(path).json() == before


def test_what_others_need_stays(http: httpx.Client) -> None:
    refused(http.delete(f"{PRODUCTS}/broadband"), HTTPStatus.CONFLICT, "productOffering fibre-100@1.0")
    refused(http.delete(f"{RESOURCES}/vlan"), HTTPStatus.CONFLICT, "serviceSpecification aggregation-transport@1.0")
    retire = http.patch(f"{PRODUCTS}/broadband", json={"lifecycleStatus": "Retired"})
    refused(retire, HTTPStatus.CONFLICT, "productOffering fibre-100@1.0", "Retired")
    refused(http.patch(f"{PRODUCTS}/broadband", json={"id": "other"}), HTTPStatus.BAD_REQUEST, "id")
    assert http.delete(f"{PRODUCTS}/nobody").status_code == HTTPStatus.NOT_FOUND


def test_every_document_can_be_sent_back_as_another_entry(http: httpx.Client) -> None:
    for path in (OFFERINGS, PRODUCTS, RESOURCES):
        for each in http.get(path).json():
            again = made(http, path, {**each, "id": f"{each['id']}-copy", "version": "7"})
            assert again.get("lastmile") == each.get("lastmile")
            assert http.delete(f"{path}/{again['id']}").status_code == HTTPStatus.NO_CONTENT


def test_a_product_keeps_the_version_it_was_sold_by(platform: Platform, http: httpx.Client) -> None:
    made(http, OFFERINGS, offering("kept-200"))
    tree = platform.client.follow(
        platform.client.place(order("kept-200", "LMLE0000C003", "ADDR-1017")), timeout_s=PATIENCE_S
    )
    assert tree["productOrder"]["state"] == "completed"
    http.patch(f"{OFFERINGS}/kept-200", json={"lastmile": {"fixes": {"downstreamMbps": 250, "upstreamMbps": 100}}})
    product_id = tree["productOrder"]["productOrderItem"][0]["product"]["id"]
    product = http.get(f"/tmf-api/productInventory/v4/product/{product_id}").json()
    assert product["productOffering"]["version"] == "1.0"
    assert http.delete(f"{OFFERINGS}/kept-200:(version=1.1)").status_code == HTTPStatus.NO_CONTENT
    refused(http.delete(f"{OFFERINGS}/kept-200"), HTTPStatus.CONFLICT, f"product {product_id}")


def test_events_are_told_as_the_official_files_name_them(http: httpx.Client) -> None:
    made(http, OFFERINGS, offering("told", lifecycleStatus="In design"))
    http.patch(f"{OFFERINGS}/told", json={"description": "x"})
    http.patch(f"{OFFERINGS}/told", json={"lifecycleStatus": "In test"})
    http.delete(f"{OFFERINGS}/told")
    events = http.get("/tmf-api/event/v4/topic/catalog/event?limit=1000").json()
    told = [each["eventType"] for each in events if each["event"].get("productOffering", {}).get("id") == "told"]
    changes = ("CreateEvent", "AttributeValueChangeEvent", "StateChangeEvent", "DeleteEvent")
    assert told == [f"ProductOffering{each}" for each in changes]


def test_what_was_changed_over_the_api_outlives_a_restart(start: Start, tmp_path: Any) -> None:
    with start(tmp_path, lab=None) as first:
        http = first.client.http
        made(http, OFFERINGS, offering("stays"))
        http.patch(f"{OFFERINGS}/fibre-100", json={"description": "changed by hand"})
        http.delete(f"{OFFERINGS}/fibre-10")
        tokens = http.headers["Authorization"]
        offerings = http.get(OFFERINGS).json()
    with start(tmp_path, lab=None) as second:
        second.client.http.headers["Authorization"] = tokens
        assert second.client.http.get(OFFERINGS).json() == offerings
