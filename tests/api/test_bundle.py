"""Fibre and television on the emulated devices: one order, changed, and gone without a trace."""

from typing import Any

import pytest

from api.demo import bodies, pictures
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
