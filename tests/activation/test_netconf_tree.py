import pytest

from activation.errors import PlanError
from activation.netconf_step import parse_step, predicate, unit
from activation.netconf_text import BASE_NAMESPACE
from activation.netconf_tree import parse, show, slot
from activation.notation import EVERYTHING, Scope
from activation.platforms import NetconfRules
from tests.activation.services import OLT, OLT_BASE

RULES = OLT.netconf_rules
IF = "{urn:ietf:params:xml:ns:yang:ietf-interfaces}"
UPLINK = (f"{IF}interfaces", f"{IF}interface[name='uplink1']")
KIND = f"{IF}type[.='{{urn:ietf:params:xml:ns:yang:iana-if-type}}ethernetCsmacd']"
SMALL = NetconfRules(
    namespaces={"t": "urn:t"},
    lists={"/t:top/t:pair": ("a", "b")},
    leaf_lists=("/t:top/t:dns",),
    presence=("/t:top/t:on", "/t:top/t:box"),
)


def test_nodes_do_not_depend_on_prefixes() -> None:
    other = OLT_BASE.replace("if:", "x:").replace(":if=", ":x=").replace("i:eth", "j:eth").replace(":i=", ":j=")
    assert parse(OLT_BASE, RULES, EVERYTHING) == parse(other, RULES, EVERYTHING) == {UPLINK, (*UPLINK, KIND)}


@pytest.mark.parametrize("envelope", ["config", "data"])
def test_any_envelope_will_do(envelope: str) -> None:
    inner = '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface><name>a</name></interface>'
    inner += "</interfaces>"
    text = f'<?xml version="1.0" encoding="UTF-8"?><{envelope} xmlns="{BASE_NAMESPACE}">{inner}</{envelope}>'
    assert parse(text, RULES, EVERYTHING) == parse(inner, RULES, EVERYTHING) != frozenset()


def test_empty_containers_mean_nothing_unless_the_profile_says_so() -> None:
    text = '<top xmlns="urn:t"><on/><box><x>1</x></box><nothing/></top>'
    assert parse(text, SMALL, EVERYTHING) == {
        ("{urn:t}top", "{urn:t}on"),
        ("{urn:t}top", "{urn:t}box"),
        ("{urn:t}top", "{urn:t}box", "{urn:t}x[.='1']"),
    }


def test_several_keys_and_leaf_lists() -> None:
    text = '<top xmlns="urn:t"><pair><b>2</b><a>1</a></pair><dns>x</dns><dns>y</dns></top>'
    nodes = parse(text, SMALL, EVERYTHING)
    assert nodes == {("{urn:t}top", s) for s in ("{urn:t}pair[a='1'][b='2']", "{urn:t}dns[.='x']", "{urn:t}dns[.='y']")}
    assert {slot(node, SMALL) for node in nodes} == nodes
    assert "<a>1</a>\n      <b>2</b>" in show(nodes, SMALL)


REFUSED = {
    "no XML": ("<interfaces>", "no XML"),
    "a list nobody declared": ('<top xmlns="urn:t"><l><x>1</x></l><l><x>2</x></l></top>', "/top/l stands there twice"),
    "an entry without its key": ('<top xmlns="urn:t"><pair><a>1</a></pair></top>', "/top/pair: .* lacks its key b"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_understood_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PlanError, match=reason):
        parse(text, SMALL, EVERYTHING)


def test_an_undeclared_prefix_in_a_value_is_refused() -> None:
    with pytest.raises(PlanError, match=r"prefix of 'k:eth.*' is not declared"):
        parse(OLT_BASE.replace("i:eth", "k:eth"), RULES, EVERYTHING)


def test_entities_are_not_expanded() -> None:
    text = '<!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/hostname">]><c>&e;</c>'
    with pytest.raises(PlanError, match="no XML"):
        parse(text, RULES, EVERYTHING)


def test_a_scope_keeps_what_it_covers_and_the_way_there() -> None:
    more = OLT_BASE.replace("</if:interfaces>", "<if:interface><if:name>b</if:name></if:interface></if:interfaces>")
    assert len(parse(more, RULES, EVERYTHING)) == 3
    assert parse(more, RULES, Scope.of([UPLINK])) == {UPLINK, (*UPLINK, KIND)}


def test_unit_is_the_innermost_entry() -> None:
    assert unit((*UPLINK, KIND)) == UPLINK
    assert unit(("{urn:t}top", "{urn:t}x")) == ("{urn:t}top", "{urn:t}x")


def test_quotes_in_keys() -> None:
    assert parse_step("{u}l" + predicate("name", "it's")).keys == (("name", "it's"),)
    with pytest.raises(PlanError, match="both kinds of quotes"):
        predicate("name", "'\"")


def test_values_are_escaped() -> None:
    nodes = frozenset({(*UPLINK, f"{IF}description[.='<&>']")})
    assert "&lt;&amp;&gt;" in show(nodes, RULES)
