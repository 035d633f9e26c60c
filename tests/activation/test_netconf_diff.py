import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from activation.netconf_diff import edit
from activation.netconf_text import BASE_NAMESPACE
from activation.netconf_tree import OPERATION, parse, show, slot
from activation.notation import EVERYTHING, Scope
from tests.activation.appliers import Refused, netconf_apply, netconf_normal
from tests.activation.services import OLT

RULES = OLT.netconf_rules
GEM = "urn:bbf:yang:bbf-xpongemtcont"
TYPES = ("urn:bbf:yang:bbf-xpon-if-type", "urn:bbf:yang:bbf-if-type", "urn:example:not-in-the-profile")


def config(children: str) -> str:
    return f'<config xmlns="{BASE_NAMESPACE}">{children}</config>'


@st.composite
def olts(draw: st.DrawFn) -> str:
    """Return a configuration of interfaces with rules in rules, and of T-CONTs, each leaf there or not."""
    interfaces = "".join(_interface(draw, name) for name in draw(st.sets(st.sampled_from("abc"))))
    tconts = "".join(
        f"<tcont><name>{name}</name>{_leaf(draw, 'alloc-id')}{_leaf(draw, 'interface-reference')}</tcont>"
        for name in draw(st.sets(st.sampled_from(("t&amp;1", "t2"))))
    )
    return config(
        f'<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{interfaces}</interfaces>'
        f'<xpongemtcont xmlns="{GEM}"><tconts>{tconts}</tconts></xpongemtcont>'
    )


def _interface(draw: st.DrawFn, name: str) -> str:
    rules = "".join(
        f"<rule><name>{rule}</name>{_leaf(draw, 'priority')}</rule>" for rule in draw(st.sets(st.sampled_from("xy")))
    )
    kind = f'<type xmlns:q="{draw(st.sampled_from(TYPES))}">q:kind</type>' * draw(st.booleans())
    return (
        f"<interface><name>{name}</name>{kind}{_leaf(draw, 'description')}"
        f'<inline-frame-processing xmlns="urn:bbf:yang:bbf-sub-interfaces"><ingress-rule>{rules}</ingress-rule>'
        "</inline-frame-processing></interface>"
    )


def _leaf(draw: st.DrawFn, name: str) -> str:
    value = draw(st.sampled_from((None, "1", "2", "&lt;3 'quoted'")))
    return "" if value is None else f"<{name}>{value}</{name}>"


@pytest.mark.parametrize("strict", [True, False])
@given(before=olts(), after=olts())
@settings(max_examples=40, deadline=None)
def test_applying_the_edit_gives_the_other_state(before: str, after: str, *, strict: bool) -> None:
    change = edit(parse(before, RULES, EVERYTHING), parse(after, RULES, EVERYTHING), RULES, strict=strict)
    assert netconf_apply(before, change) == netconf_normal(after)


@given(text=olts())
@settings(max_examples=30, deadline=None)
def test_the_canonical_text_reads_back(text: str) -> None:
    nodes = parse(text, RULES, EVERYTHING)
    canonical = show(nodes, RULES)
    assert parse(canonical, RULES, EVERYTHING) == nodes if nodes else canonical == ""


@given(text=olts(), asked=st.sets(st.integers(0, 20)))
@settings(max_examples=30, deadline=None)
def test_reading_a_scope_is_reading_all_and_choosing(text: str, asked: set[int]) -> None:
    everything = parse(text, RULES, EVERYTHING)
    slots = sorted(slot(node, RULES) for node in everything)
    scope = Scope.of(one for at, one in enumerate(slots) if at in asked)
    assert parse(text, RULES, scope) == {node for node in everything if scope.admits(slot(node, RULES))}


def operations(before: str, after: str, *, strict: bool = True) -> list[tuple[str, str]]:
    text = edit(parse(before, RULES, EVERYTHING), parse(after, RULES, EVERYTHING), RULES, strict=strict)
    root = etree.fromstring(text)
    assert root.tag == f"{{{BASE_NAMESPACE}}}config"
    return [(etree.QName(e).localname, str(e.get(OPERATION))) for e in root.iter() if e.get(OPERATION)]


def tcont(leaves: str) -> str:
    return config(f'<xpongemtcont xmlns="{GEM}"><tconts><tcont><name>t</name>{leaves}</tcont></tconts></xpongemtcont>')


OPERATIONS = {
    "a new entry": (config(""), tcont("<alloc-id>1</alloc-id>"), [("tcont", "create")], [("tcont", "merge")]),
    "an entry goes whole": (tcont("<alloc-id>1</alloc-id>"), config(""), [("tcont", "delete")], [("tcont", "remove")]),
    "a new leaf": (tcont(""), tcont("<alloc-id>1</alloc-id>"), [("alloc-id", "merge")], [("alloc-id", "merge")]),
    "a leaf goes": (tcont("<alloc-id>1</alloc-id>"), tcont(""), [("alloc-id", "delete")], [("alloc-id", "remove")]),
    "a leaf changes": (
        tcont("<alloc-id>1</alloc-id>"),
        tcont("<alloc-id>2</alloc-id>"),
        [("alloc-id", "replace")],
        [("alloc-id", "replace")],
    ),
}


@pytest.mark.parametrize(("before", "after", "strict", "tolerant"), OPERATIONS.values(), ids=OPERATIONS)
def test_operations(before: str, after: str, strict: list[tuple[str, str]], tolerant: list[tuple[str, str]]) -> None:
    assert operations(before, after) == strict
    assert operations(before, after, strict=False) == tolerant


def test_equal_states_need_no_edit() -> None:
    nodes = parse(tcont("<alloc-id>1</alloc-id>"), RULES, EVERYTHING)
    assert edit(nodes, nodes, RULES, strict=True) == ""


def test_the_small_datastore_refuses_what_a_real_one_would() -> None:
    empty, full = parse(config(""), RULES, EVERYTHING), parse(tcont(""), RULES, EVERYTHING)
    with pytest.raises(Refused, match="data-exists"):
        netconf_apply(tcont(""), edit(empty, full, RULES, strict=True))
    with pytest.raises(Refused, match="data-missing"):
        netconf_apply(config(""), edit(full, empty, RULES, strict=True))
