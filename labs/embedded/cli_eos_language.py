"""The configuration language of the emulated Arista EOS switch: what it takes, and in which order it prints it."""

import re
from collections.abc import Iterable
from typing import Final

from labs.embedded.cli_config import Language, Rewrite, Rule
from labs.embedded.cli_grammar import Value, ipv4_interface, ipv4_prefix, number, one_of, word
from labs.embedded.cli_tree import Tree, find

HIGHEST_VLAN: Final = 4094
TRUNK_ALLOWED: Final = "switchport trunk allowed vlan"
INDENT: Final = "   "
INTERFACE_KINDS: Final = ("Ethernet", "Loopback", "Management", "Port-Channel", "Vlan")
PHYSICAL_KINDS: Final = ("Ethernet", "Management")


def vlan_ids(text: str) -> frozenset[int]:
    """Return the VLANs of a list such as ``10,20-22``.

    Raises:
        ValueError: not such a list, or a VLAN id outside 1-4094.
    """
    ids: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"(\d+)(?:-(\d+))?", part, flags=re.ASCII)
        if found is None:
            raise ValueError(text)
        low, high = int(found[1]), int(found[2] or found[1])
        if not 1 <= low <= high <= HIGHEST_VLAN:
            raise ValueError(text)
        ids.update(range(low, high + 1))
    return frozenset(ids)


def vlan_list(ids: Iterable[int]) -> str:
    """Return VLANs as the shortest list of ranges, ``none`` for no VLAN."""
    runs: list[list[int]] = []
    for vlan_id in sorted(ids):
        if runs and vlan_id == runs[-1][1] + 1:
            runs[-1][1] = vlan_id
        else:
            runs.append([vlan_id, vlan_id])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs) or "none"


def trunk_allowed(line: str, stored: str | None) -> str | None:
    """Return the stored form of a typed ``switchport trunk allowed vlan ...``; None means all VLANs, the default.

    Raises:
        ValueError: not a list of VLANs, or an unknown keyword before it.
    """
    action, _, operand = line.removeprefix(TRUNK_ALLOWED).strip().rpartition(" ")
    every = frozenset(range(1, HIGHEST_VLAN + 1))
    before = _allowed(stored.removeprefix(TRUNK_ALLOWED).strip()) if stored is not None else every
    changes = {
        "": lambda: _allowed(operand),
        "add": lambda: before | vlan_ids(operand),
        "remove": lambda: before - vlan_ids(operand),
        "except": lambda: every - vlan_ids(operand),
    }
    if action not in changes:
        raise ValueError(line)
    after = changes[action]()
    return None if after == every else f"{TRUNK_ALLOWED} {vlan_list(after)}"


def _allowed(operand: str) -> frozenset[int]:
    if operand == "none":
        return frozenset()
    return frozenset(range(1, HIGHEST_VLAN + 1)) if operand == "all" else vlan_ids(operand)


def _unless(default: str) -> Rewrite:
    return lambda line, _stored: None if line == default else line


def interface_name(ports: frozenset[str] | None) -> Value:
    """Return a value that takes interface names, also short ones; of physical ones only those in ``ports``."""

    def accept(text: str) -> str:
        found = re.fullmatch(r"([A-Za-z-]+)(\d[\d/]*(?:\.\d+)?)", text, flags=re.ASCII)
        kinds = [kind for kind in INTERFACE_KINDS if found and kind.lower().startswith(found[1].lower())]
        if found is None or len(kinds) != 1:
            raise ValueError(text)
        name = kinds[0] + found[2]
        if ports is not None and name.startswith(PHYSICAL_KINDS) and name.partition(".")[0] not in ports:
            raise ValueError(text)
        return name

    return accept


def is_physical(name: str) -> bool:
    """Say whether the interface exists as long as the device."""
    return name.startswith(PHYSICAL_KINDS) and "." not in name


def _policy_type(text: str) -> str:
    if text not in {"qos", "quality-of-service"}:
        raise ValueError(text)
    return "quality-of-service"


_BGP_LINES: Final = (
    Rule(pattern="router-id | {word}"),
    Rule(pattern="maximum-paths | {text}"),
    Rule(pattern="neighbor {text}"),
    Rule(pattern="network {text}"),
    Rule(pattern="redistribute {text}"),
)

MODES: Final[dict[str, tuple[Rule, ...]]] = {
    "global": (
        Rule(pattern="no aaa root", group="aaa"),
        Rule(pattern="aaa {text}"),
        Rule(pattern="username {word} | {text}"),
        Rule(pattern="management api http-commands", opens="management", prompt="mgmt-api-http-cmds"),
        Rule(pattern="management ssh", opens="management", prompt="mgmt-ssh"),
        Rule(pattern="agent {text}"),
        Rule(pattern="transceiver {text}"),
        Rule(pattern="service routing protocols model | {word}"),
        Rule(pattern="logging {text}"),
        Rule(pattern="hostname | {word}"),
        Rule(pattern="ip name-server {text}", group="name"),
        Rule(pattern="dns domain | {word}", group="name"),
        Rule(pattern="ntp {text}"),
        Rule(pattern="snmp-server {text}"),
        Rule(pattern="spanning-tree mode | {stp-mode}"),
        Rule(pattern="spanning-tree priority | {int}"),
        Rule(pattern="no spanning-tree vlan-id {vlans}", group="spanning-tree"),
        Rule(pattern="system l1", opens="system-l1", prompt="system-l1"),
        Rule(pattern="clock timezone | {word}"),
        Rule(pattern="vlan {vlan-id}", opens="vlan", prompt="vlan-{1}"),
        Rule(pattern="vrf instance {word}", opens="vrf", prompt="vrf-{2}"),
        Rule(pattern="interface {interface}", opens="interface", prompt="if-{1}", permanent=is_physical),
        Rule(pattern="mac address-table {text}"),
        Rule(pattern="class-map type qos match-any {word}", opens="class-map", prompt="cmap-qos-{4}"),
        Rule(pattern="policy-map type {policy-type} {word}", opens="policy-map", prompt="pmap-{2}-{3}"),
        Rule(pattern="ip routing", key=("ip", "routing"), group="ip routing"),
        Rule(pattern="no ip routing", key=("ip", "routing"), group="ip routing"),
        Rule(pattern="ip route {prefix} {hop}", group="ip route"),
        Rule(pattern="router bgp {int}", opens="router-bgp", prompt="router-bgp"),
    ),
    "management": (
        Rule(pattern="no shutdown"),
        Rule(pattern="protocol {text}"),
        Rule(pattern="idle-timeout | {int}"),
    ),
    "system-l1": (
        Rule(pattern="unsupported speed action | {word}"),
        Rule(pattern="unsupported error-correction action | {word}"),
    ),
    "vlan": (
        Rule(pattern="name | {word}"),
        Rule(pattern="state | {vlan-state}", rewrite=_unless("state active")),
    ),
    "vrf": (Rule(pattern="rd | {word}"), Rule(pattern="description | {text}")),
    "interface": (
        Rule(pattern="description | {text}"),
        Rule(pattern="mtu | {mtu}"),
        Rule(pattern="speed | {word}"),
        Rule(pattern="shutdown"),
        Rule(pattern="switchport access vlan | {vlan-id}", rewrite=_unless("switchport access vlan 1")),
        Rule(pattern="switchport trunk native vlan | {vlan-id}", rewrite=_unless("switchport trunk native vlan 1")),
        Rule(pattern=f"{TRUNK_ALLOWED} | {{text}}", rewrite=trunk_allowed),
        Rule(pattern="switchport mode | {switchport-mode}", rewrite=_unless("switchport mode access")),
        Rule(pattern="no switchport"),
        Rule(pattern="channel-group | {int} mode {lacp-mode}"),
        Rule(pattern="encapsulation dot1q vlan | {vlan-id}"),
        Rule(pattern="vrf | {word}"),
        Rule(pattern="ip address | {interface-prefix}"),
        Rule(pattern="storm-control {text}"),
        Rule(pattern="spanning-tree portfast"),
        Rule(pattern="spanning-tree bpduguard | {on-off}"),
        Rule(pattern="service-policy type qos input | {word}"),
    ),
    "class-map": (Rule(pattern="match vlan | {vlans}"),),
    "policy-map": (Rule(pattern="class {word}", opens="policy-class", prompt="c-{1}", entry_order=True),),
    "policy-class": (
        Rule(pattern="police rate | {rate} {rate-unit} burst-size {int} {size-unit}"),
        Rule(pattern="set cos | {cos}"),
        Rule(pattern="set traffic-class | {cos}"),
    ),
    "router-bgp": (*_BGP_LINES, Rule(pattern="address-family {text}", opens="router-bgp-af", prompt="af")),
    "router-bgp-af": _BGP_LINES,
}


def _values(ports: frozenset[str] | None) -> dict[str, Value]:
    return {
        "{word}": word,
        "{int}": number(0, 2**32 - 1),
        "{vlan-id}": number(1, HIGHEST_VLAN),
        "{vlans}": lambda text: vlan_list(vlan_ids(text)),
        "{interface}": interface_name(ports),
        "{policy-type}": _policy_type,
        "{prefix}": ipv4_prefix,
        "{interface-prefix}": ipv4_interface,
        "{hop}": word,
        "{mtu}": number(68, 9214),
        "{cos}": number(0, 7),
        "{rate}": number(1, 400_000_000),
        "{rate-unit}": one_of("bps", "kbps", "mbps", "gbps"),
        "{size-unit}": one_of("bytes", "kbytes", "mbytes"),
        "{stp-mode}": one_of("mstp", "rstp", "rapid-pvst", "none"),
        "{vlan-state}": one_of("active", "suspend"),
        "{switchport-mode}": one_of("access", "trunk", "dot1q-tunnel"),
        "{lacp-mode}": one_of("active", "passive", "on"),
        "{on-off}": one_of("enable", "disable"),
    }


def eos_language(ports: frozenset[str] | None = None) -> Language:
    """Return the language of a switch with these physical ``ports``; None takes any port."""
    return Language(modes=MODES, values=_values(ports))


def physical_ports(tree: Tree) -> frozenset[str]:
    """Return the names of the physical interfaces in a configuration."""
    return frozenset(line.key[1] for line in tree if line.key[0] == "interface" and is_physical(line.key[1]))


def missing_references(tree: Tree) -> list[str]:
    """Return what the configuration refers to and does not hold, one sentence each."""
    problems = []
    for section in tree:
        for line in section.children:
            name = line.text.split()[-1]
            if line.key == ("service-policy", "type", "qos", "input"):
                policy = ("policy-map", "type", "quality-of-service", name)
                if find(tree, policy) is None:
                    problems.append(f"{section.text}: policy-map {name} does not exist")
            elif section.key[0] == "policy-map" and name != "class-default":
                class_map = ("class-map", "type", "qos", "match-any", name)
                if find(tree, class_map) is None:
                    problems.append(f"{section.text}: class-map {name} does not exist")
    return problems
