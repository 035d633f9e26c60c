"""A writer remembers the order of many siblings; what it writes does not depend on what it wrote before."""

from activation.netconf_text import MANY, ORDERS, Writer
from activation.notation import grow
from tests.activation.services import OLT

IF = "{urn:ietf:params:xml:ns:yang:ietf-interfaces}"
RULES = OLT.netconf_rules


def test_many_siblings_are_in_order_whatever_was_written_before() -> None:
    every = [(f"{IF}interfaces", f"{IF}interface[name='eth{number}']") for number in range(2 * MANY)]
    writer = Writer(RULES)
    for size in (2 * MANY, MANY + 1, 2 * MANY, MANY - 1, *range(MANY, MANY + ORDERS + 2), MANY + 1):
        some = every[-size:][::-1]
        text = writer.write(grow(some))
        assert text == Writer(RULES).write(grow(some))
        numbers = [int(line.partition("eth")[2].partition("<")[0]) for line in text.splitlines() if "<name>" in line]
        assert numbers == sorted(int(step.partition("eth")[2].partition("'")[0]) for _, step in some)
