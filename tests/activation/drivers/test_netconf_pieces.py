"""Large edits go in pieces that come to the same, whoever wrote them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from activation.drivers.netconf_filter import BASE_NAMESPACE as BASE
from activation.drivers.netconf_pieces import cut, dealt, pieces
from activation.model import FragmentChange
from activation.plan import plan_device
from tests.activation.services import DEVICE, OLT, fragment


def test_large_edit_goes_in_pieces_that_come_to_the_same() -> None:
    entries = "".join(f"<interface><name>i{n}</name><mtu>{n}</mtu></interface>" for n in range(200))
    tconts = "".join(f"<tcont><name>t{n}</name></tcont>" for n in range(200))
    config = (
        f'<config xmlns="{BASE}" xmlns:nc="{BASE}"><interfaces xmlns="urn:i">{entries}</interfaces>'
        f'<pon xmlns="urn:p"><tconts>{tconts}</tconts><whole nc:operation="delete"><a/></whole></pon></config>'
    )
    found = pieces(config, 2000)

    assert len(found) > 5
    assert all(len(piece) < 4000 for piece in found)
    names = [each.text for piece in found for each in etree.fromstring(piece).iter("{*}name")]
    assert names == [f"i{n}" for n in range(200)] + [f"t{n}" for n in range(200)]
    paths = {
        "/".join(etree.QName(above).localname for above in reversed([each, *each.iterancestors()]))
        for piece in found
        for each in etree.fromstring(piece).iter("{*}name", "{*}whole")
    }
    assert paths == {"config/interfaces/interface/name", "config/pon/tconts/tcont/name", "config/pon/whole"}


def test_small_edit_goes_as_it_is() -> None:
    assert pieces("<config/>", 100) == ("<config/>",)


@given(count=st.integers(1, 12), speeds=st.integers(1, 3), limit_bytes=st.integers(200, 20_000), takes=st.booleans())
def test_a_plan_is_cut_at_its_lines_as_if_it_were_parsed(
    count: int, speeds: int, limit_bytes: int, *, takes: bool
) -> None:
    news = [fragment("bbf_olt", 1042 + number, 100 + number % speeds) for number in range(count)]
    edit, _ = plan_device(DEVICE, OLT, "", [FragmentChange(old=None, new=new) for new in news])
    text = edit.inverse if takes else edit.edit
    # What stands between the elements counts where the text is cut: the sizes differ by the blanks.
    found = cut(text, limit_bytes)
    assert merged(found) == merged(dealt(text, limit_bytes)) == merged([text])
    assert all(len(piece) <= limit_bytes + 5000 for piece in found)


def merged(texts: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return every leaf, and every element with an operation, with the way to it; in order."""
    found = []
    for text in texts:
        root = etree.fromstring(text)
        for each in root.iter():
            way = "/".join(str(above.tag) for above in reversed([each, *each.iterancestors()]))
            if each.attrib or not len(each):
                found.append((way, str(dict(each.attrib.items())), (each.text or "").strip()))
    return found


def lines(*texts: str) -> str:
    return "".join(f"{text}\n" for text in texts)


ENTRY = ("    <entry>", "      <name>a</name>", "    </entry>")
TEXTS = {
    "a line per element": lines("<c>", "  <list>", *ENTRY * 3, "  </list>", "</c>"),
    "an empty element beside": lines("<c>", "  <gone/>", "  <list>", *ENTRY * 3, "  </list>", "</c>"),
    "leaves beside": lines("<c>", "  <list>", "    <leaf>1</leaf>", *ENTRY * 3, "  </list>", "</c>"),
    "a value of several lines": lines("<c>", "  <list>", "    <entry>", "      <name>a", "    b</name>", *ENTRY[2:],
                                      *ENTRY, "  </list>", "</c>"),
    "an operation on the container": lines("<c xmlns:nc='u'>", '  <list nc:operation="create">', *ENTRY * 3,
                                           "  </list>", "</c>"),
    "indented by four": lines("<c>", "    <list>", "        <entry>", "            <name>a</name>", "        </entry>",
                              "    </list>", "    <list2>", "        <entry>", "            <name>a</name>",
                              "        </entry>", "    </list2>", "</c>"),
    "not indented": lines("<c>", "<list>", "<entry>", "<name>a</name>", "</entry>", "</list>", "<b>", "</b>", "</c>"),
    "a comment that looks like an entry": lines("<c>", "  <list>", "    <entry>", "      <name>a</name>", "    <!--",
                                                "    <entry>", "    -->", *ENTRY[2:], *ENTRY, "  </list>", "</c>"),
    "on one line": "<c><list><entry><name>a</name></entry><entry><name>b</name></entry></list></c>",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("limit_bytes", [1, 30, 80, 1000])
def test_whatever_the_text_looks_like_its_pieces_come_to_the_same(name: str, limit_bytes: int) -> None:
    text = TEXTS[name]
    assert merged(pieces(text, limit_bytes)) == merged([text])


def test_what_is_not_indented_by_depth_is_not_cut_at_its_lines() -> None:
    assert [cut(TEXTS[name], 30) for name in ("indented by four", "not indented", "on one line")] == [(), (), ()]
    assert len(cut(TEXTS["a line per element"], 80)) > 1
