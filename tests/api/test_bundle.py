"""Fibre and television on the emulated devices: one order, changed, and gone without a trace."""

from typing import Any

import pytest

from api.demo import bodies, pictures
from api.fsck.check import check
from inventory.documents import Document
from orders.items import flat
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

KEY = "productOrderItem"


def _follow(platform: Platform, body: dict[str, Any]) -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=30.0)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
    return tree


def _products(tree: dict[str, Any]) -> dict[str, str]:
    order: Document = tree["productOrder"]
    return {each["productOffering"]["id"]: each["product"]["id"] for each in flat(order, KEY)}


def _change(bundle: str, *inner: dict[str, Any]) -> dict[str, Any]:
    item = {"id": "1", "action": "modify", "product": {"id": bundle}, KEY: list(inner)}
    return {KEY: [item]}


def test_a_household_is_connected_gets_television_gives_it_back_and_leaves_no_trace(platform: Platform) -> None:
    before = platform.configurations()
    plain = bodies.add(offering="fibre-tv", place_id="ADDR-1017")
    plain[KEY][0][KEY] = [{"id": "2", "action": "add", "productOffering": {"id": "fibre-100"}}]
    found = _products(_follow(platform, plain))
    access = platform.configurations()
    assert "vsi-tv" not in access["olt1"]

    stays = {"id": "2", "action": "noChange", "product": {"id": found["fibre-100"]}}
    comes = {"id": "3", "action": "add", "productOffering": {"id": "iptv"}}
    tree = _follow(platform, _change(found["fibre-tv"], stays, comes))
    television = tree["productOrder"][KEY][0][KEY][1]["product"]["id"]
    both = platform.configurations()
    assert "vsi-tv-network-900" in both["olt1"]
    assert "vlan 900" in both["sw1"]
    assert "ip igmp" in both["r1"]
    _read_all(platform, found["fibre-tv"], television)
    # One activation, of television alone: nothing else is planned or pushed.
    [monitor] = tree["monitor"]
    own = {line for device in monitor["plan"]["devices"] for line in str(device.get("diff", "")).splitlines()}
    assert own
    changed = [line for line in own if line.startswith(("+", "-"))]
    assert not [line for line in changed if "vani-" in line or "class-map" in line or "ip route" in line]

    goes = {"id": "3", "action": "delete", "product": {"id": television}}
    _follow(platform, _change(found["fibre-tv"], stays, goes))
    assert platform.configurations() == access

    _follow(platform, _change(found["fibre-tv"], stays, comes))
    _follow(platform, bodies.cease(found["fibre-tv"]))
    assert platform.configurations() == before
    _agrees(platform)


@pytest.mark.parametrize(("waits", "on"), [("9", "1"), ("9", "2"), ("1", "9")])
def test_an_item_waits_for_a_bundle_and_a_bundle_for_an_item(platform: Platform, waits: str, on: str) -> None:
    before = platform.configurations()
    body = bodies.add(offering="fibre-tv", place_id="ADDR-1017")
    (other,) = bodies.add(serial_number="LMLE0000A017")[KEY]
    items = {"1": body[KEY][0] | {KEY: [{"id": "2", "action": "add", "productOffering": {"id": "fibre-100"}}]}}
    items["9"] = {**other, "id": "9"}
    items[waits]["productOrderItemRelationship"] = [{"id": on, "relationshipType": "dependsOn"}]
    tree = _follow(platform, {KEY: list(items.values())})
    waited = {
        item["id"]: [each["orderItem"]["itemId"] for each in item.get("serviceOrderItemRelationship", ())]
        for item in tree["serviceOrder"][0]["serviceOrderItem"]
    }
    assert waited == ({"2": [], "9": ["2"]} if waits == "9" else {"2": ["9"], "9": []})
    for each in tree["productOrder"][KEY]:
        _follow(platform, bodies.cease(each["product"]["id"]))
    assert platform.configurations() == before
    _agrees(platform)


def _read_all(platform: Platform, bundle: str, television: str) -> None:
    """Read what the APIs say of it; every answer is checked against its official definition on the way."""
    client = platform.client
    product = client.get(f"/tmf-api/productInventory/v4/product/{bundle}")
    assert product["isBundle"]
    assert television in {each["product"]["id"] for each in product["productRelationship"]}
    service = client.get(f"/tmf-api/productInventory/v4/product/{television}")["realizingService"][0]["id"]
    kinds = {
        each["relationshipType"]
        for each in client.get(f"/tmf-api/serviceInventory/v4/service/{service}")["serviceRelationship"]
    }
    assert kinds == {"reliesOn"}
    client.get("/tmf-api/productOrderingManagement/v4/productOrder")
    client.get("/tmf-api/serviceOrdering/v4/serviceOrder")
    offering = client.get("/tmf-api/productCatalogManagement/v4/productOffering/fibre-tv")
    options = [each["bundledProductOfferingOption"] for each in offering["bundledProductOffering"]]
    assert [(each["numberRelOfferLowerLimit"], each["numberRelOfferUpperLimit"]) for each in options] == [
        (1, 1),
        (0, 1),
    ]
    client.get("/tmf-api/productCatalogManagement/v4/productSpecification/home")
    client.get("/tmf-api/serviceCatalogManagement/v4/serviceSpecification/iptv-service")
    _agrees(platform)


def _agrees(platform: Platform) -> None:
    with platform.system.database.read() as connection:
        assert check(connection) == []


def test_what_households_share_goes_with_the_last_of_them(platform: Platform) -> None:
    before = platform.configurations()
    first = _products(_follow(platform, bodies.add(offering="fibre-tv", place_id="ADDR-1015")))
    alone = platform.configurations()
    second = bodies.add(offering="fibre-tv", place_id="ADDR-1017", serial_number="LMLE0000A017")
    other = _products(_follow(platform, second))
    _follow(platform, bodies.cease(other["fibre-tv"]))
    assert platform.configurations() == alone
    _follow(platform, bodies.cease(first["fibre-tv"]))
    assert platform.configurations() == before
