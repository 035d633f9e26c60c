from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.errors import RollbackRefused
from activation.model import Fragment, FragmentChange, ServiceId, TransactionId
from activation.undo import Key, Past, builders_on, undo


def held(service: str, text: str, device: str = "sw1") -> Fragment:
    return Fragment(service_id=ServiceId(service), device=device, intent="i", text=text)


def key(fragment: Fragment) -> Key:
    return fragment.service_id, fragment.device, fragment.intent


def past(number: int, *changes: tuple[Fragment | None, Fragment | None]) -> Past:
    made = tuple(FragmentChange(old=old, new=new) for old, new in changes)
    return Past(transaction_id=TransactionId(f"lm-{number}"), changes=made)


A1, A2, A3 = held("a", "1"), held("a", "2"), held("a", "3")
B1, B2 = held("b", "1"), held("b", "2")
ADD_A, RAISE_A, RAISE_B = past(1, (None, A1)), past(2, (A1, A2)), past(4, (B1, B2))
BOTH = past(3, (A2, A3), (None, B1))


def today(*fragments: Fragment) -> dict[Key, Fragment]:
    return {key(each): each for each in fragments}


def test_a_modify_goes_back_to_what_it_was() -> None:
    done = undo(RAISE_A, [], today(A2))
    assert (done.changes, done.undone) == ((FragmentChange(old=A2, new=A1),), ("lm-2",))


def test_an_add_goes_away() -> None:
    assert undo(ADD_A, [], today(A1)).changes == (FragmentChange(old=A1, new=None),)


def test_what_went_comes_back_and_what_came_and_went_leaves_nothing_to_do() -> None:
    gone = past(5, (A1, None))
    assert undo(gone, [], {}).changes == (FragmentChange(old=None, new=A1),)
    assert undo(ADD_A, [gone], {}, with_later=True).changes == ()


def test_foreign_nodes_noted_since_do_not_matter() -> None:
    noted = replace(A2, foreign=frozenset({("vlan 1",)}))
    assert undo(RAISE_A, [], today(noted)).changes == (FragmentChange(old=noted, new=A1),)


def test_what_built_on_it_is_named_and_goes_too_when_asked() -> None:
    with pytest.raises(RollbackRefused, match=r"lm-2: built upon since by lm-4, lm-3; legal: .*--with-later"):
        undo(RAISE_A, [BOTH, RAISE_B], today(A3, B2))
    done = undo(RAISE_A, [BOTH, RAISE_B], today(A3, B2), with_later=True)
    assert done.undone == ("lm-4", "lm-3", "lm-2")
    assert done.changes == (FragmentChange(old=A3, new=A1), FragmentChange(old=B2, new=None))


def test_what_has_nothing_to_do_with_it_stays() -> None:
    other = past(9, (None, held("c", "1")))
    assert builders_on(RAISE_A, [other]) == ()
    assert undo(RAISE_A, [other], today(A2, held("c", "1"))).undone == ("lm-2",)


REFUSED: dict[str, tuple[Past, list[Past], dict[Key, Fragment], str]] = {
    "nothing changed": (past(5, (A1, A1)), [], today(A1), "changed no service's configuration"),
    "adopted since": (RAISE_A, [], today(A3), "changed since without a transaction"),
    "ended since": (RAISE_A, [], {}, "changed since without a transaction"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_undone_says_why_and_what_is_legal(case: str) -> None:
    target, later, fragments, words = REFUSED[case]
    with pytest.raises(RollbackRefused, match=words):
        undo(target, later, fragments)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=12), st.data())
def test_undoing_with_all_that_followed_is_as_if_it_had_never_been(
    steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    states: list[dict[Key, Fragment]] = [{}]
    done: list[Past] = []
    for number, (service, text) in enumerate(steps):
        new = held(service, str(text))
        done.append(past(number, (states[-1].get(key(new)), new)))
        states.append({**states[-1], key(new): new})
    at = data.draw(st.integers(0, len(steps) - 1))
    target, later = done[at], done[at + 1 :]
    if not target.keys():
        return
    result = undo(target, later, states[-1], with_later=True)
    after = dict(states[-1])
    for change in result.changes:
        gone = change.old or change.new
        assert gone is not None
        after.pop(key(gone), None)
        if change.new is not None:
            after[key(change.new)] = change.new
    service = steps[at][0]
    assert {each for each in after.values() if each.service_id == service} == {
        each for each in states[at].values() if each.service_id == service
    }
    assert {each for each in after.values() if each.service_id != service} == {
        each for each in states[-1].values() if each.service_id != service
    }
