"""From copper to fibre on the emulated devices."""

from typing import Any

import pytest

from api.demo import bodies, pictures
from tests.api.conftest import Platform

pytestmark = [pytest.mark.e2e, pytest.mark.lab]


def _follow(platform: Platform, body: dict[str, Any]) -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=30.0)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
    return tree


def test_a_copper_line_moves_to_fibre_and_is_ceased_without_a_trace(platform: Platform) -> None:
    before = platform.configurations()
    copper = bodies.add(offering="dsl-50", place_id="ADDR-1017")
    copper["productOrderItem"][0]["product"]["productCharacteristic"] = []
    product_id = str(_follow(platform, copper)["productOrder"]["productOrderItem"][0]["product"]["id"])
    line = platform.configurations()
    assert "switchport access vlan" in line["sw1"]
    assert line["olt1"] == before["olt1"]

    change = bodies.upgrade(product_id, offering="fibre-50")
    ont = [{"name": "ontSerialNumber", "value": "LMLE0000A017"}]
    change["productOrderItem"][0]["product"]["productCharacteristic"] = ont
    _follow(platform, change)
    fibre = platform.configurations()
    assert "LMLE0000A017" in fibre["olt1"]
    assert "switchport access vlan" not in fibre["sw1"]
    # The router saw nothing of it: VLAN and address are the customer's, however he is reached.
    assert fibre["r1"] == line["r1"]

    _follow(platform, bodies.cease(product_id))
    assert platform.configurations() == before
