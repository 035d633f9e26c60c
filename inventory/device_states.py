"""How devices have behaved, shared by all processes: host keys, failures in a row, quarantine."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from inventory.ledger import Transactions, UnitOfWork
from inventory.model import DeviceState
from inventory.tables import device_states

FRESH_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStates:
    """The states in the database; what was read is used for a second, what was changed here is seen at once."""

    transactions: Transactions
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, DeviceState] = field(default_factory=dict)
    _read_at_s: list[float] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def state(self, name: str) -> DeviceState:
        """Return the state of the device called ``name``; one that nothing is known of is well."""
        with self._guard:
            self._refresh()
            return self._known.get(name) or DeviceState(name=name)

    def states(self) -> Mapping[str, DeviceState]:
        """Return all states by name."""
        with self._guard:
            self._refresh()
            return dict(self._known)

    def change(self, name: str, change: Callable[[DeviceState], DeviceState]) -> DeviceState:
        """Make the state of ``name`` what ``change`` makes of it, and return it."""
        with self.transactions.begin() as uow:
            before = _all(uow.connection).get(name, DeviceState(name=name))
            after = change(before)
            if after != before:
                _write(uow, after)
        with self._guard:
            self._known[name] = after
        return after

    def _refresh(self) -> None:
        if not self._read_at_s or self.clock() - self._read_at_s[0] > FRESH_S:
            with self.transactions.read() as connection:
                found = _all(connection)
            self._known.clear()
            self._known.update(found)
            self._read_at_s[:] = [self.clock()]


def _all(connection: Connection) -> dict[str, DeviceState]:
    rows = connection.execute(select(device_states)).mappings()
    times = ("quarantined_until", "last_error_at")
    return {row["name"]: DeviceState(**{**row, **{each: _utc(row[each]) for each in times}}) for row in rows}


def _utc(at: datetime | None) -> datetime | None:
    # SQLite keeps no time zone.
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _write(uow: UnitOfWork, state: DeviceState) -> None:
    uow.connection.execute(delete(device_states).where(device_states.c.name == state.name))
    uow.connection.execute(insert(device_states), asdict(state))


@dataclass(frozen=True, slots=True)
class KeptStates:
    """The same in memory, for one process without a database."""

    _known: dict[str, DeviceState] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def state(self, name: str) -> DeviceState:
        """Return the state of the device called ``name``; one that nothing is known of is well."""
        return self._known.get(name, DeviceState(name=name))

    def states(self) -> Mapping[str, DeviceState]:
        """Return all states by name."""
        return dict(self._known)

    def change(self, name: str, change: Callable[[DeviceState], DeviceState]) -> DeviceState:
        """Make the state of ``name`` what ``change`` makes of it, and return it."""
        with self._guard:
            self._known[name] = change(self.state(name))
            return self._known[name]


def trusted(state: DeviceState) -> DeviceState:
    """Return ``state`` with the key that the device showed last as the known one; any key, where it showed none."""
    return replace(state, host_key=state.offered_key, offered_key="")


def released(state: DeviceState) -> DeviceState:
    """Return ``state`` without quarantine."""
    return replace(state, failures=0, quarantined_until=None)
