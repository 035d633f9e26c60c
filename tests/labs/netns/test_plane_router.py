from ipaddress import IPv4Address

import pytest

from labs.netns.plane_router import Lease, RouterNeeds, SubInterface, router_needs

CONFIG = """\
frr version 8.4.4
hostname r1
!
ip route 0.0.0.0/0 192.0.2.1
ip route 10.42.1.15/32 eth1.1042
ip route 10.9.0.0/16 eth1.1042
!
interface eth1
 description sw1 Ethernet2
exit
!
interface eth1.1042
 description lastmile vlan 1042
 ip address 10.42.1.1/32
exit
!
end
"""
SUB_INTERFACE = SubInterface(name="eth1.1042", parent="eth1", vlan_id=1042)
LEASE = Lease(
    interface="eth1.1042", address=IPv4Address("10.42.1.15"), gateway=IPv4Address("10.42.1.1"), prefix_length=24
)


def test_a_sub_interface_with_a_host_route_is_a_vlan_and_a_lease() -> None:
    expected = RouterNeeds(sub_interfaces=frozenset({SUB_INTERFACE}), leases=frozenset({LEASE}))
    assert router_needs(CONFIG) == expected


def test_a_sub_interface_that_is_shut_hands_out_nothing() -> None:
    found = router_needs(CONFIG.replace(" ip address 10.42.1.1/32\n", " ip address 10.42.1.1/32\n shutdown\n"))
    assert [each.up for each in found.sub_interfaces] == [False]
    assert found.leases == frozenset()


@pytest.mark.parametrize("name", ["eth1", "eth1.0", "eth1.4095", "eth1.x", "lo"])
def test_other_interfaces_are_left_alone(name: str) -> None:
    assert router_needs(f"interface {name}\n ip address 10.0.0.1/32\nexit\n") == RouterNeeds()


def test_a_gateway_far_away_widens_the_network() -> None:
    found = router_needs(CONFIG.replace("10.42.1.1/32", "10.42.3.1/32"))
    assert [lease.prefix_length for lease in found.leases] == [22]


VRF = """\
vrf beta
 netns /run/netns/beta
{routes}exit-vrf
!
interface eth3.300 vrf beta
{lines}exit
"""


def test_a_sub_interface_stands_in_its_vrf_and_hands_out_nothing() -> None:
    text = VRF.format(routes=" ip route 10.1.0.1/32 eth3.300\n", lines=" ip address 192.168.1.1/30\n")
    inside = SubInterface(name="eth3.300", parent="eth3", vlan_id=300, vrf="beta")
    assert router_needs(text) == RouterNeeds(sub_interfaces=frozenset({inside}), vrfs=frozenset({"beta"}))


@pytest.mark.parametrize("name", ["..", "a/b", "default", "-x"])
def test_a_vrf_that_no_namespace_can_be_is_left_alone(name: str) -> None:
    text = VRF.format(routes=" ip route 10.1.0.0/24 192.168.1.2\n", lines=" shutdown\n").replace("beta", name)
    assert router_needs(text).vrfs == frozenset()


@pytest.mark.parametrize("routes", ["", " ip route 10.1.0.0/24 192.168.1.2\n"])
def test_a_vrf_is_wanted_while_something_is_configured_in_it(routes: str) -> None:
    text = VRF.format(routes=routes, lines="").partition("interface")[0]
    assert router_needs(text).vrfs == (frozenset({"beta"}) if routes else frozenset())
