"""Reservations as a unit of work collects them: who holds which resource, and what goes back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, delete, insert, select

from inventory.bulk import Bulk
from inventory.entries import Entries
from inventory.ledger import Open
from inventory.tables import reservations

_KNOWN: Final = ("resource_id", "allocation", "pool", "value", "device", "place_id", "owner")
_ALL: Final = select(*(reservations.c[name] for name in _KNOWN)).with_for_update()
_OF_OWNER: Final = _ALL.where(reservations.c.owner == bindparam("key"))
_OF_RESOURCE: Final = _ALL.where(reservations.c.resource_id == bindparam("key"))
_OF_VALUE: Final = select(reservations.c.resource_id).where(
    reservations.c.allocation == bindparam("allocation"),
    reservations.c.pool == bindparam("pool"),
    reservations.c.value == bindparam("value"),
)
_INSERT: Final = Bulk(insert(reservations))
_DELETE: Final = Bulk(delete(reservations).where(reservations.c.resource_id == bindparam("key")))


@dataclass(frozen=True, slots=True)
class _Entry:
    is_stored: bool
    values: Mapping[str, Any] | None

    @property
    def is_written(self) -> bool:
        """Whether the database has exactly this."""
        return self.is_stored == (self.values is not None)


class ReservationRows:
    """A :class:`inventory.ledger.Sheet` of the reservation table; rows by the id of the reserved resource."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._entries: Entries[str, _Entry] = Entries()
        self._owners: dict[str, str] = {}
        self.mark, self.undo = self._entries.mark, self._entries.undo

    def of_owner(self, owner: str) -> str | None:
        """Return the id of the resource that ``owner`` holds, or None."""
        known = self._owners.get(owner)
        if known is not None and (entry := self._entries.get(known)) is not None:
            return known if entry.values is not None else None
        found = self._unit.reader.execute(_OF_OWNER, {"key": owner}).first()
        if found is None:
            return None
        resource_id = str(found.resource_id)
        return resource_id if self._take_in(resource_id, found).values is not None else None

    def of_resource(self, resource_id: str) -> Mapping[str, Any] | None:
        """Return the reservation behind a resource, or None."""
        entry = self._entries.get(resource_id)
        if entry is None:
            entry = self._take_in(resource_id, self._unit.reader.execute(_OF_RESOURCE, {"key": resource_id}).first())
        return entry.values

    def of_value(self, allocation: str, pool: str, value: int) -> str | None:
        """Return the id of the resource that has this value of a pool, or None."""
        self.flush()
        asked = {"allocation": allocation, "pool": pool, "value": value}
        found = self._unit.reader.execute(_OF_VALUE, asked).first()
        return str(found.resource_id) if found is not None else None

    def add(self, values: Mapping[str, Any]) -> None:
        """Note a new reservation."""
        self._entries.put(values["resource_id"], _Entry(is_stored=False, values=values))
        self._owners[values["owner"]] = values["resource_id"]

    def remove(self, resource_id: str) -> None:
        """Note that a reservation, known by one of the reads above, ends."""
        entry = self._entries.get(resource_id)
        if entry is not None:
            self._entries.put(resource_id, _Entry(entry.is_stored, values=None))

    def flush(self) -> None:
        """Write what is not written yet."""
        new, gone = [], []
        for resource_id, entry in self._entries.unwritten():
            if entry.values is None:
                gone.append({"key": resource_id})
            else:
                new.append(dict(entry.values))
            self._entries.put(resource_id, _Entry(entry.values is not None, entry.values))
        # What goes back first: a value may have been taken again at once.
        if gone:
            _DELETE.execute(self._unit.reader, gone)
        if new:
            _INSERT.execute(self._unit.reader, new)

    def _take_in(self, resource_id: str, found: Row[Any] | None) -> _Entry:
        known = self._entries.get(resource_id)
        if known is None:
            known = _Entry(found is not None, found._asdict() if found is not None else None)
            self._entries.put(resource_id, known)
        return known
