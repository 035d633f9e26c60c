"""What a sheet knows by key: immutable entries, a note of every change for the undo, and which are not yet written."""

from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    """What is known of one key: what the database has, and what it is to have."""

    @property
    def is_written(self) -> bool:
        """Whether the two are the same."""
        ...


K = TypeVar("K", bound=Hashable)
E = TypeVar("E", bound=Entry)


class Entries(Generic[K, E]):
    """Entries by key; changed by :meth:`put` alone."""

    def __init__(self) -> None:
        self._entries: dict[K, E] = {}
        self._unwritten: dict[K, None] = {}
        self._undo: list[tuple[K, E | None]] = []

    def get(self, key: K) -> E | None:
        """Return what is known of ``key``, or None."""
        return self._entries.get(key)

    def put(self, key: K, entry: E | None) -> None:
        """Know ``entry`` from now on; None: nothing."""
        self._undo.append((key, self._entries.get(key)))
        self._set(key, entry)

    def unwritten(self) -> Iterator[tuple[K, E]]:
        """Return the entries that the database does not have, in the order of their first change."""
        return iter([(key, self._entries[key]) for key in self._unwritten])

    def mark(self) -> int:
        """Return where the entries stand, for :meth:`undo`."""
        return len(self._undo)

    def undo(self, mark: int) -> None:
        """Know what was known at ``mark``."""
        while len(self._undo) > mark:
            self._set(*self._undo.pop())

    def _set(self, key: K, entry: E | None) -> None:
        if entry is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = entry
        if entry is None or entry.is_written:
            self._unwritten.pop(key, None)
        else:
            self._unwritten[key] = None
