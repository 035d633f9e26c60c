"""Errors of this package.

OrdersError
├── CatalogError     the catalog's files are wrong; names file and path of each problem
├── MappingError     a catalog expression gave no value for this order
├── UnknownSpecification   the catalog has no such specification, or not in this version
├── InvalidEntry     a catalog entry that cannot be taken; each problem with its path and what is legal
├── CatalogConflict  a change of the catalog that would take away what others need; names them
├── InvalidOrder     a body that cannot be accepted; each problem with its path and what is legal
└── OrderConflict    a good body at a bad moment: the target is ended or already has an order in flight

An unknown order id is :class:`inventory.errors.UnknownResource`.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: where, what, and what would be legal there."""

    path: str
    wrong: str
    legal: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.wrong}" + (f" (legal: {self.legal})" if self.legal else "")


class OrdersError(Exception):
    """Root of the errors that order code raises on purpose."""


class CatalogError(OrdersError):
    """Catalog files that cannot be used; ``problems`` name file and path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("the catalog cannot be used: " + "; ".join(map(str, self.problems)))


class MappingError(OrdersError):
    """A catalog expression that gave no usable value."""

    def __init__(self, path: str, source: str, reason: str) -> None:
        self.path, self.source, self.reason = path, source, reason
        super().__init__(f"{path}: expression {source!r} gave no value: {reason}")


class UnknownSpecification(OrdersError):
    """A specification that the catalog does not have, or not in the version that was named."""

    def __init__(self, kind: str, ref: str, known: Iterable[str]) -> None:
        self.kind, self.ref, self.known = kind, ref, tuple(known)
        super().__init__(f"the catalog has no {kind} {ref!r} (legal: {', '.join(self.known)})")


class InvalidEntry(OrdersError):
    """A catalog entry that cannot be taken; nothing was stored."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class CatalogConflict(OrdersError):
    """A change of the catalog that others stand against; nothing was stored."""

    def __init__(self, entry: str, reason: str) -> None:
        self.entry, self.reason = entry, reason
        super().__init__(f"{entry} {reason}")


class InvalidOrder(OrdersError):
    """An order body that cannot be accepted; nothing was stored."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class OrderConflict(OrdersError):
    """An order for something that cannot be ordered on now; nothing was stored."""

    def __init__(self, path: str, key: str, reason: str) -> None:
        self.path, self.key, self.reason = path, key, reason
        super().__init__(f"{path}: {key!r} {reason}")
