"""Who waits for which devices, and who goes when."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from activation.lines import Lines

SETS = st.lists(st.frozensets(st.sampled_from("abcd"), max_size=3), max_size=30)


def joined(*devices: str) -> Lines[int]:
    lines: Lines[int] = Lines()
    for number, names in enumerate(devices):
        lines.join(frozenset(names), number)
    return lines


def begun(lines: Lines[int]) -> list[str]:
    found: Iterable[frozenset[str] | None] = iter(lines.begin, None)
    return ["".join(sorted(names)) for names in found if names is not None]


def test_those_with_the_same_devices_go_together() -> None:
    lines = joined("ab", "c", "ab", "ba")
    assert begun(lines) == ["ab", "c"]
    assert lines.take(frozenset("ab"), 9) == [0, 2, 3]


def test_disjoint_lines_go_side_by_side_and_overlapping_ones_in_order() -> None:
    lines = joined("ab", "bc", "cd", "d", "e")
    assert begun(lines) == ["ab", "e"]
    lines.take(frozenset("ab"), 9)
    lines.finish(frozenset("ab"))
    assert begun(lines) == ["bc"], "cd came later and waits, d behind it"


def test_a_line_that_waits_keeps_its_devices_from_younger_ones() -> None:
    lines = joined("a", "ab", "b")
    assert begun(lines) == ["a"]
    lines.take(frozenset("a"), 9)
    lines.join(frozenset("a"), 3)
    lines.finish(frozenset("a"))
    assert begun(lines) == ["ab"]


def test_who_comes_after_the_line_began_still_joins() -> None:
    lines = joined("a")
    assert begun(lines) == ["a"]
    lines.join(frozenset("a"), 1)
    assert lines.take(frozenset("a"), 9) == [0, 1]
    assert (begun(lines), len(lines)) == ([], 0)


def test_a_group_has_a_limit() -> None:
    lines = joined("a", "a", "a")
    begun(lines)
    assert lines.take(frozenset("a"), 2) == [0, 1]
    lines.finish(frozenset("a"))
    assert begun(lines) == ["a"]
    assert lines.take(frozenset("a"), 2) == [2]


def test_whoever_wants_to_be_alone_is_alone() -> None:
    lines = joined("a", "a")
    lines.join(frozenset("a"), 2, most=1)
    lines.join(frozenset("a"), 3)
    begun(lines)
    assert [lines.take(frozenset("a"), 9) for _ in range(3)] == [[0, 1], [2], [3]]


def test_what_changes_nothing_waits_for_nobody() -> None:
    lines = joined("a", "", "a")
    assert begun(lines) == ["a", ""]


def test_clear_returns_everybody_in_order() -> None:
    lines = joined("a", "b", "a")
    assert (lines.clear(), len(lines), lines.begin()) == ([0, 1, 2], 0, None)


@given(sets=SETS, limit=st.integers(1, 4), which=st.randoms(use_true_random=False))
def test_everybody_goes_once_and_no_device_is_in_two_groups(
    sets: list[frozenset[str]], limit: int, which: object
) -> None:
    lines = joined(*map("".join, sets))
    gone: list[int] = []
    under_way: list[frozenset[str]] = []
    while True:
        while (devices := lines.begin()) is not None:
            assert all(devices.isdisjoint(other) for other in under_way)
            under_way.append(devices)
        if not under_way:
            break
        ends = under_way.pop(which.randrange(len(under_way)))  # type: ignore[attr-defined]  # hypothesis' own Random
        gone += lines.take(ends, limit)
        lines.finish(ends)
    assert sorted(gone) == list(range(len(sets)))
