"""The validator that looks at changes only finds what looking at everything finds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from labs.embedded.edit import apply_edit
from labs.embedded.rpc_error import RpcError
from labs.embedded.tree_xml import to_text
from labs.embedded.validation import Validator, violations
from tests.labs.embedded.olt_configs import SCHEMA, config, interfaces, profile, startup, vani

NAMES = st.sampled_from(("a", "b", "c"))
OPERATIONS = st.sampled_from(("merge", "replace", "remove"))


def tcont(name: str, operation: str, reference: str, profile_name: str) -> str:
    return (
        f'<t:xpongemtcont><t:tconts><t:tcont nc:operation="{operation}">'
        f"<t:name>{name}</t:name><t:alloc-id>1024</t:alloc-id>"
        f"<t:interface-reference>{reference}</t:interface-reference>"
        f"<t:traffic-descriptor-profile-ref>{profile_name}</t:traffic-descriptor-profile-ref>"
        "</t:tcont></t:tconts></t:xpongemtcont>"
    )


def interface(name: str, operation: str, kind: str, inner: str) -> str:
    return (
        f'<if:interfaces><if:interface nc:operation="{operation}"><if:name>{name}</if:name>'
        f"<if:type>xift:{kind}</if:type>{inner}</if:interface></if:interfaces>"
    )


def v_ani(partition: str) -> str:
    return f"<v:v-ani><v:channel-partition>{partition}</v:channel-partition><v:onu-id>1</v:onu-id></v:v-ani>"


def v_enet(lower: str) -> str:
    return f"<v:olt-v-enet><v:lower-layer-interface>{lower}</v:lower-layer-interface></v:olt-v-enet>"


PARTITIONS = st.sampled_from(("cpart1", "cpart2", "cpair1", "nowhere"))
EDITS = st.one_of(
    st.builds(profile, NAMES, OPERATIONS),
    st.builds(lambda name: profile(name, "replace", ""), NAMES),
    st.builds(tcont, NAMES, OPERATIONS, NAMES, NAMES),
    st.builds(interface, NAMES, OPERATIONS, st.just("v-ani"), st.builds(v_ani, PARTITIONS)),
    st.builds(interface, NAMES, OPERATIONS, st.just("olt-v-enet"), st.builds(v_enet, NAMES)),
    st.builds(interface, NAMES, st.just("merge"), st.sampled_from(("v-ani", "olt-v-enet")), st.just("")),
    st.builds(interface, PARTITIONS, st.just("remove"), st.just("channel-partition"), st.just("")),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EDITS, st.booleans()), max_size=12))
def test_a_change_is_judged_like_the_whole(edits: list[tuple[str, bool]]) -> None:
    validator, tree = Validator(SCHEMA), startup()
    for inner, keeps_if_wrong in edits:
        try:
            after = apply_edit(tree, config(inner), SCHEMA)
        except RpcError:
            continue
        found = [error.message for error in validator.violations(after)]
        assert found == [error.message for error in violations(after)], inner
        if keeps_if_wrong or not found:
            tree = after


def test_going_back_to_an_older_tree_is_judged_anew() -> None:
    validator, before = Validator(SCHEMA), startup()
    with_one = apply_edit(before, interfaces(""), SCHEMA)
    more = apply_edit(with_one, config(vani("<v:channel-partition>cpart2</v:channel-partition>")), SCHEMA)
    assert validator.violations(more) == []
    assert validator.violations(before) == []
    gone = interface("cpart2", "remove", "channel-partition", "") + interface("cpair2", "remove", "channel-pair", "")
    gone += interface("ct2", "remove", "channel-termination", "")
    assert validator.violations(apply_edit(before, config(gone), SCHEMA)) == []
    (error,) = validator.violations(apply_edit(more, config(gone), SCHEMA))
    assert "cpart2" in error.message


@pytest.mark.parametrize("text", ["a&b", "<tag>", "line\rline", "ü"])
def test_text_survives_the_way_out_and_in(text: str) -> None:
    inner = etree.Element("{urn:ietf:params:xml:ns:yang:ietf-interfaces}description")
    inner.text = text
    described = f"<if:interface><if:name>uplink1</if:name>{etree.tostring(inner, encoding='unicode')}</if:interface>"
    tree = apply_edit(startup(), interfaces(described), SCHEMA)
    (found,) = etree.fromstring(to_text(tree, SCHEMA)).iter(inner.tag)
    assert found.text == text
