"""What a device's memory keeps over a power cut, and how much it writes for it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.embedded import memory
from labs.embedded.datatree import Branch
from labs.embedded.edit import apply_edit
from labs.embedded.memory import FileMemory
from labs.embedded.netconf_messages import parse
from labs.embedded.tree_delta import delta
from labs.embedded.tree_xml import to_text
from tests.labs.embedded.olt_configs import SCHEMA, config, empty, profile, startup, vani

EDITS = st.lists(
    st.one_of(
        st.builds(
            profile,
            st.sampled_from(["p", "q", "r"]),
            st.sampled_from(["", "replace", "remove"]),
            st.sampled_from(["<t:maximum-bandwidth>9</t:maximum-bandwidth>", "<t:weight>1</t:weight>"]),
        ),
        st.builds(vani, st.sampled_from(["<v:onu-id>1</v:onu-id>", "<v:onu-id>2</v:onu-id>", ""])),
    ),
    max_size=6,
)


def edited(tree: Branch, edits: list[str]) -> Branch:
    for edit in edits:
        tree = apply_edit(tree, config(edit), SCHEMA)
    return tree


@given(first=EDITS, second=EDITS)
def test_the_delta_leads_from_one_tree_to_the_other(first: list[str], second: list[str]) -> None:
    before, after = edited(startup(), first), edited(edited(startup(), first), second)
    change = delta(before, after, SCHEMA)
    again = apply_edit(before, parse(change.encode()), SCHEMA) if change else before
    assert sorted(to_text(again, SCHEMA).splitlines()) == sorted(to_text(after, SCHEMA).splitlines())


@given(edits=EDITS)
def test_the_delta_leads_back_to_nothing(edits: list[str]) -> None:
    tree = edited(empty(), edits)
    change = delta(tree, empty(), SCHEMA)
    assert to_text(apply_edit(tree, parse(change.encode()), SCHEMA) if change else tree, SCHEMA) == to_text(
        empty(), SCHEMA
    )


def test_a_delta_costs_what_changed() -> None:
    before = edited(startup(), [profile(f"p{n}") for n in range(50)])
    assert len(delta(before, edited(before, [profile("p7", "remove")]), SCHEMA)) < 500
    assert delta(before, before, SCHEMA) == ""


def test_the_first_change_keeps_the_whole_and_later_ones_only_themselves(tmp_path: Path) -> None:
    file = tmp_path / "olt1.cfg"
    kept = FileMemory(file)
    kept.add("one", lambda: "whole")
    kept.add("two\nlines", lambda: pytest.fail("the whole was asked for"))
    assert file.read_text() == "whole"
    assert list(FileMemory(file).changes()) == ["two\nlines"]


def test_a_change_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    kept = FileMemory(tmp_path / "olt1.cfg")
    kept("whole")
    kept.add("one", str)
    with (tmp_path / "olt1.cfg.changes").open("a") as beside:
        beside.write('"tw')
    assert list(kept.changes()) == ["one"]


def test_many_changes_are_folded_into_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LEAST_CHARS", 20)
    kept = FileMemory(tmp_path / "olt1.cfg")
    kept("whole")
    kept.add("0123456789", lambda: "too early")
    kept.add("0123456789", lambda: "new whole")
    assert (tmp_path / "olt1.cfg").read_text() == "new whole"
    assert list(kept.changes()) == []
