"""Pools in the database: free spans beside the reservations, so that a taken value costs nothing to step over."""

from collections.abc import Mapping
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, select

from inventory.errors import PoolExhausted, StaleState
from inventory.model import Allocation
from inventory.pools import PoolKey, Span, free_spans, give_back, take_lowest
from inventory.tables import free_ranges, reservations


class PoolUsage(TypedDict):
    """How full one pool is."""

    pool: str
    kind: Allocation
    size: int
    taken: int
    free: int


class PoolStore:
    """Which values are free. Callers hold the write transaction; reservations are theirs to write and delete."""

    def take(self, connection: Connection, key: PoolKey) -> int:
        """Take and return the lowest free value.

        Raises:
            PoolExhausted: no free value.
            StaleState: another transaction took the value first; nothing was written.
        """
        lowest = self._lowest(connection, key)
        if lowest is None:
            raise PoolExhausted(key.name, self._taken(connection, key))
        value, rest = take_lowest(lowest)
        self._drop(connection, key, lowest)
        if rest is not None:
            self._add(connection, key, rest)
        return value

    def give_back(self, connection: Connection, key: PoolKey, value: int) -> None:
        """Make ``value`` free again."""
        below, above = self._below(connection, key, value), self._above(connection, key, value)
        for neighbour in (below, above):
            if neighbour is not None:
                self._drop(connection, key, neighbour)
        self._add(connection, key, give_back(value, below, above))

    def rebuild(self, connection: Connection, pools: Mapping[PoolKey, Span]) -> None:
        """Compute the free spans of all ``pools`` anew from the reservations; forget every other pool."""
        connection.execute(delete(free_ranges))
        rows = [
            _values(key, span)
            for key, whole in pools.items()
            for span in free_spans(whole, self._taken_values(connection, key))
        ]
        if rows:
            connection.execute(insert(free_ranges), rows)

    def usage(self, connection: Connection) -> list[PoolUsage]:
        """Return every pool with its size and what is taken and free of it, sorted by kind and name."""
        here = free_ranges.c
        free = _counts(connection, free_ranges, func.sum(here.last - here.first + 1))
        taken = _counts(connection, reservations, func.count())
        return [
            PoolUsage(
                pool=key.name,
                kind=key.allocation,
                size=free.get(key, 0) + taken.get(key, 0),
                taken=taken.get(key, 0),
                free=free.get(key, 0),
            )
            for key in sorted(free.keys() | taken.keys())
        ]

    def _lowest(self, connection: Connection, key: PoolKey) -> Span | None:
        wanted = select(free_ranges.c.first, free_ranges.c.last).where(_of(free_ranges, key))
        found = connection.execute(wanted.order_by(free_ranges.c.first).limit(1)).first()
        return Span(first=found.first, last=found.last) if found else None

    def _below(self, connection: Connection, key: PoolKey, value: int) -> Span | None:
        here = free_ranges.c
        wanted = select(here.first, here.last).where(_of(free_ranges, key), here.first < value)
        found = connection.execute(wanted.order_by(here.first.desc()).limit(1)).first()
        return Span(first=found.first, last=found.last) if found and found.last == value - 1 else None

    def _above(self, connection: Connection, key: PoolKey, value: int) -> Span | None:
        here = free_ranges.c
        wanted = select(here.first, here.last).where(_of(free_ranges, key), here.first == value + 1)
        found = connection.execute(wanted).first()
        return Span(first=found.first, last=found.last) if found else None

    def _drop(self, connection: Connection, key: PoolKey, span: Span) -> None:
        here = free_ranges.c
        where = (_of(free_ranges, key), here.first == span.first, here.last == span.last)
        if connection.execute(delete(free_ranges).where(*where)).rowcount != 1:
            raise StaleState("pool", key.name, f"free from {span.first} to {span.last}")

    def _add(self, connection: Connection, key: PoolKey, span: Span) -> None:
        connection.execute(insert(free_ranges).values(_values(key, span)))

    def _taken(self, connection: Connection, key: PoolKey) -> int:
        wanted = select(func.count()).select_from(reservations).where(_of(reservations, key))
        return connection.execute(wanted).scalar_one()

    def _taken_values(self, connection: Connection, key: PoolKey) -> list[int]:
        here = reservations.c.value
        return list(connection.execute(select(here).where(_of(reservations, key)).order_by(here)).scalars())


def _of(table: Table, key: PoolKey) -> ColumnElement[bool]:
    return and_(table.c.allocation == key.allocation, table.c.pool == key.name)


def _values(key: PoolKey, span: Span) -> dict[str, Any]:
    return {"allocation": key.allocation, "pool": key.name, "first": span.first, "last": span.last}


def _counts(connection: Connection, table: Table, count: ColumnElement[Any]) -> dict[PoolKey, int]:
    here = table.c
    found = connection.execute(select(here.allocation, here.pool, count).group_by(here.allocation, here.pool))
    return {PoolKey(allocation=allocation, name=pool): int(number) for allocation, pool, number in found}
