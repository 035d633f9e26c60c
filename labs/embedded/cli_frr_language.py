"""The configuration language of the emulated FRR router: what vtysh takes, and in which order it prints it."""

import ipaddress
import re
from typing import Final

from labs.embedded.cli_config import Language, Rule
from labs.embedded.cli_grammar import (
    Value,
    ipv4_interface,
    ipv4_prefix,
    ipv6_interface,
    ipv6_prefix,
    number,
    one_of,
    word,
)

INDENT: Final = " "
HEAD: Final = "head"


def interface_name(text: str) -> str:
    """Return an interface name the kernel would take.

    Raises:
        ValueError: it is too long or holds a slash.
    """
    if not re.fullmatch(r"[^/\s]{1,15}", text):
        raise ValueError(text)
    return text


def next_hop(text: str) -> str:
    """Return a gateway address, ``Null0``, ``blackhole`` or an interface name.

    Raises:
        ValueError: it is none of these.
    """
    if re.fullmatch(r"[\d.]+", text):
        return str(ipaddress.IPv4Address(text))
    if ":" in text:
        return str(ipaddress.IPv6Address(text))
    return interface_name(text)


_BGP_AF: Final = (
    Rule(pattern="network {text}"),
    Rule(pattern="redistribute {text}"),
    Rule(pattern="neighbor {text}", entry_order=True),
    Rule(pattern="maximum-paths | {int}"),
)

MODES: Final[dict[str, tuple[Rule, ...]]] = {
    "global": (
        Rule(pattern="frr version | {word}", group=HEAD),
        Rule(pattern="frr defaults | {word}", group=HEAD),
        Rule(pattern="hostname | {word}", group=HEAD),
        Rule(pattern="log {text}", group=HEAD),
        Rule(pattern="no ip forwarding", group=HEAD),
        Rule(pattern="no ipv6 forwarding", group=HEAD),
        Rule(pattern="service integrated-vtysh-config", group=HEAD),
        Rule(pattern="service password-encryption", group=HEAD),
        Rule(pattern="ip route {prefix} {hop}", group="route"),
        Rule(pattern="ip route {prefix} {hop} | {int}", group="route"),
        Rule(pattern="ipv6 route {prefix6} {hop}", group="route"),
        Rule(pattern="vrf {word}", opens="vrf", prompt="vrf", closing="exit-vrf"),
        Rule(pattern="interface {interface}", opens="interface", prompt="if", closing="exit"),
        Rule(pattern="interface {interface} vrf {word}", opens="interface", prompt="if", closing="exit"),
        Rule(pattern="router bgp {int}", opens="router-bgp", prompt="router", closing="exit"),
        Rule(pattern="router ospf", opens="router-ospf", prompt="router", closing="exit"),
        Rule(pattern="ip prefix-list {text}", group="prefix-list"),
        Rule(pattern="route-map {word} {permit} {int}", opens="route-map", prompt="route-map", closing="exit"),
    ),
    "vrf": (Rule(pattern="ip route {prefix} {hop}"),),
    "interface": (
        Rule(pattern="description | {text}"),
        Rule(pattern="ip address {interface-prefix}", entry_order=True),
        Rule(pattern="ipv6 address {interface-prefix6}", entry_order=True),
        Rule(pattern="ip ospf {text}"),
        Rule(pattern="ip igmp"),
        Rule(pattern="ip pim"),
        Rule(pattern="no ipv6 nd suppress-ra"),
        Rule(pattern="bandwidth | {int}"),
        Rule(pattern="shutdown"),
    ),
    "router-bgp": (
        Rule(pattern="bgp {text}"),
        Rule(pattern="no bgp ebgp-requires-policy"),
        *_BGP_AF[2:3],
        Rule(
            pattern="address-family {family} {safi}",
            opens="router-bgp-af",
            prompt="router-af",
            closing="exit-address-family",
        ),
    ),
    "router-bgp-af": _BGP_AF,
    "router-ospf": (
        Rule(pattern="ospf router-id | {address}"),
        Rule(pattern="redistribute {text}"),
        Rule(pattern="passive-interface {interface}"),
        Rule(pattern="network {prefix} area {word}"),
    ),
    "route-map": (Rule(pattern="match {text}"), Rule(pattern="set {text}")),
}

_VALUES: Final[dict[str, Value]] = {
    "{word}": word,
    "{int}": number(0, 2**32 - 1),
    "{prefix}": ipv4_prefix,
    "{prefix6}": ipv6_prefix,
    "{interface-prefix}": ipv4_interface,
    "{interface-prefix6}": ipv6_interface,
    "{address}": lambda text: str(ipaddress.IPv4Address(text)),
    "{hop}": next_hop,
    "{interface}": interface_name,
    "{permit}": one_of("permit", "deny"),
    "{family}": one_of("ipv4", "ipv6", "l2vpn"),
    "{safi}": one_of("unicast", "multicast", "evpn"),
}

FRR: Final = Language(modes=MODES, values=_VALUES)
