"""Work that came in while other work of the same kind ran is done in one go; work that comes alone never waits."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

M = TypeVar("M")


@dataclass(slots=True)
class _Place(Generic[M]):
    """A member's place in a line; its thread waits for ``turn``.

    Attributes:
        is_done: whether somebody else did the member's work; if not, its thread leads the next group.
    """

    member: M
    turn: threading.Event = field(default_factory=threading.Event)
    is_done: bool = False
    error: BaseException | None = None


class Gathering(Generic[M]):
    """Lines of members by key; the first of a line works for those behind it.

    Attributes:
        limit: how many members one group has at most.
    """

    def __init__(self, work: Callable[[Sequence[M]], None], *, limit: int) -> None:
        self.limit = limit
        self._work = work
        self._lines: dict[Hashable, deque[_Place[M]]] = {}
        self._guard = threading.Lock()

    def join(self, key: Hashable, member: M) -> None:
        """Return when the member's work is done, by this thread or by another; raise what it raised."""
        place = _Place(member)
        with self._guard:
            leads = key not in self._lines
            line = self._lines.setdefault(key, deque())
            line.append(place)
        if not leads:
            place.turn.wait()
        if not place.is_done:
            self._lead(key, line)
        if place.error is not None:
            raise place.error

    def _lead(self, key: Hashable, line: "deque[_Place[M]]") -> None:
        with self._guard:
            group = [line.popleft() for _ in range(min(self.limit, len(line)))]
        error: BaseException | None = None
        try:
            self._work([place.member for place in group])
        except BaseException as raised:  # noqa: BLE001 - every member of the group raises it in its own thread
            error = raised
        with self._guard:
            following = line[0] if line else None
            if following is None:
                del self._lines[key]
        for place in group:
            place.error, place.is_done = error, True
            place.turn.set()
        if following is not None:
            following.turn.set()
