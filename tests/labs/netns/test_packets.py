"""Orders move packets: nothing before, the ordered speed while it lasts, nothing after."""

import pytest

from api.demo import bodies
from inventory.documents import characteristics
from labs.netns.commands import run
from labs.netns.traffic import DhcpLease, Stretch, obtain_lease, ping, throughput_mbps
from tests.labs.netns.conftest import Site

pytestmark = [pytest.mark.lab, pytest.mark.netns, pytest.mark.e2e, pytest.mark.slow]

CORE = "192.0.2.1"
TOLERANCE = 0.2
"""The limits' own, and that of a busy machine."""


def _lease(site: Site, subscriber: str, attempts: int = 3) -> DhcpLease | None:
    return obtain_lease(site.namespace(subscriber), "eth1", attempts=attempts)


def _reaches(site: Site, subscriber: str, address: str = CORE) -> bool:
    return ping(site.namespace(subscriber), address, count=5).received > 0


def _measured(site: Site, subscriber: str, expected_mbps: float, *, downstream: bool) -> float:
    stretch = Stretch(client=site.namespace(subscriber), server=site.namespace("core1"), server_address=CORE)
    return throughput_mbps(stretch, expected_mbps=expected_mbps, downstream=downstream)


def _dark(site: Site, subscriber: str) -> bool:
    return _lease(site, subscriber, attempts=2) is None and not _reaches(site, subscriber)


def test_an_order_an_upgrade_and_a_cease_as_packets_see_them(site: Site) -> None:
    before = site.configurations()
    assert _dark(site, "sub1")

    added = site.order(bodies.add("fibre-10"))
    reserved: dict[str, str] = {}
    for order in added["resourceOrder"]:
        reserved |= characteristics(order["orderItem"][0]["resource"], "resourceCharacteristic")
    checked = added["monitor"][0]["plan"]["serviceChecks"]
    assert {(each["level"], each["state"]) for each in checked} == {("L3", "passed")}, checked
    lease = _lease(site, "sub1")
    assert lease is not None
    assert (str(lease.address), str(lease.gateway)) == (reserved["address"], reserved["gateway"])
    assert _reaches(site, "sub1")
    assert _measured(site, "sub1", 10, downstream=True) == pytest.approx(10, rel=TOLERANCE)
    assert _measured(site, "sub1", 5, downstream=False) == pytest.approx(5, rel=TOLERANCE)
    assert _dark(site, "sub2")

    product = added["productOrder"]["productOrderItem"][0]["product"]["id"]
    site.order(bodies.upgrade(product, "fibre-50"))
    assert _measured(site, "sub1", 50, downstream=True) == pytest.approx(50, rel=TOLERANCE)
    assert _measured(site, "sub1", 25, downstream=False) == pytest.approx(25, rel=TOLERANCE)

    site.order(bodies.cease(product))
    assert not _reaches(site, "sub1")
    assert _dark(site, "sub1")
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
    assert _dark(site, "sub1")
    assert _dark(site, "sub2")


def test_a_check_that_fails_takes_the_change_back_everywhere(site: Site) -> None:
    before = site.configurations()
    core = site.namespace("core1")
    run(["ip", "address", "del", f"{CORE}/30", "dev", "eth1"], namespace=core)
    try:
        tree = site.order(bodies.add("fibre-10"), state="failed")
    finally:
        for command in site.lab_topology.nodes["core1"].exec:
            run(command.split(), namespace=core)
    said = [error for monitor in tree["monitor"] for error in monitor.get("errorMessage", ())]
    assert {error["code"] for error in said} == {"serviceCheckFailed"}
    assert site.configurations() == before
    assert _dark(site, "sub1")
