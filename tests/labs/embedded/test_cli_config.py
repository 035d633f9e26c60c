"""The configuration trees of switch and router: canonical form, order, and the law that removing undoes adding."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.embedded.cli_config import TOP, Language
from labs.embedded.cli_eos_language import (
    eos_language,
    missing_references,
    physical_ports,
    trunk_allowed,
    vlan_ids,
    vlan_list,
)
from labs.embedded.cli_frr_language import FRR
from labs.embedded.cli_grammar import Refusal
from labs.embedded.cli_tree import Tree, difference, printed
from tests.labs.embedded.cli_devices import START_CONFIGS

SWITCH = eos_language().load((START_CONFIGS / "sw1.cfg").read_text())
EOS = eos_language(physical_ports(SWITCH))
ROUTER = FRR.load((START_CONFIGS / "r1.cfg").read_text())


def typed(language: Language, tree: Tree, *lines: str) -> Tree:
    place = TOP
    for line in lines:
        tree, place = (tree, place.outward()) if line == "exit" else language.apply(tree, place, line)
    return tree


def text(tree: Tree, indent: str = "   ") -> str:
    return "\n".join(printed(tree, indent=indent))


# Lists of VLANs


@pytest.mark.parametrize(
    ("line", "stored", "expected"),
    [
        ("1000", None, "1000"),
        ("add 1042", "1000", "1000,1042"),
        ("add 1001", "1000", "1000-1001"),
        ("add 10,12-13", "11", "10-13"),
        ("remove 1042", "1000,1042", "1000"),
        ("remove 11", "10-12", "10,12"),
        ("remove 1000", "1000", "none"),
        ("remove 7", "none", "none"),
        ("add 7", "none", "7"),
        ("none", "1000", "none"),
        ("all", "1000", None),
        ("add 7", None, None),
        ("remove 2-4094", None, "1"),
        ("except 2-4094", "5", "1"),
        ("20,10", "5", "10,20"),
    ],
)
def test_the_allowed_vlans_become_one_list(line: str, stored: str | None, expected: str | None) -> None:
    prefix = "switchport trunk allowed vlan "
    assert trunk_allowed(prefix + line, stored and prefix + stored) == (expected and prefix + expected)


@pytest.mark.parametrize("line", ["0", "4095", "abc", "10-", "20-10", "add", "add x", "toggle 10", "1,,2", "add 1 2"])
def test_a_bad_vlan_list_is_refused(line: str) -> None:
    with pytest.raises(Refusal):
        typed(EOS, SWITCH, "interface Ethernet1", f"switchport trunk allowed vlan {line}")


@given(st.frozensets(st.integers(1, 4094)))
def test_a_vlan_list_names_exactly_its_vlans(ids: frozenset[int]) -> None:
    assert (vlan_ids(vlan_list(ids)) if ids else vlan_list(ids)) == (ids or "none")


# Single lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("vlan 10", "name a", "name b"), "vlan 10\n   name b\n"),
        (("interface Ethernet1", "description new uplink"), "   description new uplink\n"),
        (("int et1", "mtu 9000"), "interface Ethernet1\n   description olt1 uplink1\n   mtu 9000\n"),
        (("ip routing",), "\nip routing\n"),
        (
            (
                "policy-map type qos p",
                "class c",
                "police rate 1 mbps burst-size 2 kbytes",
                "police rate 3 mbps burst-size 4 kbytes",
            ),
            "policy-map type quality-of-service p\n   class c\n      police rate 3 mbps burst-size 4 kbytes\n",
        ),
    ],
)
def test_a_line_replaces_its_predecessor(lines: Sequence[str], expected: str) -> None:
    assert expected in text(typed(EOS, SWITCH, *lines))


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        (("interface Ethernet1", "no description"), "description olt1"),
        (("no vlan 1000",), "name access-mgmt"),
        (
            ("interface Ethernet1", "switchport mode access"),
            "vlan 1000\n   switchport mode trunk\n!\ninterface Ethernet2",
        ),
        (("interface Ethernet1", "no switchport trunk allowed vlan"), "uplink1\n   switchport trunk allowed"),
        (("management api http-commands", "shutdown"), "no shutdown"),
        (("default interface Ethernet1",), "olt1 uplink1"),
        (("no ip route 0.0.0.0/0 172.20.20.1",), "ip route"),
    ],
)
def test_a_removed_line_is_gone(lines: Sequence[str], gone: str) -> None:
    assert gone in text(SWITCH)
    assert gone not in text(typed(EOS, SWITCH, *lines))


def test_removing_another_value_changes_nothing() -> None:
    bound = typed(EOS, SWITCH, "interface Ethernet2", "service-policy type qos input mine")
    assert typed(EOS, bound, "interface Ethernet2", "no service-policy type qos input other") == bound


def test_a_port_outlives_its_removal() -> None:
    assert "interface Ethernet1\n!" in text(typed(EOS, SWITCH, "no interface Ethernet1"))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("vlan 4095", "4095"),
        ("no vlan 4095", "4095"),
        ("interface Ethernet9", "Ethernet9"),
        ("interface Spaceship1", "Spaceship1"),
        ("no frobnicate", "frobnicate"),
        ("spanning-tree mode magic", "magic"),
        ("policy-map type magic x", "magic"),
    ],
)
def test_a_wrong_word_is_refused_and_named(line: str, word: str) -> None:
    with pytest.raises(Refusal) as refused:
        typed(EOS, SWITCH, line)
    assert refused.value.word == word


def test_vlans_and_interfaces_print_in_the_order_of_their_numbers() -> None:
    tree = typed(EOS, SWITCH, "vlan 1042", "vlan 7", "interface Loopback10", "interface Loopback9", "interface Vlan7")
    headers = [line.text for line in tree if line.key[0] in {"vlan", "interface"}]
    assert headers == [
        "vlan 7",
        "vlan 1000",
        "vlan 1042",
        "interface Ethernet1",
        "interface Ethernet2",
        "interface Ethernet3",
        "interface Loopback9",
        "interface Loopback10",
        "interface Management0",
        "interface Vlan7",
    ]


def test_classes_keep_the_order_in_which_they_are_evaluated() -> None:
    tree = typed(EOS, SWITCH, "policy-map type quality-of-service p", "class b", "class a")
    assert "   class b\n   !\n   class a" in text(tree)


def test_missing_references_are_found() -> None:
    policy = (
        "policy-map type quality-of-service p",
        "class c",
        "interface Ethernet1",
        "service-policy type qos input q",
    )
    assert missing_references(SWITCH) == []
    assert missing_references(typed(EOS, SWITCH, *policy)) == [
        "interface Ethernet1: policy-map q does not exist",
        "policy-map type quality-of-service p: class-map c does not exist",
    ]


def test_a_difference_shows_changes_under_their_headers() -> None:
    after = typed(
        EOS, SWITCH, "vlan 7", "name x", "interface Ethernet2", "switchport trunk allowed vlan add 7", "no vlan 1000"
    )
    assert difference(SWITCH, after, indent="   ") == [
        "+vlan 7",
        "+   name x",
        "-vlan 1000",
        "-   name access-mgmt",
        " interface Ethernet2",
        "-   switchport trunk allowed vlan 1000",
        "+   switchport trunk allowed vlan 7,1000",
    ]


# Laws


def _switch_service(vlan: int) -> tuple[list[str], list[str]]:
    uplink, name = f"interface Ethernet{1 + vlan % 2}", f"lm-vlan-{vlan}"
    add = [f"vlan {vlan}", f"name ftth-{vlan}", uplink, f"switchport trunk allowed vlan add {vlan}"]
    add += [f"class-map type qos match-any {name}", f"match vlan {vlan}"]
    add += ["policy-map type quality-of-service p", f"class {name}", "police rate 100 mbps burst-size 256 kbytes"]
    remove = ["policy-map type quality-of-service p", f"no class {name}", f"no class-map type qos match-any {name}"]
    remove += [uplink, f"switchport trunk allowed vlan remove {vlan}", f"no vlan {vlan}"]
    return add, remove


def _router_service(vlan: int) -> tuple[list[str], list[str]]:
    interface, route = f"interface eth1.{vlan}", f"ip route 10.42.{vlan % 256}.{vlan // 256}/32 eth1.{vlan}"
    add = [interface, f"description lastmile vlan {vlan}", "ip address 10.42.1.1/32", "exit", route]
    return add, [f"no {route}", f"no {interface}"]


VLANS = st.lists(st.integers(2, 4094).filter(lambda vlan: vlan != 1000), unique=True, max_size=6)


@settings(max_examples=40, deadline=None)
@given(VLANS.flatmap(lambda vlans: st.tuples(st.just(vlans), st.permutations(vlans))))
def test_removing_what_was_added_restores_the_switch(order: tuple[list[int], list[int]]) -> None:
    added, removed = order
    base = typed(EOS, SWITCH, "policy-map type quality-of-service p")
    tree = typed(EOS, base, *(line for vlan in added for line in _switch_service(vlan)[0]))
    assert all(f"\nvlan {vlan}\n" in text(tree) for vlan in added)
    assert text(typed(EOS, tree, *(line for vlan in removed for line in _switch_service(vlan)[1]))) == text(base)


@settings(max_examples=40, deadline=None)
@given(VLANS.flatmap(lambda vlans: st.tuples(st.just(vlans), st.permutations(vlans))))
def test_removing_what_was_added_restores_the_router(order: tuple[list[int], list[int]]) -> None:
    added, removed = order
    tree = typed(FRR, ROUTER, *(line for vlan in added for line in _router_service(vlan)[0]))
    assert all(f"\ninterface eth1.{vlan}\n" in text(tree, " ") for vlan in added)
    removal = [line for vlan in removed for line in _router_service(vlan)[1]]
    assert text(typed(FRR, tree, *removal), " ") == text(ROUTER, " ")


@settings(max_examples=40, deadline=None)
@given(VLANS)
def test_a_printed_configuration_loads_as_itself(vlans: list[int]) -> None:
    switch = typed(EOS, SWITCH, *(line for vlan in vlans for line in _switch_service(vlan)[0]))
    router = typed(FRR, ROUTER, *(line for vlan in vlans for line in _router_service(vlan)[0]))
    assert EOS.load(text(switch)) == switch
    assert FRR.load(text(router, " ")) == router


def test_the_router_keeps_several_addresses_and_nested_sections() -> None:
    lines = ["interface eth1.7", "ip address 10.0.0.1/31", "ip address 10.0.0.3/31", "exit", "router bgp 65001"]
    lines += ["neighbor 10.0.0.0 remote-as 65002", "address-family ipv4 unicast", "network 10.42.0.0/16", "exit"]
    assert text(typed(FRR, ROUTER, *lines), " ").endswith(
        "router bgp 65001\n neighbor 10.0.0.0 remote-as 65002\n !\n address-family ipv4 unicast\n"
        "  network 10.42.0.0/16\n exit-address-family\nexit"
    )
    assert " ip address 10.0.0.1/31\n ip address 10.0.0.3/31\nexit" in text(typed(FRR, ROUTER, *lines), " ")


def test_a_route_with_another_distance_takes_the_place_of_the_first() -> None:
    tree = typed(FRR, ROUTER, "ip route 10.0.0.0/8 eth2", "ip route 0.0.0.0/0 192.0.2.1 250")
    assert [line.text for line in tree if line.key[:2] == ("ip", "route")] == [
        "ip route 0.0.0.0/0 192.0.2.1 250",
        "ip route 10.0.0.0/8 eth2",
    ]
