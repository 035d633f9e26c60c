"""Which item waits for which: types of relationship, items that hold others, circles."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.dependencies import MOST_WAITS, Node, Relation, after, dependency_problems, in_order


def node(key: str, *waits_for: str, above: str = "", action: str = "add", kind: str = "reliesOn") -> Node:
    """Return an item; ``above`` are the ids of those that hold it, e.g. ``"1 2"``."""
    relations = tuple(Relation(kind=kind, target=other, path=f"{key}→{other}") for other in waits_for)
    return Node(id=key, action=action, above=tuple(above.split()), relations=relations)


WAITS: dict[str, tuple[Sequence[Node], dict[str, tuple[str, ...]]]] = {
    "none": ((node("1"), node("2")), {}),
    "one": ((node("1"), node("2", "1")), {"2": ("1",)}),
    "types": (
        (node("1"), *(node(kind, "1", kind=kind) for kind in ("RELIESON", "dependsOn", "requires", "dependency"))),
        dict.fromkeys(("RELIESON", "dependsOn", "requires", "dependency"), ("1",)),
    ),
    "types that say nothing": ((node("1"), *(node(kind, "1", kind=kind) for kind in ("bundled", "replaces", ""))), {}),
    "a target that nobody waits for may be anywhere": ((node("1", "elsewhere", kind="replaces"),), {}),
    "for all that an item holds": (
        (node("b"), node("1", above="b"), node("2", above="b"), node("3", "b")),
        {"3": ("b", "1", "2")},
    ),
    "with all that it holds": (
        (node("1"), node("b", "1"), node("2", above="b"), node("3", above="b 2")),
        {"b": ("1",), "2": ("1",), "3": ("1",)},
    ),
    "for the item that holds it": (
        (node("b"), node("1", "b", above="b"), node("2", above="b")),
        {"1": ("b",)},
    ),
    "for what it holds": ((node("b", "1"), node("1", above="b"), node("2", above="b")), {"b": ("1",)}),
    "what relies goes first when both go": (
        (node("1", action="delete"), node("2", "1", action="delete")),
        {"1": ("2",)},
    ),
    "a dependency is a dependency, also of two that go": (
        (node("1", action="delete"), node("2", "1", action="delete", kind="dependency")),
        {"2": ("1",)},
    ),
    "what goes when the other has come": ((node("1"), node("2", "1", action="delete")), {"2": ("1",)}),
}


@pytest.mark.parametrize("case", WAITS)
def test_who_waits_for_whom(case: str) -> None:
    nodes, expected = WAITS[case]
    assert list(dependency_problems(nodes)) == []
    assert after(nodes, [each.id for each in nodes]) == expected


def test_only_items_with_work_wait_and_are_waited_for() -> None:
    nodes = (node("b"), node("1", above="b"), node("2", "b"), node("3", "2"))
    assert after(nodes, ["1", "2"]) == {"2": ("1",)}


WRONG: dict[str, tuple[Sequence[Node], str]] = {
    "two": ((node("1", "2"), node("2", "1")), "1→2: the items wait for each other: 1 → 2 → 1 (legal: no circle)"),
    "three": (
        (node("3", "1"), node("1", "2"), node("2", "3")),
        "1→2: the items wait for each other: 1 → 2 → 3 → 1 (legal: no circle)",
    ),
    "across what they are held by": (
        (node("a"), node("1", "b", above="a"), node("b"), node("2", "a", above="b")),
        "1→b: the items wait for each other: 1 → 2 → 1 (legal: no circle)",
    ),
    "no circle: what goes first is waited for": (
        (node("1", action="delete"), node("2", "1", action="delete"), node("3", "1"), node("4", "3", action="delete")),
        "",
    ),
    "unknown": ((node("1", "9"), node("2")), "1→9: there is no item '9' (legal: 2)"),
    "itself": ((node("1", "1"),), "1→1: '1' is the item itself (legal: the id of another item of this order)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_way(case: str) -> None:
    nodes, expected = WRONG[case]
    assert "; ".join(map(str, dependency_problems(nodes))) == expected


def test_a_few_words_cannot_ask_for_millions_of_pairs() -> None:
    many = [node(f"{side}{number}", above=side) for side in "ab" for number in range(200)]
    nodes = (node("a"), node("b", "a"), *many)
    assert f"more than {MOST_WAITS} pairs" in str(next(iter(dependency_problems(nodes))))


@st.composite
def forests(draw: st.DrawFn) -> Sequence[Node]:
    """Draw items that hold others and wait for others, also in circles."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 8))):
        holder = draw(st.none() | st.sampled_from(nodes)) if nodes else None
        above = (*holder.above, holder.id) if holder is not None else ()
        targets = draw(st.lists(st.integers(0, 7).map(str), max_size=2))
        relations = tuple(Relation(kind="dependency", target=each, path=f"{number}→{each}") for each in targets)
        nodes.append(Node(id=str(number), action="add", above=above, relations=relations))
    return nodes


@given(forests())
def test_items_are_told_wrong_or_put_into_an_order_that_each_accepts(nodes: Sequence[Node]) -> None:
    if list(dependency_problems(nodes)):
        return
    sequence = in_order(nodes) or tuple(each.id for each in nodes)
    assert sorted(sequence) == sorted(each.id for each in nodes)
    for item, others in after(nodes, sequence).items():
        assert all(sequence.index(other) < sequence.index(item) for other in others)
