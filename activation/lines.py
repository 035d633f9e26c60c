"""Who waits for which devices: a list entry each, and groups of those that change the same devices."""

import threading
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from sys import maxsize
from typing import Generic, TypeVar

M = TypeVar("M")
Names = frozenset[str]
"""The devices that one member changes."""


@dataclass(frozen=True, slots=True)
class _Place(Generic[M]):
    """A member's place in its line; ``number`` counts arrivals, ``most`` is how many its group may have."""

    number: int
    member: M
    most: int


@dataclass(slots=True)
class Lines(Generic[M]):
    """Lines of members by the set of devices that they change; safe for use by many threads.

    Nobody overtakes on a device but those who join a group that changes the very same devices: a line whose oldest
    member has waited longest keeps its devices from younger lines, so that no line waits for ever.
    """

    _waiting: dict[Names, deque[_Place[M]]] = field(default_factory=dict)
    _begun: set[Names] = field(default_factory=set)
    _numbers: "count[int]" = field(default_factory=count)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def join(self, devices: Names, member: M, *, most: int = maxsize) -> None:
        """Put ``member`` at the end of the line of those who change ``devices``; its group has ``most`` at most."""
        with self._guard:
            self._waiting.setdefault(devices, deque()).append(_Place(next(self._numbers), member, most))

    def begin(self) -> Names | None:
        """Return the devices of the line that goes next, now its own until :meth:`finish`; None where none can."""
        with self._guard:
            taken = {name for devices in self._begun for name in devices}
            for devices in sorted(self._waiting, key=lambda devices: self._waiting[devices][0].number):
                if devices not in self._begun and taken.isdisjoint(devices):
                    self._begun.add(devices)
                    return devices
                taken |= devices
            return None

    def take(self, devices: Names, limit: int) -> list[M]:
        """Return the next group of a line that has begun: all who have come until now, ``limit`` at most."""
        with self._guard:
            line = self._waiting.get(devices, deque())
            group: list[M] = []
            while line and len(group) < min(limit, line[0].most):
                place = line.popleft()
                group.append(place.member)
                limit = min(limit, place.most)
            if not line:
                self._waiting.pop(devices, None)
            return group

    def finish(self, devices: Names) -> None:
        """Let others have the devices of a line that began."""
        with self._guard:
            self._begun.remove(devices)

    def clear(self) -> list[M]:
        """Return, in order of arrival, everybody who waits; nobody waits any more."""
        with self._guard:
            places = sorted((place for line in self._waiting.values() for place in line), key=lambda each: each.number)
            self._waiting.clear()
        return [place.member for place in places]

    def __len__(self) -> int:
        with self._guard:
            return sum(map(len, self._waiting.values()))
