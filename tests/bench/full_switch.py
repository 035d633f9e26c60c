"""A switch that carries thousands of E-Lines: a class-map, a policy-map and a port each."""

from dataclasses import replace
from typing import Final

from labs.embedded.cli_config import Language
from labs.embedded.cli_eos_language import eos_language
from labs.embedded.cli_grammar import natural_key
from labs.embedded.cli_tree import ConfigLine, Tree
from labs.embedded.eos import EosNode
from labs.embedded.lab import EmbeddedLab

VLANS: Final = 4093
NUMBER: Final = "0000000"
ONE: Final = """\
class-map type qos match-any lm-e-line-0000000-filled
   match vlan 7
policy-map type quality-of-service lm-e-line-0000000-filled
   class lm-e-line-0000000-filled
      police rate 100 mbps burst-size 256 kbytes
interface Ethernet0000000
   description e-line c0000000
   switchport access vlan 7
   service-policy type qos input lm-e-line-0000000-filled
"""


def vlan_of(number: int) -> int:
    """Return the VLAN of an E-Line; there are more E-Lines here than VLANs."""
    return 2 + number % VLANS


def own_name(text: str, number: int) -> str:
    """Return the fragment ``text`` of an E-Line with a policy map of its own: there are fewer VLANs than E-Lines."""
    return text.replace(f"lm-e-line-{vlan_of(number)}", f"lm-e-line-{number}-filled")


def fill_with_e_lines(lab: EmbeddedLab, count: int) -> None:
    """Let the last node of ``lab`` carry E-Lines 1 to ``count``, past its command line.

    Typed in, they would take minutes.
    """
    if not count:
        return
    node = lab._places[lab.nodes()[-1].name].node
    if not isinstance(node, EosNode):
        raise TypeError(f"{node!r} is no switch")
    system = node._system
    one = eos_language().load(ONE)
    more = (_numbered(line, number) for number in range(1, count + 1) for line in one)
    running: Tree = tuple(sorted((*system.running, *more), key=lambda line: line.order))
    ports = frozenset(line.key[1] for line in running if line.key[0] == "interface")
    system.language = Language(modes=system.language.modes, values=eos_language(ports).values)
    system.running = running


def _numbered(line: ConfigLine, number: int) -> ConfigLine:
    key = tuple(_one_of(word, number) for word in line.key)
    return replace(
        line,
        text=_one_of(line.text, number),
        key=key,
        order=(line.order[0], natural_key(" ".join(key))) if line.order[1] else line.order,
        children=tuple(_numbered(child, number) for child in line.children),
    )


def _one_of(text: str, number: int) -> str:
    return text.replace(NUMBER, str(number)).replace("vlan 7", f"vlan {vlan_of(number)}")
