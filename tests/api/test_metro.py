"""E-Line and L3VPN on the lab metro."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.client import ApiRefused
from api.demo import bodies, pictures
from labs.embedded.faults import Fault
from tests.api.conftest import Platform, Start
from tests.metro_orders import E_LINE, L3VPN, order

pytestmark = [pytest.mark.e2e, pytest.mark.lab]


@pytest.fixture(scope="module")
def metro(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with start(tmp_path_factory.mktemp("metro"), lab="metro") as running:
        yield running


def _follow(platform: Platform, body: Mapping[str, Any]) -> dict[str, Any]:
    tree = platform.client.follow(platform.client.place(body), timeout_s=30.0)
    assert tree["productOrder"]["state"] == "completed", pictures.reasons(tree)
    return tree


def _cease(platform: Platform, tree: Mapping[str, Any]) -> None:
    _follow(platform, bodies.cease(str(tree["productOrder"]["productOrderItem"][0]["product"]["id"])))


def test_an_e_line_runs_around_the_ring(metro: Platform) -> None:
    before = metro.configurations()
    ordered = _follow(metro, order("e-line", E_LINE))
    after = metro.configurations()
    for switch in ("sw1", "sw2", "sw3", "sw4"):
        assert after[switch].count("switchport trunk allowed vlan 1000,2001") == 2
        assert ("switchport access vlan 2001" in after[switch]) == (switch in {"sw2", "sw4"})
    assert after["r1"] == before["r1"]
    _cease(metro, ordered)
    assert metro.configurations() == before


def test_an_l3vpn_has_a_vrf_on_both_routers(metro: Platform) -> None:
    before = metro.configurations()
    ordered = _follow(metro, order("l3vpn", L3VPN))
    after = metro.configurations()
    assert " ip route 10.2.0.0/24 100.64.0.2\n" in after["r1"]
    assert " ip route 10.1.0.0/24 100.64.0.1\n" in after["r2"]
    for router in ("r1", "r2"):
        assert "vrf beta\n" in after[router]
        assert "interface eth3.300 vrf beta\n description l3vpn beta\n" in after[router]
    assert after["sw1"] == before["sw1"]
    _cease(metro, ordered)
    assert metro.configurations() == before


def test_two_customers_share_the_ring(metro: Platform) -> None:
    before = metro.configurations()
    first = _follow(metro, order("e-line", E_LINE))
    between = metro.configurations()
    second = _follow(
        metro, order("e-line", {**E_LINE, "vlanId": 2002, "aSwitch": "sw1", "zSwitch": "sw3", "customer": "gamma"})
    )
    _cease(metro, second)
    assert metro.configurations() == between
    _cease(metro, first)
    assert metro.configurations() == before


def _refused(platform: Platform, offering: str, values: Mapping[str, object]) -> str:
    """Place an order that has to fail, and return why."""
    tree = platform.client.follow(platform.client.place(order(offering, values)), timeout_s=30.0)
    assert tree["productOrder"]["state"] == "failed"
    return "; ".join(pictures.reasons(tree))


CLASHES: Mapping[str, tuple[str, Mapping[str, object], Mapping[str, object], str]] = {
    "an E-Line's VLAN": ("e-line", E_LINE, {"aInterface": "Ethernet5", "zInterface": "Ethernet5"}, "vlanId 2001"),
    "an E-Line's port": ("e-line", E_LINE, {"vlanId": 2002}, "customerInterface 'Ethernet4'"),
    "a VRF": ("l3vpn", L3VPN, {"vlanId": 301}, "vrf 'beta'"),
    "an L3VPN's VLAN": ("l3vpn", L3VPN, {"vrf": "gamma", "aInterface": "eth4", "zInterface": "eth4"}, "vlanId 300"),
}


@pytest.mark.parametrize("name", CLASHES)
def test_what_a_customer_has_no_other_gets(metro: Platform, name: str) -> None:
    offering, first, other, named = CLASHES[name]
    ordered = _follow(metro, order(offering, first))
    between = metro.configurations()
    assert named in _refused(metro, offering, {**first, **other})
    assert metro.configurations() == between
    _cease(metro, ordered)


def test_a_bandwidth_change_touches_the_two_ports_alone(metro: Platform) -> None:
    ordered = _follow(metro, order("e-line", E_LINE))
    before = metro.configurations()
    product = str(ordered["productOrder"]["productOrderItem"][0]["product"]["id"])
    _follow(metro, order("e-line", {"bandwidthMbps": 50}, "modify", product))
    after = metro.configurations()
    assert {name for name in after if after[name] != before[name]} == {"sw2", "sw4"}
    assert "police rate 50 mbps burst-size 62 kbytes" in after["sw2"]
    _cease(metro, ordered)


def _failed(platform: Platform, product: str) -> set[tuple[str, str, str]]:
    found = platform.client.post(f"/lastmile/v1/serviceTest/{product}", {})["result"]
    assert {each["level"] for each in found} == {"L1", "L2", "L3"}
    return {(each["level"], each["name"], each["device"]) for each in found if each["state"] == "failed"}


def test_an_l3vpn_is_tested_on_both_routers(metro: Platform) -> None:
    ordered = _follow(metro, order("l3vpn", L3VPN))
    product = str(ordered["productOrder"]["productOrderItem"][0]["product"]["id"])
    found = metro.client.post(f"/lastmile/v1/serviceTest/{product}", {})["result"]
    assert {(each["level"], each["state"]) for each in found} == {("L1", "passed"), ("L2", "passed"), ("L3", "notRun")}
    assert {each["device"] for each in found if each["level"] == "L2"} == {"r1", "r2"}
    _cease(metro, ordered)


def test_a_service_test_sees_the_cut_ring(metro: Platform) -> None:
    ordered = _follow(metro, order("e-line", E_LINE))
    product = str(ordered["productOrder"]["productOrderItem"][0]["product"]["id"])
    assert _failed(metro, product) == set()
    assert metro.system.lab is not None
    metro.system.lab.faults.set("sw1", Fault("link_down", value=1))
    try:
        assert _failed(metro, product) == {("L2", "both ring links are up", "sw1")}
    finally:
        metro.system.lab.faults.clear("sw1")
    _cease(metro, ordered)


SENSELESS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "both ends are the same port": ("e-line", {**E_LINE, "zSwitch": "sw2"}),
    "both sites are on the same router": ("l3vpn", {**L3VPN, "zRouter": "r1"}),
    "aInterface": ("e-line", {**E_LINE, "aInterface": "Ethernet1"}),
    "vlanId": ("e-line", {**E_LINE, "vlanId": 1000}),
    "vrf": ("l3vpn", {**L3VPN, "vrf": "default"}),
}


@pytest.mark.parametrize("reason", SENSELESS)
def test_what_would_break_the_network_is_not_sold(metro: Platform, reason: str) -> None:
    offering, values = SENSELESS[reason]
    with pytest.raises(ApiRefused, match=reason):
        metro.client.place(order(offering, values))
