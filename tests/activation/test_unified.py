"""A diff by nodes tells the same as one by lines: whoever applies it gets the other text."""

import difflib
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.dialects import notation_for
from activation.model import Path
from activation.notation import Nodes
from activation.unified import ADDED, KEPT, REMOVED, unified
from tests.activation.services import OLT, ROUTER, SWITCH

MARKED = st.lists(st.tuples(st.sampled_from((KEPT, REMOVED, ADDED)), st.sampled_from(("a\n", "b\n", "c\n"))))
CONFIGURATIONS = {
    "olt": (
        OLT,
        [
            ("{urn:a}top", "{urn:a}one[.='1']"),
            ("{urn:a}top", "{urn:a}one[.='2']"),
            ("{urn:a}top", "{urn:b}two[.='<&>']"),
            ("{urn:a}top", "{urn:a}list[name='x']"),
            ("{urn:a}top", "{urn:a}list[name='x']", "{urn:a}leaf[.='5']"),
            ("{urn:a}top", "{urn:a}list[name='x']", "{urn:a}in[id='1']", "{urn:a}leaf[.='6']"),
            ("{urn:a}top", "{urn:a}list[name='y']"),
            ("{urn:c}other", "{urn:c}leaf[.='7']"),
        ],
    ),
    "switch": (
        SWITCH,
        [
            ("vlan 5",),
            ("vlan 5", "name x"),
            ("vlan 5", "name y"),
            ("interface Ethernet1", "switchport trunk allowed vlan 5"),
            ("interface Ethernet1", "switchport trunk allowed vlan 6"),
            ("policy-map type quality-of-service p", "class c", "police cir 5 mbps bc 5 kbytes"),
        ],
    ),
    "router": (
        ROUTER,
        [
            ("interface eth1.5",),
            ("interface eth1.5", "ip address 10.0.0.1/32"),
            ("interface eth1.6",),
            ("ip route 10.0.0.0/24 eth1.5",),
        ],
    ),
}


def applied(before: str, diff: str) -> str:
    """Return ``before`` after ``diff``, as patch would make it."""
    old, new, at = before.splitlines(keepends=True), list[str](), 0
    for head, body in _hunks(diff):
        start = int(head[1]) - (0 if head[2] == "0" else 1)
        new += old[at:start]
        at = start
        for mark, line in ((each[0], each[1:]) for each in body):
            if mark != ADDED:
                assert old[at] == line
                at += 1
            if mark != REMOVED:
                new.append(line)
    return "".join([*new, *old[at:]])


def _hunks(diff: str) -> Iterator[tuple[re.Match[str], list[str]]]:
    parts = re.split(r"^(@@ .* @@\n)", diff, flags=re.MULTILINE)[1:]
    for head, body in zip(parts[::2], parts[1::2], strict=True):
        match = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", head)
        assert match is not None
        yield match, body.splitlines(keepends=True)


@given(lines=MARKED)
def test_applying_it_gives_the_other_text(lines: list[tuple[str, str]]) -> None:
    before = "".join(line for mark, line in lines if mark != ADDED)
    after = "".join(line for mark, line in lines if mark != REMOVED)
    diff = unified(lines, "x", "y")
    assert applied(before, diff) == after
    assert (diff == "") == all(mark == KEPT for mark, _ in lines)


@pytest.mark.parametrize("case", CONFIGURATIONS)
@given(data=st.data())
def test_comparing_nodes_shows_both_texts(case: str, data: st.DataObject) -> None:
    platform, nodes = CONFIGURATIONS[case]
    notation = notation_for(platform)
    some = st.sets(st.sampled_from(nodes)).map(_whole)
    before, after = data.draw(some), data.draw(some)
    lines = list(notation.compare(before, after))
    assert "".join(line for mark, line in lines if mark != ADDED) == notation.show(before)
    assert "".join(line for mark, line in lines if mark != REMOVED) == notation.show(after)


@pytest.mark.parametrize("case", CONFIGURATIONS)
@given(data=st.data())
def test_all_texts_of_a_change_are_what_each_is_by_itself(case: str, data: st.DataObject) -> None:
    platform, nodes = CONFIGURATIONS[case]
    some = st.sets(st.sampled_from(nodes)).map(_rooted)
    before, after = data.draw(some), data.draw(some)
    texts, notation = notation_for(platform).texts(before, after), notation_for(platform)
    assert texts.edit == notation.edit(before, after, strict=True)
    assert texts.inverse == notation.edit(after, before, strict=False)
    assert (texts.before, texts.after) == (notation.show(before), notation.show(after))
    assert unified(texts.compared, "x", "y") == unified(notation.compare(before, after), "x", "y")


def _rooted(nodes: set[Path]) -> Nodes:
    """Return ``nodes`` without those whose list entry or section is not there."""
    entries = [path for _, listed in CONFIGURATIONS.values() for path in listed]
    return frozenset(
        path for path in nodes if all(above in nodes for above in entries if above == path[: len(above)] != path)
    )


def _whole(nodes: set[Path]) -> Nodes:
    return frozenset(nodes)


def test_it_is_what_a_diff_by_lines_gives() -> None:
    notation = notation_for(OLT)
    nodes = CONFIGURATIONS["olt"][1]
    before, after = frozenset(nodes[:1]), frozenset([nodes[1], *nodes[3:5]])
    by_lines = difflib.unified_diff(
        notation.show(before).splitlines(keepends=True), notation.show(after).splitlines(keepends=True), "x", "y"
    )
    assert unified(notation.compare(before, after), "x", "y") == "".join(by_lines)
