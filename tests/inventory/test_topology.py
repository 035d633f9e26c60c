"""The way from an OLT to its router."""

import re

import pytest

from inventory.errors import NotServed
from inventory.model import Link, Network
from inventory.topology import AccessPath, Surroundings, access_path

ROLES = {"olt1": "olt", "sw1": "switch", "sw2": "switch", "r1": "router", "r2": "router"}


def link(text: str) -> Link:
    """Return the link that ``"a:x b:y"`` describes."""
    (a_device, a_interface), (b_device, b_interface) = (end.split(":") for end in text.split())
    return Link(a_device=a_device, a_interface=a_interface, b_device=b_device, b_interface=b_interface)


def around(*cables: str) -> Surroundings:
    return Surroundings(roles=ROLES, links=tuple(map(link, cables)))


EXPECTED = AccessPath(
    olt="olt1",
    olt_uplink="uplink1",
    switch="sw1",
    access_interface="Ethernet1",
    uplink_interface="Ethernet2",
    router="r1",
    router_interface="eth1",
)


def test_the_path_of_the_demo_network(network: Network) -> None:
    roles = {device.name: device.role for device in network.devices}
    assert access_path("ADDR-1015", "olt1", Surroundings(roles=roles, links=network.links)) == EXPECTED


def test_the_direction_of_a_cable_does_not_matter() -> None:
    cables = ("sw1:Ethernet1 olt1:uplink1", "r1:eth1 sw1:Ethernet2")
    assert access_path("ADDR-1015", "olt1", around(*cables)) == EXPECTED


def test_of_several_paths_it_is_always_the_same_one() -> None:
    cables = [
        "olt1:uplink2 sw2:Ethernet1",
        "sw2:Ethernet2 r2:eth1",
        "olt1:uplink1 sw1:Ethernet1",
        "sw1:Ethernet2 r1:eth1",
    ]
    assert access_path("ADDR-1015", "olt1", around(*cables)) == EXPECTED
    assert access_path("ADDR-1015", "olt1", around(*reversed(cables))) == EXPECTED


def test_parallel_cables_are_told_apart_by_the_whole_way() -> None:
    cables = ["olt1:uplink1 sw1:Ethernet1", "sw1:Ethernet3 r1:eth3", "sw1:Ethernet2 r1:eth1"]
    assert access_path("ADDR-1015", "olt1", around(*cables)) == EXPECTED
    assert access_path("ADDR-1015", "olt1", around(*reversed(cables))) == EXPECTED


REFUSED = {
    "no switch": (("sub1:eth1 olt1:pon1",), "OLT 'olt1' has no link to a switch"),
    "no switch between": (("olt1:uplink1 r1:eth1",), "cabled straight to router r1; a switch must stand between them"),
    "no router": (("olt1:uplink1 sw1:Ethernet1",), "switch sw1, behind OLT 'olt1', has no link to a router"),
    "several switches": (
        ("olt1:uplink1 sw1:Ethernet1", "sw1:Ethernet2 sw2:Ethernet1", "sw2:Ethernet2 r1:eth1"),
        "runs over several switches (sw1 → sw2); exactly one switch between OLT and router is supported",
    ),
}


@pytest.mark.parametrize(("cables", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_missing_path_says_what_is_missing(cables: tuple[str, ...], reason: str) -> None:
    with pytest.raises(NotServed, match=re.escape(reason)) as caught:
        access_path("ADDR-1015", "olt1", around(*cables))
    assert caught.value.place == "ADDR-1015"
