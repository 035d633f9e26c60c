import pytest

from labs.netns.forwarding import Flow, Meter, PortVlans
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
