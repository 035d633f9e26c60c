"""What was read once in a unit of work and does not change while it runs: the network."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from inventory.ledger import Open

T = TypeVar("T")


class Memo:
    """A :class:`inventory.ledger.Sheet` that writes nothing."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._known: dict[Hashable, Any] = {}

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what ``read`` gave when it was first asked for ``key``."""
        if key not in self._known:
            self._known[key] = read()
        return cast("T", self._known[key])

    def forget(self) -> None:
        """Read everything anew: the network was replaced."""
        self._known.clear()

    def mark(self) -> int:
        """Return 0: nothing is collected."""
        return 0

    def undo(self, mark: int) -> None:  # noqa: ARG002 - whatever the mark
        """Forget what was read: the step that fails may have replaced the network."""
        self._known.clear()

    def flush(self) -> None:
        """Do nothing."""
