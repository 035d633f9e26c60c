"""A text that is read by its shape comes to what it comes to when it is read by itself."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation import netconf_tree
from activation.errors import PlanError
from activation.model import Path
from activation.netconf_shapes import Shapes
from activation.netconf_step import unit
from activation.netconf_text import Writer
from activation.notation import EVERYTHING, Sections, covered, grow
from activation.platforms import NetconfRules

RULES = NetconfRules(
    namespaces={"t": "urn:t", "u": "urn:u"},
    lists={"/t:top/t:pair": ("a", "b"), "/t:top/t:port": ("name",), "/t:top/t:port/t:sub": ("id",)},
    leaf_lists=("/t:top/t:port/t:dns",),
    identityrefs=("/t:top/t:port/t:kind",),
    presence=("/t:top/t:on", "/t:top/t:port/t:box"),
    order=("t:kind", "t:dns", "t:sub"),
)
TEXT = """
<top xmlns="urn:t" xmlns:k="urn:u" xmlns:l="urn:l">
  <on/>
  <speed>{0}</speed>
  <pair><b>{1}</b><a>{2}</a><note>{3}</note></pair>
  <port>
    <name>{4}</name><kind>k:{5}</kind><dns>{6}</dns><dns>{7}</dns>
    <sub><id>{8}</id><v>{9}</v></sub><sub><id>{10}</id></sub>
    <box><x xmlns="urn:u">{11}</x></box><bare></bare>
  </port>
  <port><name>{12}</name></port>
</top>
"""
NUMBER = TEXT.count("{")
PLAIN = [f"v{number}" for number in range(NUMBER)]
MILD = st.one_of(st.integers(0, 12).map(str), st.sampled_from(("02", "a b", "a%sb", '"', "]", "é", "x\ty", "-")))
WILD = st.sampled_from(
    (
        *("", " ", "k:v", "a:b", "'", "\"'", "&amp;", "&lt;", "{x}y", "]]>", ">", "<!-- -->", "<![CDATA[x]]>"),
        *("\ue0001\ue001", "\r\n", "\x07", "\x00"),
    )
)
VALUES = st.one_of(
    st.lists(MILD, min_size=NUMBER, max_size=NUMBER),
    st.lists(st.one_of(MILD, MILD, MILD, WILD), min_size=NUMBER, max_size=NUMBER),
)


def _by_itself(text: str) -> Mapping[Path, Path]:
    return netconf_tree.read(text, RULES, EVERYTHING)


def _by_shape(shapes: Shapes, text: str) -> Sections:
    return shapes.sections(text, (), _by_itself, Writer(RULES).body)


def _taught() -> Shapes:
    shapes = Shapes()
    for _ in range(2):
        _by_shape(shapes, TEXT.format(*PLAIN))
    return shapes


TAUGHT = _taught()


def assert_as_written(read: Sections) -> None:
    """Check what is known of the sections against what is written of their nodes."""
    for top, section in read.whole.items():
        branch = grow(section.nodes.values())
        for step in top:
            branch = branch[step]
        assert section.body == Writer(RULES).body(top, branch)
        assert section.covers == covered(section.nodes, unit)
    together = dict(read.apart)
    for section in read.whole.values():
        together |= section.nodes
    assert together == read.nodes


@given(values=VALUES)
@settings(max_examples=300, deadline=None)
def test_whatever_the_values_are(values: list[str]) -> None:
    text = TEXT.format(*values)
    try:
        expected = _by_itself(text)
    except PlanError as refused:
        with pytest.raises(PlanError) as again:
            _by_shape(TAUGHT, text)
        assert str(again.value) == str(refused)  # noqa: PT017 - the two ways refuse the same in the same words
        return
    read = _by_shape(TAUGHT, text)
    assert read.nodes == expected
    assert TAUGHT.nodes(text, (), _by_itself) == expected
    assert_as_written(read)


def test_what_a_shape_knows_is_used() -> None:
    known = _by_shape(TAUGHT, TEXT.format(*PLAIN[::-1]))
    assert [top[-1] for top in known.whole] == [
        "{urn:t}pair[a='v10'][b='v11']",
        "{urn:t}port[name='v8']",
        "{urn:t}port[name='v0']",
    ]
    assert {path[-1] for path in known.apart.values()} == {"{urn:t}on", "{urn:t}speed[.='v12']"}


@pytest.mark.parametrize("order", [("9", "10"), ("10", "9"), ("b", "a"), ("7", "7")])
def test_siblings_stand_in_the_order_of_their_values(order: tuple[str, str]) -> None:
    values = [*PLAIN]
    values[8], values[10] = order
    read = _by_shape(TAUGHT, TEXT.format(*values))
    assert read.nodes == _by_itself(TEXT.format(*values))
    assert_as_written(read)


def test_the_same_markup_below_another_prefix_is_another_name() -> None:
    text = TEXT.format(*PLAIN)
    assert _by_shape(TAUGHT, text.replace(">k:", ">l:")).nodes != _by_shape(TAUGHT, text).nodes
    assert _by_shape(TAUGHT, text.replace(">k:", ">l:")).nodes == _by_itself(text.replace(">k:", ">l:"))


def test_attributes_are_markup_and_too_many_shapes_are_forgotten() -> None:
    shapes = Shapes()
    for number in [*range(600), 0]:
        text = f'<top xmlns="urn:t" x="{number}>2"><port><name>{number}</name></port></top>'
        for _ in range(2):
            assert _by_shape(shapes, text).nodes == _by_itself(text)
