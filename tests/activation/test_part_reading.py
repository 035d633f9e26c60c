"""A part of a configuration reads, where it was asked for, as the whole does."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activation.cli_tree import parse
from activation.model import Path
from activation.notation import Scope
from activation.part_reading import part_commands
from activation.plan import plan_device, touched_paths
from activation.platforms import Platform
from activation.terminal import PartRule, TerminalRules
from labs.embedded.cli_pipe import filtered
from tests.activation.services import BASES, DEVICE, OLT, ROUTER, SWITCH, adding, fragment

RULES, TERMINAL = SWITCH.cli_rules, SWITCH.terminal
VLANS = st.sampled_from(["10", "11", "100", "1000", "10-12", "9,11,100-101", "10,1000"])
PORTS = st.sampled_from(["Ethernet1", "Ethernet1/1", "Ethernet10", "Ethernet1.100", "Management0"])
NAMES = st.sampled_from(["lm-vlan-10", "lm-vlan-100", "a.b", "odd (1)", "x|y", "why?"])
INNER = st.sampled_from(["name a", "description two  words", "switchport trunk allowed vlan 10-12,100", "mtu 9000"])
HEADS = st.one_of(
    VLANS.map("vlan {}".format),
    PORTS.map("interface {}".format),
    NAMES.map("class-map type qos match-any {}".format),
    st.sampled_from(["hostname sw1", "hostname  sw1", "ip route 0.0.0.0/0 10.0.0.1", "ip routes"]),
)
CONFIGURATIONS = st.dictionaries(HEADS, st.lists(INNER, max_size=3, unique=True), max_size=12)
TOUCHED = st.lists(
    st.one_of(
        HEADS.map(lambda head: (head,)),
        st.tuples(HEADS, INNER),
        st.sampled_from(["10", "11", "101"]).map(lambda vlan_id: (f"vlan {vlan_id}", "name")),
        st.just(("hostname",)),
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


def shown(platform: Platform, running: str, touched: Sequence[Path]) -> str:
    """Return what a switch that carries ``running`` prints when it is asked for ``touched``."""
    asked = [command.partition(" | ")[2] for command in part_commands(touched, platform.cli, platform.terminal)]
    return "\n".join(filtered(running, pipe) for pipe in asked) if asked else running


@given(CONFIGURATIONS, TOUCHED)
def test_a_part_reads_as_the_whole_does_where_it_was_asked_for(
    sections: dict[str, list[str]], touched: list[Path]
) -> None:
    blocks = ("\n".join([head, *(f"   {line}" for line in inner)]) for head, inner in sections.items())
    whole = "\n!\n".join(["! Command: show running-config", *blocks, "end"]) + "\n"
    part = shown(SWITCH, whole, touched)
    scope = Scope.of(touched)
    assert parse(part, RULES, scope) == parse(whole, RULES, scope)
    assert part.endswith("end\n")


def test_what_nobody_asks_for_is_not_printed() -> None:
    many = "".join(f"vlan {n}\n   name v{n}\n" for n in range(2000, 3000))
    running = BASES["arista_eos"][0].replace("end\n", f"{many}end\n")
    changes = adding(fragment("arista_eos"))
    part = shown(SWITCH, running, touched_paths(SWITCH, changes))
    assert len(part.splitlines()) < 20
    assert plan_device(DEVICE, SWITCH, part, changes) == plan_device(DEVICE, SWITCH, running, changes)


def test_no_command_holds_what_a_command_line_would_take_for_something_else() -> None:
    touched = [(f"class-map {odd}",) for odd in ("why?", "a|b", 'quoted "it"', "a\\b", "two  blanks", "$x", "^y")]
    (command,) = part_commands(touched, RULES, TERMINAL)
    pattern = command.partition("section ")[2]
    assert re.fullmatch(r"\^\([A-Za-z0-9 /:,_.|*-]+\)\$", pattern), pattern
    assert all(re.search(pattern, head) for (head,) in touched)


def test_what_is_too_long_for_one_command_goes_as_several_and_what_is_too_much_is_read_whole() -> None:
    rule = PartRule(command="show | section ^({lines})$", longest=80, most=3)
    terminal = TerminalRules(read_part=rule)
    several = part_commands([(f"interface Ethernet{n}",) for n in range(5)], RULES, terminal)
    assert 1 < len(several) <= rule.most
    assert all(len(command) <= rule.longest for command in several)
    assert all(sum(f"Ethernet{n}|" in command for command in several) == 1 for n in range(5))
    assert part_commands([(f"interface Ethernet{n}",) for n in range(50)], RULES, terminal) == ()
    assert part_commands([("interface " + "x" * 80,)], RULES, terminal) == ()


@pytest.mark.parametrize("platform", [OLT, ROUTER], ids=lambda platform: platform.name)
def test_a_platform_that_prints_no_parts_is_read_whole(platform: Platform) -> None:
    assert part_commands([("interface Ethernet1",)], platform.cli, platform.terminal) == ()


def test_all_is_read_where_nothing_is_named() -> None:
    assert part_commands([], RULES, TERMINAL) == ()


BAD = {
    "no place for the lines": ({"read_part": {"command": "show x"}}, r"legal: \{lines\}, once"),
    "no end to look for": ({"read_part": {"command": "show {lines}"}, "last_line": ""}, "only a last_line tells"),
}


@pytest.mark.parametrize(("terminal", "reason"), BAD.values(), ids=BAD)
def test_a_rule_that_cannot_work_is_refused(terminal: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TerminalRules.model_validate(terminal)
