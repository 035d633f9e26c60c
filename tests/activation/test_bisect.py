"""Whoever is at fault is found, everybody else gets through, in few tries."""

from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from activation.bisect import OVERRUNS, SAME_WORDS, Search

WORDS = "% Invalid input"


def searched(members: list[int], bad: set[int], *, same_words: bool = False) -> tuple[set[int], set[int], int]:
    """Return who got through, who was refused, and after how many tries."""
    search, through, refused, tries = Search(members), set[int](), set[int](), 0
    while group := search.next():
        tries += 1
        assert not through & {*group}
        assert not refused & {*group}
        if culprits := bad & {*group}:
            refused |= {*search.refused(WORDS if same_words else f"{min(culprits)} is bad")}
        else:
            search.passed()
            through |= {*group}
    return through, refused, tries


@given(size=st.integers(1, 300), bad=st.sets(st.integers(0, 299), max_size=8))
def test_all_but_the_culprits_get_through(size: int, bad: set[int]) -> None:
    members = list(range(size))
    through, refused, tries = searched(members, bad & {*members})
    assert through == {*members} - bad
    assert refused == {*members} & bad
    assert tries <= 1 + len(refused) * (ceil(log2(size)) + 3) if size > 1 else tries == 1


@given(size=st.integers(2, 1000), place=st.integers(0, 999))
def test_one_culprit_costs_the_logarithm(size: int, place: int) -> None:
    _, refused, tries = searched(list(range(size)), {place % size})
    assert refused == {place % size}
    assert tries <= ceil(log2(size)) + 3


def test_nobody_at_fault_is_one_try() -> None:
    assert searched(list(range(1000)), set()) == ({*range(1000)}, set(), 1)


def test_a_device_that_refuses_everybody_is_soon_believed() -> None:
    through, refused, tries = searched(list(range(1000)), {*range(1000)}, same_words=True)
    assert (through, refused) == (set(), {*range(1000)})
    assert tries <= SAME_WORDS * 12


def test_bad_ones_side_by_side_do_not_condemn_the_others() -> None:
    bad = {0, 1, 2, 3, 4}
    assert searched(list(range(100)), bad, same_words=True)[:2] == ({*range(100)} - bad, bad)


def test_whoever_is_named_is_tried_first() -> None:
    members = list(range(1000))
    search = Search(members)
    assert list(search.next()) == members
    assert search.refused("onu 700", named=[members[700]]) == ()
    assert list(search.next()) == [700]
    assert search.refused("onu 700") == [700]
    assert list(search.next()) == [member for member in members if member != 700]


def test_two_that_do_not_go_together_both_get_through_apart() -> None:
    search = Search([1, 2])
    search.next()
    search.refused("not these two")
    for alone in ([1], [2]):
        assert list(search.next()) == alone
        search.passed()
    assert list(search.next()) == []


def test_who_gives_up_gets_back_everybody_who_is_left() -> None:
    search = Search([1, 2, 3, 4])
    search.next()
    search.refused("no")
    assert list(search.next()) == [1, 2]
    assert sorted(search.give_up()) == [3, 4]
    assert list(search.next()) == []


@given(size=st.integers(2, 300), bad=st.sets(st.integers(0, 299), max_size=12), at_a_time=st.integers(1, 4))
def test_names_in_the_refusals_condemn_nobody_else(size: int, bad: set[int], at_a_time: int) -> None:
    members = list(range(size))
    search, through, refused, tries = Search(members), set[int](), set[int](), 0
    while group := search.next():
        tries += 1
        if culprits := [member for member in group if member in bad]:
            refused |= {*search.refused(WORDS, named=culprits[:at_a_time])}
        else:
            search.passed()
            through |= {*group}
    assert refused == bad & {*members}
    assert through == {*members} - bad
    assert tries <= 1 + len(refused) * (ceil(log2(size)) + 3)


def test_a_device_that_refuses_everybody_by_name_is_soon_believed() -> None:
    search, refused, tries = Search(range(1000)), set[int](), 0
    while group := search.next():
        tries += 1
        refused |= {*search.refused(WORDS, named=group[:1])}
    assert refused == {*range(1000)}
    assert tries <= SAME_WORDS * 14


@given(size=st.integers(1, 1000), fits=st.integers(1, 1000))
def test_what_is_too_much_goes_in_smaller_pieces(size: int, fits: int) -> None:
    search, through, tries = Search(range(size)), list[int](), 0
    while group := search.next():
        tries += 1
        if len(group) > fits and search.overran(len(group) // 4):
            continue
        if len(group) > fits:
            break
        search.passed()
        through += group
    if fits >= size / 4 ** (OVERRUNS - 1):
        assert sorted(through) == [*range(size)]
        assert tries <= OVERRUNS + 8 * size / fits


def test_a_device_that_hangs_whatever_it_gets_is_believed() -> None:
    search = Search(range(1000))
    sizes = []
    while group := search.next():
        sizes.append(len(group))
        if not search.overran(len(group) // 4):
            break
    assert sizes == [1000, 250, 62, 15]
    assert len(search.give_up()) == 1000 - 15
