"""The items of an order: a forest, as items hold items to any depth. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from inventory.documents import Document
from orders.states import OrderState, counted, roll_up


class Holder(Protocol):
    """An item of an incoming order."""

    @property
    def id(self) -> str:
        """What the order calls it."""
        ...

    @property
    def inner(self) -> Sequence[Self]:
        """The items inside it."""
        ...


ItemT = TypeVar("ItemT", bound=Holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed(Generic[ItemT]):
    """An item and where it stands; ``above`` are the ids of the items that hold it, the outermost first."""

    item: ItemT
    path: str
    above: tuple[str, ...] = ()


def walked(items: Sequence[ItemT], key: str) -> Iterator[Placed[ItemT]]:
    """Yield every item of an incoming order, those that hold others first; ``key`` is the attribute that has items."""
    waiting = [Placed(item=item, path=f"{key}[{number}]") for number, item in reversed(tuple(enumerate(items)))]
    while waiting:
        placed = waiting.pop()
        yield placed
        above = (*placed.above, placed.item.id)
        waiting.extend(
            Placed(item=item, path=f"{placed.path}.{key}[{number}]", above=above)
            for number, item in reversed(tuple(enumerate(placed.item.inner)))
        )


def flat(document: Document, key: str) -> Iterator[Document]:
    """Yield every item of a stored order, those that hold others first."""
    for item in document.get(key, ()):
        yield item
        yield from flat(item, key)


def pathed(document: Document, key: str, prefix: str = "") -> Iterator[tuple[str, Document]]:
    """Yield every item of a stored order with its path."""
    for number, item in enumerate(document.get(key, ())):
        path = f"{prefix}{key}[{number}]"
        yield path, item
        yield from pathed(item, key, f"{path}.")


def own_states(document: Document, key: str, working: Mapping[str, str | None]) -> dict[str, OrderState]:
    """Return the state of each item's own work; one that only holds others has none.

    ``working`` has it for items that hold others and have work of their own besides.
    """
    found = {}
    for item in flat(document, key):
        state = working.get(item["id"]) if item.get(key) else item["state"]
        if state is not None:
            found[item["id"]] = OrderState(state)
    return found


Change = Callable[[Document], tuple[Document, OrderState | None]]
"""What becomes of one item, and the state of its own work; None where it only holds others."""
Tell = Callable[[Document, OrderState], OrderState]
"""Takes note that an item, as it was, comes to a state; returns the one it has on the wire."""


def advanced(
    items: Sequence[Document], key: str, change: Change, tell: Tell, out: Collection[str] = ()
) -> tuple[list[Document], list[OrderState]]:
    """Return ``items`` changed, each in the state that its own work and the items inside it make; and these states.

    ``out`` are the items that were taken out of the order: see :func:`orders.states.counted`.
    """
    found = [_advanced(item, key, change, tell, out) for item in items]
    return [item for item, _, _ in found], counted((state, is_out) for _, state, is_out in found)


def _advanced(
    item: Document, key: str, change: Change, tell: Tell, out: Collection[str]
) -> tuple[Document, OrderState, bool]:
    changed, own = change(item)
    inner, states = advanced(item.get(key, ()), key, change, tell, out)
    is_out = item["id"] in out
    if not inner:
        state = own if own is not None else OrderState(item["state"])
        return {**changed, "state": tell(item, state)}, state, is_out
    state = roll_up([*states, *([own] if own is not None else [])], before=OrderState(item["state"]))
    return {**changed, key: inner, "state": tell(item, state)}, state, is_out


def with_holders(items: Sequence[Document], key: str, out: Collection[str], working: Collection[str]) -> frozenset[str]:
    """Return ``out`` with all that holds nothing else, and has no work of its own."""
    found = set(out)
    for item in items:
        found |= with_holders(item.get(key, ()), key, out, working)
        if item.get(key) and item["id"] not in working and found.issuperset(each["id"] for each in item[key]):
            found.add(item["id"])
    return frozenset(found)
