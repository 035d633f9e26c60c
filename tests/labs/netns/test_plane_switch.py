import pytest

from labs.netns.forwarding import Flow, Meter, PortVlans, SpanningTree
from labs.netns.plane_switch import switch_forwarding

BASE = """\
vlan 10
!
vlan 20
!
vlan 30
   state suspend
!
interface Ethernet1
{lines}
!
interface Ethernet2
   switchport mode trunk
"""
CASES = {
    "nothing said": ("   description x", PortVlans(untagged=1)),
    "access": ("   switchport access vlan 10", PortVlans(untagged=10)),
    "access to a VLAN that is not there": ("   switchport access vlan 11", PortVlans()),
    "access to a suspended VLAN": ("   switchport access vlan 30", PortVlans()),
    "shut": ("   switchport access vlan 10\n   shutdown", PortVlans()),
    "routed": ("   no switchport", PortVlans()),
    "trunk of all": ("   switchport mode trunk", PortVlans(untagged=1, tagged=frozenset({10, 20}))),
    "trunk": (
        "   switchport trunk allowed vlan 10,30,40\n   switchport mode trunk",
        PortVlans(tagged=frozenset({10})),
    ),
    "trunk with a native VLAN": (
        "   switchport trunk native vlan 20\n   switchport trunk allowed vlan 10,20\n   switchport mode trunk",
        PortVlans(untagged=20, tagged=frozenset({10})),
    ),
    "trunk of none": ("   switchport trunk allowed vlan none\n   switchport mode trunk", PortVlans()),
}


@pytest.mark.parametrize("name", CASES)
def test_vlans_of_a_port(name: str) -> None:
    lines, expected = CASES[name]
    assert switch_forwarding(BASE.format(lines=lines), ["Ethernet1"]).ports == {"Ethernet1": expected}


POLICED = """\
vlan 1042
   name ftth-1042
!
interface Ethernet2
   switchport mode trunk
   service-policy type qos input lm-downstream
!
class-map type qos match-any lm-vlan-1042
   match vlan 1042
!
class-map type qos match-any lm-vlan-1043
   match vlan 1043
!
policy-map type quality-of-service lm-downstream
   class lm-vlan-1042
      police rate 10 mbps burst-size 12 kbytes
   class lm-vlan-1043
      police rate 20 mbps burst-size 25 kbytes
"""


def test_a_police_rate_holds_its_vlan_on_the_way_in() -> None:
    found = switch_forwarding(POLICED, ["Ethernet1", "Ethernet2"])
    assert found.meters["Ethernet2 lm-vlan-1042"] == Meter(rate_kbps=10_000, burst_kbits=96)
    assert found.flows == {
        Flow(match="", actions="NORMAL", priority=0),
        Flow(match="in_port=Ethernet2,dl_vlan=1042", actions="NORMAL", meter="Ethernet2 lm-vlan-1042"),
    }


def test_a_policy_map_that_no_interface_names_holds_nothing() -> None:
    text = POLICED.replace("   service-policy type qos input lm-downstream\n", "")
    assert switch_forwarding(text, ["Ethernet1", "Ethernet2"]).meters == {}


def test_a_police_rate_holds_the_untagged_frames_of_an_access_port() -> None:
    access = "interface Ethernet2\n   switchport access vlan 1042\n   service-policy"
    found = switch_forwarding(
        POLICED.replace("interface Ethernet2\n   switchport mode trunk\n   service-policy", access), ["Ethernet2"]
    )
    match = "in_port=Ethernet2,vlan_tci=0x0000/0x1fff"
    assert Flow(match=match, actions="NORMAL", meter="Ethernet2 lm-vlan-1042") in found.flows


RING = """\
spanning-tree mode {mode}
spanning-tree priority 4096
!
interface Ethernet1
!
interface Ethernet4
   spanning-tree portfast
"""


def test_rapid_spanning_tree_runs_where_it_is_configured() -> None:
    found = switch_forwarding(RING.format(mode="rstp"), ["Ethernet1", "Ethernet4"])
    assert found.spanning_tree == SpanningTree(priority=4096, edges=frozenset({"Ethernet4"}))
    assert switch_forwarding(RING.format(mode="none"), ["Ethernet1"]).spanning_tree is None
