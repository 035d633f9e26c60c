"""The faults of a running lab's nodes: what is legal where, switched on and off."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

from labs.embedded.faults import KINDS, Fault, FaultBoard, Kind
from labs.errors import MeaninglessFault

UNREACHABLE: Final = "unreachable"
T = TypeVar("T")


class Named(Protocol):
    """One node."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class FaultyLab(Protocol):
    """The lab behind the faults."""

    def nodes(self) -> Sequence[Named]:
        """Return the managed nodes."""
        ...

    def board(self, name: str) -> FaultBoard:
        """Return the faults of one node, for its own loop."""
        ...

    def fault_kinds(self, name: str) -> Mapping[str, Kind]:
        """Return the faults that mean something on a node."""
        ...

    def on_loop(self, work: Callable[[], T]) -> T:
        """Run ``work`` in the lab's own thread and return what it returns."""
        ...

    def cut(self, name: str) -> None:
        """Make a node unreachable."""
        ...

    def restore(self, name: str) -> None:
        """Make a node reachable again."""
        ...


class LabFaults:
    """What the nodes of a running lab do wrong. Callable from any thread but the lab's own."""

    def __init__(self, lab: FaultyLab) -> None:
        self._lab = lab

    def set(self, node: str, fault: Fault) -> None:
        """Let a node make trouble from now on; a fault of the same kind is replaced.

        Raises:
            UnknownLabNode: no managed node of that name.
            MeaninglessFault: the node has nothing that could fail so; lists what is legal there.
        """
        board, legal = self._lab.board(node), self._lab.fault_kinds(node)
        if fault.kind not in legal:
            why = f"which has no emulated {KINDS[fault.kind].needs}"
            raise MeaninglessFault(fault.kind, node, why, legal)
        self._lab.on_loop(lambda: board.set(fault))
        if fault.kind == UNREACHABLE:
            self._lab.cut(node)

    def clear(self, node: str, kind: str | None = None) -> None:
        """Let a node do well again, in one respect or altogether; a node that was cut off comes back.

        Raises:
            UnknownLabNode: no managed node of that name.
            PortInUse: somebody else took the port of a node that was cut off.
        """
        board = self._lab.board(node)
        self._lab.on_loop(lambda: board.clear(kind))
        if kind in (None, UNREACHABLE):
            self._lab.restore(node)

    def list(self, node: str | None = None) -> tuple[tuple[str, Fault], ...]:
        """Return the faults that are on, by node, with what is left of them.

        Raises:
            UnknownLabNode: no managed node of that name.
        """
        names = [each.name for each in self._lab.nodes()] if node is None else [node]
        return tuple((name, fault) for name in names for fault in self._lab.board(name).list())
