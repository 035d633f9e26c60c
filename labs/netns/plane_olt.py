"""What a TR-385 OLT's running datastore makes its data plane do. Pure.

A subscriber's frames pass when the whole chain stands: the ONT with the expected serial number is plugged into the PON
of the preferred channel pair; its v-ANI, virtual Ethernet and VLAN sub-interfaces are enabled; a GEM port carries it in
a T-CONT; and a forwarder joins its sub-interface with one of the uplink. The ONT takes untagged frames from the
subscriber and gives them the sub-interface's VLAN. The T-CONT's maximum bandwidth is the limit upstream.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from labs.netns.forwarding import Flow, Forwarding, Meter
from labs.netns.names import netdev

BURST_S: Final = 0.01
"""How much may come at once: what arrives in this time at full speed."""
_NAMESPACES: Final = {
    "if": "urn:ietf:params:xml:ns:yang:ietf-interfaces",
    "vani": "urn:bbf:yang:bbf-xponvani",
    "subif": "urn:bbf:yang:bbf-sub-interfaces",
    "tag": "urn:bbf:yang:bbf-sub-interface-tagging",
    "gem": "urn:bbf:yang:bbf-xpongemtcont",
    "fwd": "urn:bbf:yang:bbf-l2-forwarding",
}
_VLAN: Final = ".//tag:match-criteria/tag:tag[tag:index='0']/tag:dot1q-tag/tag:vlan-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ont:
    """An ONT as it is plugged in.

    Attributes:
        port: the OLT's end of the cable to it.
        channel_pair: what serves that PON port; empty where nobody said.
    """

    serial_number: str
    port: str
    channel_pair: str = ""

    def answers(self, serial_number: str, channel_pair: str) -> bool:
        """Say whether it is the ONT with that number, and on that channel pair as far as anybody said where it is."""
        fits = not self.channel_pair or channel_pair in {"", self.channel_pair}
        return self.serial_number.upper() == serial_number.upper() and fits


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leg:
    """A forwarder's port that carries frames.

    Attributes:
        ont: whether an ONT takes the tag off; else the frames keep it.
        max_bps: limit on the way in; None for none.
    """

    port: str
    vlan_id: int
    ont: bool = False
    max_bps: int | None = None


def olt_forwarding(running_config: str, onts: Iterable[Ont], uplinks: Iterable[str]) -> Forwarding:
    """Return what the OLT does with frames.

    Args:
        running_config: the running datastore as XML.
        onts: what is plugged into its PON ports.
        uplinks: its other cabled interfaces, as the OLT names them.
    """
    model = _Model(etree.fromstring(running_config.encode()), onts, uplinks)
    flows: set[Flow] = set()
    meters: dict[str, Meter] = {}
    for forwarder in model.all("fwd:forwarding/fwd:forwarders/fwd:forwarder"):
        legs = [leg for name in _texts(forwarder, "fwd:ports/fwd:port/fwd:sub-interface") if (leg := model.leg(name))]
        for leg in legs:
            others = [other for other in legs if other.ont != leg.ont]
            if not others:
                continue
            if leg.max_bps is not None:
                burst = max(1, round(leg.max_bps * BURST_S / 1000))
                meters[leg.port] = Meter(rate_kbps=leg.max_bps // 1000, burst_kbits=burst)
            flows.add(_flow(leg, others))
    return Forwarding(flows=frozenset(flows), meters=meters)


def _flow(leg: _Leg, others: Iterable[_Leg]) -> Flow:
    port = netdev(leg.port)
    if leg.ont:
        match = f"in_port={port},vlan_tci=0x0000/0x1fff"
        sent = [
            f"push_vlan:0x8100,set_field:{4096 + each.vlan_id}->vlan_vid,output:{netdev(each.port)}" for each in others
        ]
    else:
        match = f"in_port={port},dl_vlan={leg.vlan_id}"
        sent = ["strip_vlan", *(f"output:{netdev(each.port)}" for each in others)]
    return Flow(
        match=match,
        actions=",".join(sorted(sent, key=lambda action: action != "strip_vlan")),
        meter=leg.port if leg.max_bps else "",
    )


class _Model:
    """The configuration, looked up by name."""

    def __init__(self, root: etree._Element, onts: Iterable[Ont], uplinks: Iterable[str]) -> None:
        self._root = root
        self._onts = {ont.serial_number.upper(): ont for ont in onts}
        self._uplinks = frozenset(uplinks)
        self._interfaces = _named(self.all("if:interfaces/if:interface"))
        self._tconts = _named(self.all("gem:xpongemtcont/gem:tconts/gem:tcont"))
        profiles = "gem:xpongemtcont/gem:traffic-descriptor-profiles/gem:traffic-descriptor-profile"
        self._profiles = _named(self.all(profiles))
        self._gemports: dict[str, list[etree._Element]] = defaultdict(list)
        for gemport in self.all("gem:xpongemtcont/gem:gemports/gem:gemport"):
            self._gemports[_text(gemport, "gem:interface")].append(gemport)

    def all(self, path: str) -> list[etree._Element]:
        """Return the elements at ``path``."""
        return self._root.findall(path, _NAMESPACES)

    def leg(self, name: str) -> _Leg | None:
        """Return where a VLAN sub-interface leads, or None where the way is not up."""
        sub_interface = self._enabled(name)
        vlan = _text(sub_interface, _VLAN)
        lower = _text(sub_interface, "subif:subif-lower-layer/subif:interface")
        if not vlan.isdigit() or self._enabled(lower) is None:
            return None
        if lower in self._uplinks:
            return _Leg(port=lower, vlan_id=int(vlan))
        ont = self._ont(_text(self._enabled(lower), "vani:olt-v-enet/vani:lower-layer-interface"))
        gemports = self._gemports.get(lower, [])
        if ont is None or not gemports:
            return None
        return _Leg(port=ont.port, vlan_id=int(vlan), ont=True, max_bps=self._max_bps(gemports))

    def _ont(self, v_ani: str) -> Ont | None:
        interface = self._enabled(v_ani)
        ont = self._onts.get(_text(interface, "vani:v-ani/vani:expected-serial-number").upper())
        pair = _text(interface, "vani:v-ani/vani:preferred-channel-pair")
        return ont if ont is not None and ont.answers(ont.serial_number, pair) else None

    def _max_bps(self, gemports: Iterable[etree._Element]) -> int | None:
        rates = [
            int(rate)
            for gemport in gemports
            if (tcont := self._tconts.get(_text(gemport, "gem:tcont-ref"))) is not None
            and (
                rate := _text(
                    self._profiles.get(_text(tcont, "gem:traffic-descriptor-profile-ref")), "gem:maximum-bandwidth"
                )
            )
        ]
        return sum(rates) if rates else None

    def _enabled(self, name: str) -> etree._Element | None:
        interface = self._interfaces.get(name)
        return None if _text(interface, "if:enabled") == "false" else interface


def _named(elements: Iterable[etree._Element]) -> Mapping[str, etree._Element]:
    return {_own_name(element): element for element in elements}


def _own_name(element: etree._Element) -> str:
    return next((str(child.text) for child in element if etree.QName(child).localname == "name"), "")


def _texts(element: etree._Element, path: str) -> Iterator[str]:
    return (found.text.strip() for found in element.findall(path, _NAMESPACES) if found.text)


def _text(element: etree._Element | None, path: str) -> str:
    return next(_texts(element, path), "") if element is not None else ""
