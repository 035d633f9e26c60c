"""E-Line and L3VPN on the lab metro."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.demo import bodies, pictures
from tests.api.conftest import Platform, Start

pytestmark = [pytest.mark.e2e, pytest.mark.lab]

E_LINE = {
    "vlanId": 2001,
    "customer": "acme",
    "aSwitch": "sw2",
    "aInterface": "Ethernet4",
    "zSwitch": "sw4",
    "zInterface": "Ethernet4",
}
L3VPN = {
    "vrf": "beta",
    "vlanId": 300,
    "aPrefix": "10.1.0.0/24",
    "aGateway": "192.168.1.2",
    "aAddress": "192.168.1.1/30",
    "zPrefix": "10.2.0.0/24",
    "zGateway": "192.168.2.2",
    "zAddress": "192.168.2.1/30",
}


@pytest.fixture(scope="module")
def metro(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with start(tmp_path_factory.mktemp("metro"), lab="metro") as running:
        yield running


def _order(offering: str, values: Mapping[str, object]) -> dict[str, Any]:
    product = {
        "place": [{"id": "METRO-1", "role": "installationAddress", "@type": "GeographicAddress"}],
        "productCharacteristic": [
            {"name": name, "valueType": "integer" if isinstance(value, int) else "string", "value": value}
            for name, value in values.items()
        ],
    }
    item = {"id": "1", "action": "add", "product": product, "productOffering": {"id": offering}}
    return {"description": offering, "productOrderItem": [item], "@type": "ProductOrder"}


def _follow(platform: Platform, body: Mapping[str, Any]) -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=30.0)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
    return tree


def _cease(platform: Platform, tree: Mapping[str, Any]) -> None:
    _follow(platform, bodies.cease(str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])))


def test_an_e_line_runs_around_the_ring(metro: Platform) -> None:
    before = metro.configurations()
    ordered = _follow(metro, _order("e-line", E_LINE))
    after = metro.configurations()
    for switch in ("sw1", "sw2", "sw3", "sw4"):
        assert after[switch].count("switchport trunk allowed vlan 1000,2001") == 2
        assert ("switchport access vlan 2001" in after[switch]) == (switch in {"sw2", "sw4"})
    assert after["r1"] == before["r1"]
    _cease(metro, ordered)
    assert metro.configurations() == before


def test_an_l3vpn_has_a_vrf_on_both_routers(metro: Platform) -> None:
    before = metro.configurations()
    ordered = _follow(metro, _order("l3vpn", L3VPN))
    after = metro.configurations()
    assert " ip route 10.2.0.0/24 100.64.0.2\n" in after["r1"]
    assert " ip route 10.1.0.0/24 100.64.0.1\n" in after["r2"]
    for router in ("r1", "r2"):
        assert "vrf beta\n" in after[router]
        assert "interface eth3.300\n description l3vpn beta\n" in after[router]
    assert after["sw1"] == before["sw1"]
    _cease(metro, ordered)
    assert metro.configurations() == before


def test_two_customers_share_the_ring(metro: Platform) -> None:
    before = metro.configurations()
    first = _follow(metro, _order("e-line", E_LINE))
    between = metro.configurations()
    second = _follow(
        metro, _order("e-line", {**E_LINE, "vlanId": 2002, "aSwitch": "sw1", "zSwitch": "sw3", "customer": "gamma"})
    )
    _cease(metro, second)
    assert metro.configurations() == between
    _cease(metro, first)
    assert metro.configurations() == before
