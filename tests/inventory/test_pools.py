"""The law of pools, on values alone."""

from ipaddress import IPv4Address
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inventory.model import Network
from inventory.pools import PoolKey, Span, free_spans, give_back, pools_of, take_lowest

POOL = Span(first=10, last=40)
TAKEN = st.sets(st.integers(0, 50))


def numbers(spans: list[Span]) -> list[int]:
    return [number for span in spans for number in range(span.first, span.last + 1)]


def take(spans: list[Span]) -> tuple[int, list[Span]]:
    value, rest = take_lowest(spans[0])
    return value, [*([rest] if rest else []), *spans[1:]]


def put_back(spans: list[Span], value: int) -> list[Span]:
    below = next((span for span in spans if span.last == value - 1), None)
    above = next((span for span in spans if span.first == value + 1), None)
    others = [span for span in spans if span not in (below, above)]
    return sorted([*others, give_back(value, below, above)])


@given(TAKEN)
def test_free_is_the_pool_without_what_is_taken(taken: set[int]) -> None:
    spans = list(free_spans(POOL, sorted(taken)))
    assert numbers(spans) == [number for number in range(10, 41) if number not in taken]


@given(TAKEN)
def test_free_spans_are_as_few_as_can_be(taken: set[int]) -> None:
    spans = list(free_spans(POOL, sorted(taken)))
    assert all(high.first > low.last + 1 for low, high in pairwise(spans))


@given(TAKEN)
def test_a_taken_value_is_never_handed_out(taken: set[int]) -> None:
    spans = list(free_spans(POOL, sorted(taken)))
    handed_out = []
    while spans:
        value, spans = take(spans)
        handed_out.append(value)
    assert handed_out == sorted(set(range(10, 41)) - taken)


@given(TAKEN, st.data())
def test_a_released_value_comes_back_into_use(taken: set[int], data: st.DataObject) -> None:
    held = taken & set(range(10, 41))
    spans = list(free_spans(POOL, sorted(taken)))
    for value in data.draw(st.permutations(sorted(held))):
        spans = put_back(spans, value)
        assert value in numbers(spans)
    assert spans == [POOL]


@given(TAKEN.filter(lambda taken: not taken >= set(range(10, 41))))
def test_release_undoes_allocate(taken: set[int]) -> None:
    before = list(free_spans(POOL, sorted(taken)))
    value, after = take(before)
    assert put_back(after, value) == before


def test_every_pool_of_a_network_is_named_and_spanned(network: Network) -> None:
    assert pools_of(network) == {
        PoolKey(allocation="pon", name="olt1/pon1"): Span(first=1, last=64),
        PoolKey(allocation="pon", name="olt1/pon2"): Span(first=1, last=64),
        PoolKey(allocation="vlan", name="subscriber-vlans"): Span(first=1042, last=1999),
        PoolKey(allocation="address", name="residential"): Span(
            first=int(IPv4Address("10.42.1.15")), last=int(IPv4Address("10.42.1.250"))
        ),
    }
