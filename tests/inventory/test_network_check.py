"""What a network must not be."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from inventory.model import AddressPool, Link, Network, VlanPool
from inventory.network_check import check_network
from tests.inventory.conftest import make_device


def addresses(
    first: str, last: str, *, prefix: str = "10.42.1.0/24", gateway: str = "10.42.1.1", name: str = "residential"
) -> AddressPool:
    return AddressPool(name=name, prefix=prefix, first=first, last=last, gateway=gateway)


def vlans(first: int, last: int, name: str = "subscriber-vlans") -> VlanPool:
    return VlanPool(name=name, first_vlan_id=first, last_vlan_id=last)


def with_pon(network: Network, **change: str | int) -> Network:
    first, *others = network.pon_ports
    return replace(network, pon_ports=(replace(first, **change), *others))  # type: ignore[arg-type]  # field by name


def with_vlans(*pools: VlanPool) -> Callable[[Network], Network]:
    return lambda network: replace(network, vlan_pools=pools)


def with_addresses(*pools: AddressPool) -> Callable[[Network], Network]:
    return lambda network: replace(network, address_pools=pools)


HOSTS = "legal in 10.42.1.0/24: 10.42.1.1-10.42.1.254"
CASES: dict[str, tuple[Callable[[Network], Network], str]] = {
    "device twice": (
        lambda net: replace(net, devices=(*net.devices, net.devices[1])),
        "devices: 'sw1' stands there 2 times",
    ),
    "PON twice": (lambda net: with_pon(net, name="pon2"), "ponPorts: 'olt1/pon2' stands there 2 times"),
    "premises twice": (
        lambda net: replace(net, premises=net.premises * 2),
        "premises: 'ADDR-1015' stands there 2 times",
    ),
    "unknown role": (
        lambda net: replace(net, devices=(*net.devices, make_device("x", "modem", "frr", "127.0.0.9"))),
        "devices[3] 'x': unknown role 'modem'; legal: olt, router, switch",
    ),
    "port out of range": (
        lambda net: replace(net, devices=(*net.devices[:2], replace(net.devices[2], port=0))),
        "devices[2] 'r1': port 0 is not one; legal: 1-65535",
    ),
    "interface with two cables": (
        lambda net: replace(
            net,
            links=(*net.links, Link(a_device="x", a_interface="1", b_device="sw1", b_interface="Ethernet1")),
        ),
        "links: interface 'Ethernet1' of 'sw1' is the end of 2 links; an interface has one",
    ),
    "loop": (
        lambda net: replace(net, links=(Link(a_device="r1", a_interface="1", b_device="r1", b_interface="2"),)),
        "links[0]: both ends are on 'r1'",
    ),
    "PON on a router": (
        lambda net: replace(with_pon(net, olt="r1"), premises=()),
        "ponPorts[0] 'r1/pon1': no OLT is called 'r1'; known OLTs: olt1",
    ),
    "ONU ids backwards": (
        lambda net: with_pon(net, first_onu_id=65),
        "ponPorts[0] 'olt1/pon1'.onuIds: 65-64 is not in ascending order",
    ),
    "ONU ids out of range": (
        lambda net: with_pon(net, last_onu_id=1023),
        "ponPorts[0] 'olt1/pon1'.onuIds: 1-1023 is out of range; legal: 0-1022",
    ),
    "premises on no PON": (
        lambda net: replace(net, premises=(replace(net.premises[0], olt="olt9"),)),
        "premises[0] 'ADDR-1015': no PON port is called 'olt9/pon1'; known: olt1/pon1, olt1/pon2",
    ),
    "VLAN ids out of range": (
        with_vlans(vlans(4000, 4095)),
        "vlanPools[0] 'subscriber-vlans'.vlanIds: 4000-4095 is out of range; legal: 1-4094",
    ),
    "VLAN pools overlap": (
        with_vlans(vlans(200, 299, "b"), vlans(100, 209, "a")),
        "vlanPools[0] 'b' overlaps 'a' in 200-209",
    ),
    "VLAN pool inside another, behind a third": (
        with_vlans(vlans(1, 900, "all"), vlans(10, 20, "low"), vlans(500, 510, "high")),
        "vlanPools[2] 'high' overlaps 'all' in 500-510",
    ),
    "no address": (
        with_addresses(addresses("10.42.1.15", "many")),
        "addressPools[0] 'residential': Expected 4 octets in 'many'; legal: an IPv4 prefix, and IPv4 addresses of it",
    ),
    "addresses backwards": (
        with_addresses(addresses("10.42.1.250", "10.42.1.15")),
        "addressPools[0] 'residential'.addresses: 10.42.1.250-10.42.1.15 is not in ascending order",
    ),
    "broadcast address": (
        with_addresses(addresses("10.42.1.15", "10.42.1.255")),
        f"addressPools[0] 'residential'.addresses: 10.42.1.15-10.42.1.255 reaches out of its prefix; {HOSTS}",
    ),
    "gateway elsewhere": (
        with_addresses(addresses("10.42.1.15", "10.42.1.250", gateway="10.42.2.1")),
        f"addressPools[0] 'residential'.gateway: 10.42.2.1 is not a host of its prefix; {HOSTS}",
    ),
    "gateway handed out": (
        with_addresses(addresses("10.42.1.1", "10.42.1.250")),
        (
            "addressPools[0] 'residential'.gateway: 10.42.1.1 lies among the addresses to be handed out; "
            "legal: one outside of them"
        ),
    ),
    "address pools overlap": (
        with_addresses(addresses("10.42.1.15", "10.42.1.99"), addresses("10.42.1.90", "10.42.1.95", name="b")),
        "addressPools[1] 'b' overlaps 'residential' in 10.42.1.90-10.42.1.95",
    ),
}


def test_the_demo_network_is_good(network: Network) -> None:
    assert check_network(network) == ()


def test_a_network_file_alone_is_not_asked_for_devices(network: Network) -> None:
    assert check_network(replace(network, devices=(), links=())) == ()


@pytest.mark.parametrize(("change", "problem"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_said(network: Network, change: Callable[[Network], Network], problem: str) -> None:
    assert problem in check_network(change(network))


def test_a_point_to_point_prefix_uses_both_of_its_addresses(network: Network) -> None:
    pool = addresses("10.0.0.1", "10.0.0.1", prefix="10.0.0.0/31", gateway="10.0.0.0")
    assert check_network(replace(network, address_pools=(pool,))) == ()
