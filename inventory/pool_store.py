"""Pools in the database: free spans beside the reservations, so that a taken value costs nothing to step over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypedDict

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from inventory.entries import Entries
from inventory.errors import PoolExhausted, StaleState
from inventory.ledger import Open, UnitOfWork
from inventory.model import Allocation
from inventory.pools import PoolKey, Span, free_spans, give_back, take_lowest
from inventory.tables import address_pools, free_ranges, pon_ports, reservations, vlan_pools

WINDOW: Final = 16
"""Free spans of one pool that are read at a time."""
_TURN: Final = 0x6C6D_706F_6F6C
"""PostgreSQL's advisory lock of whoever takes from pools."""


class PoolUsage(TypedDict):
    """How full one pool is."""

    pool: str
    kind: Allocation
    size: int
    taken: int
    free: int


class PoolStore:
    """Which values are free; reservations are the caller's to write and delete."""

    def take(self, uow: UnitOfWork, key: PoolKey) -> int:
        """Take and return the lowest free value.

        Raises:
            PoolExhausted: no free value.
        """
        value = uow.sheet(PoolSheet).take(key)
        if value is None:
            raise PoolExhausted(key.name, self._taken(uow.connection, key))
        return value

    def take_value(self, uow: UnitOfWork, key: PoolKey, value: int) -> bool:
        """Take this very value; say whether it was free."""
        return uow.sheet(PoolSheet).take_value(key, value)

    def give_back(self, uow: UnitOfWork, key: PoolKey, value: int) -> None:
        """Make ``value`` free again."""
        uow.sheet(PoolSheet).give_back(key, value)

    def rebuild(self, uow: UnitOfWork, pools: Mapping[PoolKey, Span]) -> None:
        """Compute the free spans of all ``pools`` anew from the reservations; forget every other pool."""
        connection = uow.connection
        connection.execute(delete(free_ranges))
        rows = [
            _values(key, span)
            for key, whole in pools.items()
            for span in free_spans(whole, self._taken_values(connection, key))
        ]
        if rows:
            connection.execute(insert(free_ranges), rows)
        uow.sheet(PoolSheet).forget()

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

    def free(self, connection: Connection, keys: Iterable[PoolKey]) -> Mapping[PoolKey, int]:
        """Return how many values of each pool are free; a pool that is full or not there is left out."""
        here, wanted = free_ranges.c, frozenset(keys)
        names = sorted({key.name for key in wanted})
        rows = select(here.allocation, here.pool, func.sum(here.last - here.first + 1)).where(here.pool.in_(names))
        found = connection.execute(rows.group_by(here.allocation, here.pool))
        free = {PoolKey(allocation=allocation, name=pool): int(count) for allocation, pool, count in found}
        return {key: count for key, count in free.items() if key in wanted}

    def _taken(self, connection: Connection, key: PoolKey) -> int:
        wanted = select(func.count()).select_from(reservations).where(_of(reservations, key))
        return connection.execute(wanted).scalar_one()

    def _taken_values(self, connection: Connection, key: PoolKey) -> list[int]:
        here = reservations.c.value
        return list(connection.execute(select(here).where(_of(reservations, key)).order_by(here)).scalars())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """The lowest free spans of one pool as a unit of work knows them.

    Attributes:
        stored: as the database has them; taking moves a span's first value, its last one stays.
        free: as they are here.
        returned: values given back and not yet written, ascending.
        is_all: whether the database has no spans beyond these.
    """

    stored: tuple[Span, ...] = ()
    free: tuple[Span, ...] = ()
    returned: tuple[int, ...] = ()
    is_all: bool = False

    @property
    def is_written(self) -> bool:
        """Whether the database has exactly this."""
        return self.stored == self.free and not self.returned


def _wait_for_turn(connection: Connection) -> None:
    """Let one transaction at a time lock pools: two that lock them in another order would wait for each other.

    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_TURN)))


class PoolSheet:
    """A :class:`inventory.ledger.Sheet` of the free spans."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._windows: Entries[PoolKey, _Window] = Entries()
        self.mark, self.undo = self._windows.mark, self._windows.undo

    def take(self, key: PoolKey) -> int | None:
        """Return the lowest free value and keep it from others; None where none is free."""
        window = self._window(key)
        if window.returned and not (window.free and window.free[0].first < window.returned[0]):
            self._windows.put(key, replace(window, returned=window.returned[1:]))
            return window.returned[0]
        if not window.free:
            return None
        value, rest = take_lowest(window.free[0])
        self._windows.put(key, replace(window, free=(*((rest,) if rest else ()), *window.free[1:])))
        return value

    def take_value(self, key: PoolKey, value: int) -> bool:
        """Take one value out of the middle of its span, at once; say whether it was free."""
        self._window(key)
        self.flush()
        row = self._unit.reader.execute(_HOLDING, _named(key) | {"value": value}).first()
        if row is None:
            return False
        span = Span(first=row.first, last=row.last)
        self._change(key, span, _DROP, {})
        left = (Span(first=span.first, last=value - 1), Span(first=value + 1, last=span.last))
        for rest in (each for each in left if each.first <= each.last):
            self._unit.reader.execute(_ADD, _values(key, rest))
        # Whoever takes next reads the spans as they are now.
        self._windows.put(key, None)
        return True

    def give_back(self, key: PoolKey, value: int) -> None:
        """Note that ``value`` is free again."""
        window = self._window(key)
        self._windows.put(key, replace(window, returned=tuple(sorted((*window.returned, value)))))

    def forget(self) -> None:
        """Read everything anew: the pools were rebuilt."""
        for key, _ in self._windows.unwritten():
            raise StaleState("pool", key.name, "as it was before the rebuild")
        self._windows = Entries()
        self.mark, self.undo = self._windows.mark, self._windows.undo

    def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            StaleState: a span changed although its pool was locked; nothing of the unit may be committed.
        """
        for key, window in self._windows.unwritten():
            self._write_taken(key, window)
            for value in window.returned:
                self._write_returned(key, value)
            self._windows.put(key, None if window.returned else replace(window, stored=window.free))

    def _window(self, key: PoolKey) -> _Window:
        window = self._windows.get(key)
        if window is None:
            _wait_for_turn(self._unit.reader)
            olt, _, port = key.name.partition("/")
            self._unit.reader.execute(_LOCK[key.allocation], {"pool": key.name, "olt": olt, "port": port})
            window = self._more(key, _Window())
        elif not window.free and not window.is_all:
            window = self._more(key, window)
        return window

    def _more(self, key: PoolKey, window: _Window) -> _Window:
        above = window.stored[-1].first if window.stored else -1
        found = self._unit.reader.execute(_SPANS, _named(key) | {"above": above})
        spans = tuple(Span(first=first, last=last) for first, last in found)
        wider = replace(
            window,
            stored=(*window.stored, *spans),
            free=(*window.free, *spans),
            is_all=len(spans) < WINDOW,
        )
        self._windows.put(key, wider)
        return wider

    def _write_taken(self, key: PoolKey, window: _Window) -> None:
        left = {span.last: span for span in window.free}
        for span in window.stored:
            rest = left.get(span.last)
            if rest is None:
                self._change(key, span, _DROP, {})
            elif rest != span:
                self._change(key, span, _SHRINK, {"to": rest.first})

    def _change(self, key: PoolKey, span: Span, statement: Update | Delete, values: Mapping[str, int]) -> None:
        found = {**_named(key), "_first": span.first, "_last": span.last, **values}
        if self._unit.reader.execute(statement, found).rowcount != 1:
            raise StaleState("pool", key.name, f"free from {span.first} to {span.last}")

    def _write_returned(self, key: PoolKey, value: int) -> None:
        around = self._unit.reader.execute(_AROUND, _named(key) | {"below": value - 1, "above": value + 1})
        spans = [Span(first=first, last=last) for first, last in around]
        below = next((span for span in spans if span.last == value - 1), None)
        above = next((span for span in spans if span.first == value + 1), None)
        for span in spans:
            self._change(key, span, _DROP, {})
        self._unit.reader.execute(_ADD, _values(key, give_back(value, below, above)))


_HERE: Final = free_ranges.c
_POOL: Final = (_HERE.allocation == bindparam("_allocation"), _HERE.pool == bindparam("_pool"))
_SPAN: Final = (*_POOL, _HERE.first == bindparam("_first"), _HERE.last == bindparam("_last"))
_SPANS: Final = (
    select(_HERE.first, _HERE.last).where(*_POOL, _HERE.first > bindparam("above")).order_by(_HERE.first).limit(WINDOW)
)
_HOLDING: Final = select(_HERE.first, _HERE.last).where(
    *_POOL, _HERE.first <= bindparam("value"), _HERE.last >= bindparam("value")
)
_BELOW: Final = (
    select(_HERE.first).where(*_POOL, _HERE.first <= bindparam("below")).order_by(_HERE.first.desc()).limit(1)
)
_AROUND: Final = select(_HERE.first, _HERE.last).where(
    *_POOL,
    or_(
        and_(_HERE.first == _BELOW.scalar_subquery(), _HERE.last == bindparam("below")),
        _HERE.first == bindparam("above"),
    ),
)
_ADD: Final = insert(free_ranges)
_DROP: Final = delete(free_ranges).where(*_SPAN)
_SHRINK: Final = update(free_ranges).where(*_SPAN).values(first=bindparam("to"))
# The pool's own row is its lock: whoever comes second sees the spans that the first one left.
_LOCK: Final[Mapping[Allocation, Select[Any]]] = {
    "vlan": select(vlan_pools.c.name).where(vlan_pools.c.name == bindparam("pool")).with_for_update(),
    "address": select(address_pools.c.name).where(address_pools.c.name == bindparam("pool")).with_for_update(),
    "pon": select(pon_ports.c.name)
    .where(pon_ports.c.olt == bindparam("olt"), pon_ports.c.name == bindparam("port"))
    .with_for_update(),
}


def _named(key: PoolKey) -> dict[str, Any]:
    return {"_allocation": key.allocation, "_pool": key.name}


def _of(table: Table, key: PoolKey) -> ColumnElement[bool]:
    return and_(table.c.allocation == key.allocation, table.c.pool == key.name)


def _values(key: PoolKey, span: Span) -> dict[str, Any]:
    return {"allocation": key.allocation, "pool": key.name, "first": span.first, "last": span.last}


def _counts(connection: Connection, table: Table, count: ColumnElement[Any]) -> dict[PoolKey, int]:
    here = table.c
    found = connection.execute(select(here.allocation, here.pool, count).group_by(here.allocation, here.pool))
    return {PoolKey(allocation=allocation, name=pool): int(number) for allocation, pool, number in found}
