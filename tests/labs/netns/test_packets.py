"""Orders move packets: nothing before, the ordered speed while it lasts, nothing after."""

import pytest

from api.demo import bodies
from inventory.documents import characteristics
from labs.netns.traffic import DhcpLease, obtain_lease, ping
from tests.labs.netns.conftest import CORE, Site

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.e2e, pytest.mark.slow]

TOLERANCE = 0.2
"""The limits' own, and that of a busy machine."""


def _lease(site: Site, subscriber: str, attempts: int = 3) -> DhcpLease | None:
    return obtain_lease(site.namespace(subscriber), "eth1", attempts=attempts)


def _reaches(site: Site, subscriber: str, address: str = CORE) -> bool:
    return ping(site.namespace(subscriber), address, count=5).received > 0


def _passes(site: Site, product: str, *, down_mbps: float, up_mbps: float) -> None:
    """Test the product's service: all of it passes, and the speed that was measured is the one that is paid for."""
    found = site.tested(product)
    assert {each["state"] for each in found.values()} == {"passed"}, found
    assert {each["level"] for each in found.values()} == {"L1", "L2", "L3"}
    measured = [float(found[f"the ordered speed {way}stream"]["measured"].split()[0]) for way in ("down", "up")]
    assert measured == pytest.approx([down_mbps, up_mbps], rel=TOLERANCE)


def test_an_order_an_upgrade_and_a_cease_as_packets_see_them(site: Site) -> None:
    before = site.configurations()
    assert site.dark("sub1")

    added = site.order(bodies.add("fibre-10"))
    reserved: dict[str, str] = {}
    for order in added["resourceOrder"]:
        reserved |= characteristics(order["orderItem"][0]["resource"], "resourceCharacteristic")
    checked = added["monitor"][0]["plan"]["serviceChecks"]
    assert {(each["level"], each["state"]) for each in checked} == {("L2", "passed"), ("L3", "passed")}, checked
    lease = _lease(site, "sub1")
    assert lease is not None
    assert (str(lease.address), str(lease.gateway)) == (reserved["address"], reserved["gateway"])
    assert site.dark("sub2")
    product = added["productOrder"]["productOrderItem"][0]["product"]["id"]
    _passes(site, product, down_mbps=10, up_mbps=5)

    site.order(bodies.upgrade(product, "fibre-50"))
    _passes(site, product, down_mbps=50, up_mbps=25)

    site.order(bodies.cease(product))
    assert not _reaches(site, "sub1")
    assert site.dark("sub1")
    assert site.configurations() == before


def test_neighbours_have_each_their_own_line(site: Site) -> None:
    trees = [
        site.order(bodies.add("fibre-10")),
        site.order(bodies.add("fibre-10", serial_number="LMLE0000A017", place_id="ADDR-1017")),
    ]
    try:
        leases = [_lease(site, name) for name in ("sub1", "sub2")]
        assert None not in leases
        one, two = (lease.address for lease in leases if lease is not None)
        assert one != two
        assert _reaches(site, "sub1")
        assert _reaches(site, "sub2")
        # They share a network's addresses and no VLAN: neither finds the other.
        assert not _reaches(site, "sub1", str(two))
        assert not _reaches(site, "sub2", str(one))
    finally:
        for tree in trees:
            site.order(bodies.cease(tree["productOrder"]["productOrderItem"][0]["product"]["id"]))
    assert site.dark("sub1")
    assert site.dark("sub2")
