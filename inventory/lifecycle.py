"""State machines as data: one table, one function that moves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from inventory.errors import InventoryError

S = TypeVar("S", bound=StrEnum)


class IllegalTransition(InventoryError):
    """A move that the life cycle's table does not have; names both states and the legal moves."""

    def __init__(self, lifecycle: str, current: str, to: str, legal: tuple[str, ...]) -> None:
        self.lifecycle, self.current, self.to, self.legal = lifecycle, current, to, legal
        moves = ", ".join(legal) or "none, the state is final"
        super().__init__(f"{lifecycle}: no move from {str(current)!r} to {str(to)!r}; legal from here: {moves}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle(Generic[S]):
    """A life cycle: its name for messages, where it may begin, and every legal move."""

    name: str
    initial: frozenset[S]
    transitions: Mapping[S, frozenset[S]]

    def advance(self, current: S, to: S) -> S:
        """Return ``to``.

        Raises:
            IllegalTransition: the table has no such move.
        """
        if to not in self.transitions.get(current, frozenset()):
            raise IllegalTransition(self.name, current, to, self.legal(current))
        return to

    def path(self, current: S, to: S, *, avoid: Collection[S] = ()) -> tuple[S, ...]:
        """Return the shortest way from ``current`` to ``to``, which is its last step; empty where there is none.

        ``avoid`` are states that the way must not pass through.
        """
        came_from: dict[S, S] = {}
        reached = [current]
        while reached and to not in came_from:
            before = reached.pop(0)
            for state in sorted(self.transitions.get(before, frozenset()) - {current, *came_from}):
                came_from[state] = before
                if state not in avoid:
                    reached.append(state)
        way: list[S] = []
        while to in came_from:
            way.insert(0, to)
            to = came_from.get(to, to)
        return tuple(way)

    def legal(self, current: S) -> tuple[str, ...]:
        """Return the states that can follow ``current``, sorted; empty for a final state."""
        return tuple(sorted(self.transitions.get(current, frozenset())))

    def is_final(self, state: S) -> bool:
        """Say whether no move leads out of ``state``."""
        return not self.transitions.get(state)
