"""What is looked up is what a look at every line finds."""

import re

import pytest

from labs.embedded.cli_eos_language import eos_language
from labs.embedded.cli_heads import Heads
from tests.labs.embedded.cli_devices import START_CONFIGS

TREE = eos_language().load((START_CONFIGS / "sw1.cfg").read_text().replace("end\n", "vlan 7\nvlan 70\nend\n"))
PATTERNS = [
    "^(vlan 7)$",
    "^(vlan 70|interface Ethernet1|hostname sw1|end)$",
    "^(vlan .*[0].*|interface Ethernet.)$",
    "^(.* Ethernet1|ip route 0.0.0.0/0 172.20.20.1)$",
    "^(vlan 8|no such line)$",
    "^(vlan 7|)$",
    "vlan",
    "^vlan 7",
    "^(vlan (7|70))$",
    "(no )?ip routing$",
    "",
]


@pytest.mark.parametrize("wanted", PATTERNS)
def test_the_lines_a_pattern_matches_are_found_in_their_order(wanted: str) -> None:
    pattern = re.compile(wanted)
    assert Heads.of(TREE).matching(pattern) == tuple(line for line in TREE if pattern.search(line.text))
