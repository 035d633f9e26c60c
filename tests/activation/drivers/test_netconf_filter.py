import pytest
from lxml import etree

from activation.drivers.netconf_filter import parse_step, subtree_filter

IF = "{urn:if}interfaces"
OTHER = "{urn:x}other"


def text(*paths: tuple[str, ...]) -> str:
    return etree.tostring(subtree_filter(paths), encoding="unicode").partition(">")[2].removesuffix("</filter>")


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
    assert len(subtree_filter(())) == 0


@pytest.mark.parametrize("step", ["", "[name='x']", "{urn:x}a[open"])
def test_what_is_no_step_is_refused_with_the_legal_form(step: str) -> None:
    with pytest.raises(ValueError, match=r"legal: \{namespace\}name\[key='value'\]"):
        parse_step(step)
