"""edit-config on trees: what each operation does, and how a refusal reads."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.embedded.datatree import Branch
from labs.embedded.edit import PartlyRefused, apply_edit
from labs.embedded.netconf_messages import parse
from labs.embedded.rpc_error import RpcError
from labs.embedded.tree_xml import to_text
from tests.labs.embedded.olt_configs import SCHEMA, UPLINK, config, empty, interfaces, profile, profiles, startup, vani


def refusal(refused: pytest.ExceptionInfo[Any]) -> tuple[str, str]:
    return refused.value.tag, refused.value.path


PROFILES = "/bbf-xpongemtcont:xpongemtcont/bbf-xpongemtcont:traffic-descriptor-profiles"
PROFILE_A = f"{PROFILES}/bbf-xpongemtcont:traffic-descriptor-profile[bbf-xpongemtcont:name='a']"
CHANGE = "<t:maximum-bandwidth>8</t:maximum-bandwidth><t:weight>2</t:weight>"
DROP_WEIGHT = '<t:weight nc:operation="{}"/>'

ACCEPTED = {
    "merge-new": (profile("b"), {"a": {"maximum-bandwidth": "9", "weight": "1"}, "b": {"maximum-bandwidth": "9"}}),
    "merge-into": (profile("a", "merge", CHANGE), {"a": {"maximum-bandwidth": "8", "weight": "2"}}),
    "replace": (profile("a", "replace"), {"a": {"maximum-bandwidth": "9"}}),
    "replace-new": (
        profile("b", "replace"),
        {"a": {"maximum-bandwidth": "9", "weight": "1"}, "b": {"maximum-bandwidth": "9"}},
    ),
    "create": (
        profile("b", "create"),
        {"a": {"maximum-bandwidth": "9", "weight": "1"}, "b": {"maximum-bandwidth": "9"}},
    ),
    "delete": (profile("a", "delete"), {}),
    "remove": (profile("a", "remove"), {}),
    "remove-missing": (profile("z", "remove"), {"a": {"maximum-bandwidth": "9", "weight": "1"}}),
    "delete-leaf": (profile("a", "", DROP_WEIGHT.format("delete")), {"a": {"maximum-bandwidth": "9"}}),
    "remove-container": ('<t:xpongemtcont nc:operation="remove"/>', {}),
    "leading-zeros": (profile("a", "", "<t:weight>007</t:weight>"), {"a": {"maximum-bandwidth": "9", "weight": "7"}}),
}


def with_profile_a() -> Branch:
    return apply_edit(
        empty(), config(profile("a", "", "<t:maximum-bandwidth>9</t:maximum-bandwidth><t:weight>1</t:weight>")), SCHEMA
    )


@pytest.mark.parametrize("case", ACCEPTED)
def test_edit(case: str) -> None:
    inner, expected = ACCEPTED[case]
    before = with_profile_a()
    text = to_text(before, SCHEMA)
    after = apply_edit(before, config(inner), SCHEMA)
    assert profiles(after) == expected
    assert to_text(before, SCHEMA) == text


VANI = "/if:interfaces/if:interface[if:name='v1']/bbf-xponvani:v-ani"
REFUSED = {
    "create-existing": (profile("a", "create"), "data-exists", PROFILE_A),
    "delete-missing": (profile("z", "delete"), "data-missing", PROFILE_A.replace("'a'", "'z'")),
    "delete-missing-leaf": (
        profile("a", "", '<t:priority nc:operation="delete"/>'),
        "data-missing",
        f"{PROFILE_A}/bbf-xpongemtcont:priority",
    ),
    "delete-missing-container": (
        '<t:xpongemtcont><t:tconts nc:operation="delete"/></t:xpongemtcont>',
        "data-missing",
        "/bbf-xpongemtcont:xpongemtcont/bbf-xpongemtcont:tconts",
    ),
    "unknown-element": (
        profile("a", "", "<t:colour>1</t:colour>"),
        "unknown-element",
        f"{PROFILE_A}/bbf-xpongemtcont:colour",
    ),
    "element-of-another-module": (
        profile("a", "", "<if:weight>1</if:weight>"),
        "unknown-element",
        f"{PROFILE_A}/if:weight",
    ),
    "unknown-namespace": ('<x:y xmlns:x="urn:x"/>', "unknown-namespace", "/y"),
    "no-namespace": ("<interfaces/>", "unknown-namespace", "/interfaces"),
    "no-key": (
        "<if:interfaces><if:interface><if:enabled>true</if:enabled></if:interface></if:interfaces>",
        "missing-element",
        "/if:interfaces/if:interface",
    ),
    "not-a-number": (
        profile("a", "", "<t:weight>many</t:weight>"),
        "invalid-value",
        f"{PROFILE_A}/bbf-xpongemtcont:weight",
    ),
    "out-of-range": (
        profile("a", "", "<t:weight>256</t:weight>"),
        "invalid-value",
        f"{PROFILE_A}/bbf-xpongemtcont:weight",
    ),
    "negative": (profile("a", "", "<t:weight>-1</t:weight>"), "invalid-value", f"{PROFILE_A}/bbf-xpongemtcont:weight"),
    "onu-id": (vani("<v:onu-id>1021</v:onu-id>"), "invalid-value", f"{VANI}/bbf-xponvani:onu-id"),
    "serial-number": (
        vani("<v:expected-serial-number>ABCD1234567X</v:expected-serial-number>"),
        "invalid-value",
        f"{VANI}/bbf-xponvani:expected-serial-number",
    ),
    "boolean": (vani("<v:upstream-fec>yes</v:upstream-fec>"), "invalid-value", f"{VANI}/bbf-xponvani:upstream-fec"),
    "identity": (
        "<if:interfaces><if:interface><if:name>v1</if:name><if:type>xift:toaster</if:type></if:interface></if:interfaces>",
        "invalid-value",
        "/if:interfaces/if:interface[if:name='v1']/if:type",
    ),
    "identity-prefix": (
        "<if:interfaces><if:interface><if:name>v1</if:name><if:type>zz:v-ani</if:type></if:interface></if:interfaces>",
        "invalid-value",
        "/if:interfaces/if:interface[if:name='v1']/if:type",
    ),
    "operation": (profile("a", "create-or-so"), "bad-attribute", PROFILES),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_edit_says_where(case: str) -> None:
    inner, tag, path = REFUSED[case]
    before = with_profile_a()
    text = to_text(before, SCHEMA)
    with pytest.raises(RpcError) as refused:
        apply_edit(before, config(inner), SCHEMA)
    assert refusal(refused) == (tag, path)
    assert to_text(before, SCHEMA) == text


def test_default_operation_replace_keeps_nothing_else() -> None:
    after = apply_edit(startup(), config(profile("b")), SCHEMA, default_operation="replace")
    assert to_text(after, SCHEMA) == to_text(apply_edit(empty(), config(profile("b")), SCHEMA), SCHEMA)


def test_default_operation_none_touches_only_what_is_marked() -> None:
    inner = profile("a", "", f"<t:maximum-bandwidth>1</t:maximum-bandwidth>{DROP_WEIGHT.format('remove')}")
    after = apply_edit(with_profile_a(), config(inner), SCHEMA, default_operation="none")
    assert profiles(after) == {"a": {"maximum-bandwidth": "9"}}
    with pytest.raises(RpcError) as refused:
        apply_edit(with_profile_a(), config(profile("z")), SCHEMA, default_operation="none")
    assert refused.value.tag == "data-missing"


def test_continue_on_error_keeps_the_rest() -> None:
    with pytest.raises(PartlyRefused) as refused:
        apply_edit(
            empty(), config(profile("a", "delete") + profile("b") + profile("c", "delete")), SCHEMA, keep_going=True
        )
    assert [error.tag for error in refused.value.errors] == ["data-missing", "data-missing"]
    assert profiles(refused.value.tree) == {"b": {"maximum-bandwidth": "9"}}


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@given(kept=NAMES, added=NAMES)
def test_deleting_what_was_added_gives_the_same_text(kept: list[str], added: list[str]) -> None:
    before = apply_edit(empty(), interfaces("".join(UPLINK.format(name) for name in kept)), SCHEMA)
    new = [name for name in added if name not in kept]
    more = apply_edit(before, config("".join(profile(name, "create") for name in new)), SCHEMA)
    more = apply_edit(more, interfaces("".join(UPLINK.format(name) for name in new)), SCHEMA)
    drop = "".join(f'<if:interface nc:operation="delete"><if:name>{name}</if:name></if:interface>' for name in new)
    less = apply_edit(more, interfaces(drop), SCHEMA)
    less = apply_edit(less, config("".join(profile(name, "delete", "") for name in new)), SCHEMA)
    assert to_text(less, SCHEMA) == to_text(before, SCHEMA)


@given(kept=NAMES)
def test_text_and_tree_are_the_same_thing(kept: list[str]) -> None:
    tree = apply_edit(startup(), interfaces("".join(UPLINK.format(name) for name in kept)), SCHEMA)
    again = apply_edit(empty(), parse(to_text(tree, SCHEMA).encode()), SCHEMA)
    assert to_text(again, SCHEMA) == to_text(tree, SCHEMA)
