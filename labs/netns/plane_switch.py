"""What an EOS switch's running configuration makes its data plane do. Pure.

VLANs pass where they exist, are active and are allowed. A police rate of a policy map applies to the VLANs of its class
maps, on the way into the interface that names the policy map. Rapid spanning tree runs in mode rstp.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from labs.embedded.cli_eos_language import HIGHEST_VLAN, TRUNK_ALLOWED, eos_language, vlan_ids
from labs.embedded.cli_tree import ConfigLine, Tree
from labs.netns.forwarding import Flow, Forwarding, Meter, PortVlans, SpanningTree
from labs.netns.names import netdev

DEFAULT_VLAN: Final = 1
STANDARD_PRIORITY: Final = 32768
KBPS: Final = {"bps": 0.001, "kbps": 1, "mbps": 1000, "gbps": 1_000_000}
KBITS: Final = {"bytes": 0.008, "kbytes": 8, "mbytes": 8000}
_EVERY_VLAN: Final = frozenset(range(1, HIGHEST_VLAN + 1))
_LANGUAGE: Final = eos_language()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Policed:
    """The VLANs of one class, held to one rate together."""

    name: str
    vlan_ids: frozenset[int]
    meter: Meter


def switch_forwarding(running_config: str, ports: Iterable[str]) -> Forwarding:
    """Return what the switch does with frames.

    Args:
        running_config: as the switch prints it.
        ports: the interfaces that are cabled, as the switch names them.
    """
    tree = _LANGUAGE.load(running_config)
    active = frozenset(_active_vlans(tree))
    policies = {section.key[-1]: tuple(_policed(section, tree)) for section in _sections(tree, "policy-map")}
    sections = {section.key[1]: section for section in _sections(tree, "interface")}
    vlans = {port: _port_vlans(sections.get(port), active) for port in ports}
    flows = {Flow(match="", actions="NORMAL", priority=0)}
    meters: dict[str, Meter] = {}
    for port in ports:
        for policed in policies.get(_value(sections.get(port), "service-policy type qos input"), ()):
            key = f"{port} {policed.name}"
            meters[key] = policed.meter
            flows |= {
                Flow(match=_frames(port, vlan_id, vlans[port]), actions="NORMAL", meter=key)
                for vlan_id in policed.vlan_ids & active
            }
    return Forwarding(
        ports={netdev(port): passing for port, passing in vlans.items()},
        flows=frozenset(flows),
        meters=meters,
        spanning_tree=_spanning_tree(tree, sections, vlans),
    )


def _frames(port: str, vlan_id: int, vlans: PortVlans) -> str:
    """Return what matches a VLAN's frames on their way in."""
    tag = "vlan_tci=0x0000/0x1fff" if vlan_id == vlans.untagged else f"dl_vlan={vlan_id}"
    return f"in_port={netdev(port)},{tag}"


def _spanning_tree(tree: Tree, sections: Mapping[str, ConfigLine], ports: Iterable[str]) -> SpanningTree | None:
    said = {line.key: line.text.split()[-1] for line in tree if line.key[0] == "spanning-tree"}
    if said.get(("spanning-tree", "mode")) != "rstp":
        return None
    edges = (port for port in ports if port in sections and _holds(sections[port], "spanning-tree portfast"))
    priority = next((int(value) for key, value in said.items() if key[:2] == ("spanning-tree", "priority")), None)
    return SpanningTree(
        priority=STANDARD_PRIORITY if priority is None else priority, edges=frozenset(map(netdev, edges))
    )


def _active_vlans(tree: Tree) -> Iterator[int]:
    yield DEFAULT_VLAN
    for section in _sections(tree, "vlan"):
        if not _holds(section, "state suspend"):
            yield from vlan_ids(section.key[1])


def _port_vlans(section: ConfigLine | None, active: frozenset[int]) -> PortVlans:
    if section is None:
        return PortVlans(untagged=DEFAULT_VLAN)
    if _holds(section, "shutdown") or _holds(section, "no switchport"):
        return PortVlans()
    if _value(section, "switchport mode") != "trunk":
        access = int(_value(section, "switchport access vlan") or DEFAULT_VLAN)
        return PortVlans(untagged=access if access in active else None)
    allowed = _trunk(_value(section, TRUNK_ALLOWED)) & active
    native = int(_value(section, "switchport trunk native vlan") or DEFAULT_VLAN)
    return PortVlans(untagged=native if native in allowed else None, tagged=allowed - {native})


def _trunk(operand: str) -> frozenset[int]:
    if operand in {"", "all"}:
        return _EVERY_VLAN
    return frozenset() if operand == "none" else vlan_ids(operand)


def _policed(policy: ConfigLine, tree: Tree) -> Iterator[_Policed]:
    matches = {section.key[-1]: _value(section, "match vlan") for section in _sections(tree, "class-map")}
    for each in policy.children:
        name = each.text.split()[-1]
        words = _value(each, "police rate").split()
        if not words or not matches.get(name):
            continue
        rate, rate_unit, _, size, size_unit = words
        meter = Meter(rate_kbps=round(int(rate) * KBPS[rate_unit]), burst_kbits=round(int(size) * KBITS[size_unit]))
        yield _Policed(name=name, vlan_ids=vlan_ids(matches[name]), meter=meter)


def _sections(tree: Tree, word: str) -> Iterator[ConfigLine]:
    return (line for line in tree if line.key[0] == word)


def _holds(section: ConfigLine, text: str) -> bool:
    return any(line.text == text for line in section.children)


def _value(section: ConfigLine | None, start: str) -> str:
    lines: tuple[ConfigLine, ...] = section.children if section is not None else ()
    return next((line.text.removeprefix(start).strip() for line in lines if line.text.startswith(f"{start} ")), "")
