"""Services and devices for the tests of the planning core."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from activation.intent import build_intent, load_intents
from activation.model import Fragment, FragmentChange, ServiceId
from activation.platforms import load_platforms
from activation.render import Renderer

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
PLATFORMS: Final = load_platforms(TEMPLATES)
INTENTS: Final = load_intents(TEMPLATES / "intents.yaml")
RENDERER: Final = Renderer(TEMPLATES, PLATFORMS)

OLT, SWITCH, ROUTER = PLATFORMS["bbf_olt"], PLATFORMS["arista_eos"], PLATFORMS["frr"]
SMARTAX: Final = PLATFORMS["smartax"]
INTENT_OF: Final[Mapping[str, str]] = MappingProxyType(
    {"bbf_olt": "gpon-access", "arista_eos": "aggregation-transport", "frr": "ip-edge", "smartax": "gpon-access"}
)
DEVICE: Final = "dut"


def characteristics(platform: str, vlan_id: int, mbps: int) -> dict[str, Any]:
    """Return what the service on ``vlan_id`` wants at ``mbps``, as posted."""
    number = vlan_id - 1041
    return {
        "bbf_olt": {
            "olt": DEVICE,
            "channelPartition": "cpart1",
            "channelPair": "cpair1",
            "onuId": number,
            "ontSerialNumber": f"ABCD{number:08X}",
            "vlanId": vlan_id,
            "uplinkInterface": "uplink1",
            "upstreamBps": mbps * 1_000_000,
            "assuredBps": mbps * 500_000,
            "subscriber": str(vlan_id),
        },
        "arista_eos": {
            "switch": DEVICE,
            "accessInterface": "Ethernet1",
            "uplinkInterface": "Ethernet2",
            "vlanId": vlan_id,
            "downstreamMbps": mbps,
            "burstKbytes": mbps * 10 // 8,
        },
        "smartax": {
            "olt": DEVICE,
            "channelPartition": "0/1",
            "channelPair": "0/1/3",
            "onuId": number,
            "ontSerialNumber": f"ABCD{number:08X}",
            "vlanId": vlan_id,
            "uplinkInterface": "0/9/0",
            "upstreamBps": mbps * 1_000_000,
            "assuredBps": mbps * 500_000,
            "subscriber": str(vlan_id),
        },
        "frr": {
            "router": DEVICE,
            "routerInterface": "eth1",
            "vlanId": vlan_id,
            "address": f"10.42.1.{number + 14}",
            "gateway": "10.42.1.1",
        },
    }[platform]


def fragment(platform: str, vlan_id: int = 1042, mbps: int = 100, *, active: bool = True) -> Fragment:
    """Return the rendered fragment of the service on ``vlan_id``."""
    spec = INTENTS[INTENT_OF[platform]]
    service_id = ServiceId(f"svc-{vlan_id}")
    intent = build_intent(spec, service_id, characteristics(platform, vlan_id, mbps), active=active)
    text = RENDERER.render(intent, platform)
    return Fragment(service_id=service_id, device=DEVICE, intent=spec.name, text=text)


def adding(new: Fragment) -> list[FragmentChange]:
    """Return the change that adds ``new``."""
    return [FragmentChange(old=None, new=new)]


def removing(old: Fragment) -> list[FragmentChange]:
    """Return the change that removes ``old``."""
    return [FragmentChange(old=old, new=None)]


OLT_BASE: Final = """
<nc:config xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0">
  <if:interfaces xmlns:if="urn:ietf:params:xml:ns:yang:ietf-interfaces"
                 xmlns:i="urn:ietf:params:xml:ns:yang:iana-if-type">
    <if:interface><if:name>uplink1</if:name><if:type>i:ethernetCsmacd</if:type></if:interface>
  </if:interfaces>
</nc:config>
"""
OLT_OCCUPIED: Final = OLT_BASE.replace(
    "</nc:config>",
    """<xpongemtcont xmlns="urn:bbf:yang:bbf-xpongemtcont"><traffic-descriptor-profiles>
    <traffic-descriptor-profile><name>up-100M</name><fixed-bandwidth>7</fixed-bandwidth>
    <assured-bandwidth>50000000</assured-bandwidth></traffic-descriptor-profile>
    </traffic-descriptor-profiles></xpongemtcont></nc:config>""",
)
SWITCH_BASE: Final = """\
! device: sw1
hostname sw1
!
vlan 1000
   name access-mgmt
!
interface Ethernet1
   description olt1 uplink1
   switchport trunk allowed vlan 1000
   switchport mode trunk
!
interface Ethernet2
   description r1 eth1
   switchport trunk allowed vlan 1000
   switchport mode trunk
!
end
"""
SWITCH_OCCUPIED: Final = SWITCH_BASE.replace(
    "!\ninterface Ethernet1", "!\nvlan 1043\n   name guests\n!\ninterface Ethernet1"
).replace("allowed vlan 1000\n", "allowed vlan 1000,1043-1044\n")
ROUTER_BASE: Final = """\
frr version 8.4.4
hostname r1
!
ip route 0.0.0.0/0 192.0.2.1
!
interface eth1
 description sw1 Ethernet2
exit
!
end
"""
ROUTER_OCCUPIED: Final = ROUTER_BASE.replace(
    "exit\n!\nend", "exit\n!\ninterface eth1.1043\n description by hand\n ip address 10.9.9.9/32\nexit\n!\nend"
)
SMARTAX_BASE: Final = """\
#
sysname olt2
#
ont-srvprofile gpon profile-id 1 profile-name "bridge"
 ont-port pots 0 eth 4
commit
quit
#
vlan 100 smart
#
interface gpon 0/1
quit
#
return
"""
SMARTAX_OCCUPIED: Final = SMARTAX_BASE.replace(
    "#\nont-srv", '#\ndba-profile add profile-id 100 profile-name "up-100M" type4 max 1024\n#\nont-srv'
).replace("vlan 100 smart\n", "vlan 100 smart\nvlan 1043 smart\n")
BASES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "bbf_olt": (OLT_BASE, OLT_OCCUPIED),
        "arista_eos": (SWITCH_BASE, SWITCH_OCCUPIED),
        "frr": (ROUTER_BASE, ROUTER_OCCUPIED),
        "smartax": (SMARTAX_BASE, SMARTAX_OCCUPIED),
    }
)
