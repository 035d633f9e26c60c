"""The line editor: what each key does to the line and shows on the screen."""

import pytest

from labs.embedded.cli_pipe import UnknownFilter, filtered
from labs.embedded.cli_terminal import BELL, LineEditor

ERASE, LEFT, RIGHT, HOME, END, WORD, LINE, UP, DOWN, DELETE = (
    "\x7f", "\x02", "\x06", "\x01", "\x05", "\x17", "\x15", "\x10", "\x0e", "\x04",
)  # fmt: skip


def typing(editor: LineEditor, keys: str) -> str:
    editor.begin()
    return "".join(map(editor.key, keys))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("vlan 10", "vlan 10"),
        (f"vlam{ERASE}n", "vlan"),
        (f"show vlan{WORD}version", "show version"),
        (f"show vlan{LINE}exit", "exit"),
        (f"vla{LEFT}{LEFT}X", "vXla"),
        (f"lan{HOME}v{END} 1", "vlan 1"),
        (f"vxlan{HOME}{RIGHT}{DELETE}", "vlan"),
        (f"{ERASE}{LEFT}{RIGHT}{DELETE}a", "a"),
        ("a\0b\x1b", "ab"),
    ],
)
def test_keys_edit_the_line(keys: str, line: str) -> None:
    editor = LineEditor()
    typing(editor, keys)
    assert editor.finish() == line


def test_plain_typing_is_echoed_as_typed() -> None:
    assert typing(LineEditor(), "show version") == "show version"


def test_the_screen_shows_the_line_after_an_insertion() -> None:
    assert typing(LineEditor(), f"van{LEFT}{LEFT}l") == "van\b\blan\b\b"


def test_history_goes_back_and_forth() -> None:
    editor = LineEditor()
    for line in ("first", "second", "second", "  "):
        typing(editor, line)
        editor.finish()
    typing(editor, UP + UP)
    assert editor.finish() == "first"
    typing(editor, UP + UP + UP + DOWN)
    assert editor.finish() == "second"
    assert typing(editor, DOWN) == BELL


TEXT = "vlan 10\n   name a\n!\ninterface Ethernet1\n   mtu 9000\n"


@pytest.mark.parametrize(
    ("pipe", "expected"),
    [
        ("include name", "   name a\n"),
        ("i mtu|name", "   name a\n   mtu 9000\n"),
        ("exclude ^[ ]", "vlan 10\n!\ninterface Ethernet1\n"),
        ("begin interface", "interface Ethernet1\n   mtu 9000\n"),
        ("begin nothing", ""),
        ("section vlan", "vlan 10\n   name a\n"),
        ("no-more", TEXT),
    ],
)
def test_a_pipe_filters(pipe: str, expected: str) -> None:
    assert filtered(TEXT, pipe) == expected


@pytest.mark.parametrize("pipe", ["", "include", "jump x", "include ("])
def test_an_unknown_filter_is_refused(pipe: str) -> None:
    with pytest.raises(UnknownFilter):
        filtered(TEXT, pipe)
