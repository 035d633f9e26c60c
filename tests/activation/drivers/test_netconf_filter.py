from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from activation.drivers.netconf_filter import parse_step, subtree_filter

IF = "{urn:if}interfaces"
OTHER = "{urn:x}other"


def text(*paths: tuple[str, ...]) -> str:
    # Read and written anew: an element without content has one form then.
    written = etree.tostring(etree.fromstring(subtree_filter(paths)), encoding="unicode")
    return written.partition(">")[2].removesuffix("</filter>")


def test_list_entry_is_selected_by_its_keys() -> None:
    selected = text((IF, "{urn:if}interface[name='eth 1']"))

    assert selected == '<interfaces xmlns="urn:if"><interface><name>eth 1</name></interface></interfaces>'


def test_paths_with_a_common_beginning_share_it() -> None:
    selected = text((IF, "{urn:if}interface[name='b']"), (OTHER,), (IF, "{urn:if}interface[name='a']"))

    assert selected == (
        '<interfaces xmlns="urn:if"><interface><name>a</name></interface><interface><name>b</name></interface>'
        '</interfaces><other xmlns="urn:x"/>'
    )


def test_path_below_a_selected_node_narrows_nothing() -> None:
    assert text((IF, "{urn:if}interface[name='a']"), (IF,)) == '<interfaces xmlns="urn:if"/>'


def test_several_keys_and_quotes() -> None:
    step = parse_step("""{urn:x}entry[index="it's"][{urn:y}kind='a']""")

    assert step.keys == (("{urn:x}index", "it's"), ("{urn:y}kind", "a"))


def test_nothing_touched_selects_nothing() -> None:
    assert text() == ""


def test_values_and_namespaces_are_written_as_xml() -> None:
    selected = text((IF, "{urn:if}interface[name='a<&>b'][{urn:y}kind='x']", "{urn:x?a=1&b=2}leaf"))

    assert selected == (
        '<interfaces xmlns="urn:if"><interface><name>a&lt;&amp;&gt;b</name><kind xmlns="urn:y">x</kind>'
        '<leaf xmlns="urn:x?a=1&amp;b=2"/></interface></interfaces>'
    )


def test_what_begins_alike_is_not_below() -> None:
    selected = text((IF, "{urn:if}interface[name='a']"), (IF, "{urn:if}interface[name='a']", "{urn:if}x"), (IF + "s",))

    assert selected == (
        '<interfaces xmlns="urn:if"><interface><name>a</name></interface></interfaces><interfacess xmlns="urn:if"/>'
    )


steps = st.sampled_from(("{urn:a}x", "{urn:a}y", "{urn:b}x", "{urn:a}l[k='1']", "{urn:a}l[k='2']", "{urn:a}l[k='10']"))


@given(touched=st.lists(st.lists(steps, min_size=1, max_size=4).map(tuple), max_size=8))
def test_it_selects_exactly_what_is_asked_for(touched: list[tuple[str, ...]]) -> None:
    """Whole is what has no element that is no key; the ways to those are the outermost of the paths."""
    root = etree.fromstring(subtree_filter(tuple(touched)))
    outermost = {path for path in touched if not any(path[:depth] in touched for depth in range(1, len(path)))}
    assert sorted(leaves(root, ())) == sorted(outermost)


def leaves(element: etree._Element, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for child in element.iterchildren("{urn:a}x", "{urn:a}y", "{urn:b}x", "{urn:a}l"):
        key = child.find("{urn:a}k")
        here = (*above, str(child.tag) + (f"[k='{key.text}']" if key is not None else ""))
        inner = [each for each in child if each.tag != "{urn:a}k"]
        yield from leaves(child, here) if inner else [here]


@pytest.mark.parametrize("step", ["", "[name='x']", "{urn:x}a[open"])
def test_what_is_no_step_is_refused_with_the_legal_form(step: str) -> None:
    with pytest.raises(ValueError, match=r"legal: \{namespace\}name\[key='value'\]"):
        parse_step(step)
