"""Who claims what: each claim belongs to one service, whoever asks at the same time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from activation import tables
from inventory.bulk import Bulk
from inventory.entries import Entries
from inventory.errors import StaleState
from inventory.ledger import Open

_COLUMNS: Final = tables.claims.c
_HOLDERS: Final = select(_COLUMNS.claim, _COLUMNS.root_id).where(
    _COLUMNS.claim.in_(bindparam("claims", expanding=True))
)
_DELETE: Final = Bulk(delete(tables.claims).where(_COLUMNS.claim == bindparam("_claim")))
_INSERT: Final[Mapping[str, Bulk]] = {
    # Two that claim the same at the same moment: the later one's transaction runs again and finds it taken.
    "sqlite": Bulk(sqlite.insert(tables.claims).on_conflict_do_nothing()),
    "postgresql": Bulk(postgresql.insert(tables.claims).on_conflict_do_nothing()),
}


def holders(connection: Connection, claims: Iterable[str]) -> Mapping[str, str]:
    """Return which service has each of ``claims``, where one has it."""
    wanted = sorted(claims)
    if not wanted:
        return {}
    return {row.claim: row.root_id for row in connection.execute(_HOLDERS, {"claims": wanted})}


def claims_of(connection: Connection, root_id: str) -> tuple[str, ...]:
    """Return what the service has for itself, sorted; it need not be there any more."""
    wanted = select(_COLUMNS.claim).where(_COLUMNS.root_id == root_id).order_by(_COLUMNS.claim)
    return tuple(connection.execute(wanted).scalars())


@dataclass(frozen=True, slots=True)
class _Held:
    """Who has a claim in the database, and who is to have it; None: nobody."""

    stored: str | None
    holder: str | None

    @property
    def is_written(self) -> bool:
        """Whether the two are the same."""
        return self.stored == self.holder


class ClaimSheet:
    """A :class:`inventory.ledger.Sheet` of claims."""

    def __init__(self, unit: Open) -> None:
        self._unit = unit
        self._entries: Entries[str, _Held] = Entries()
        self.mark, self.undo = self._entries.mark, self._entries.undo

    def take(self, root_id: str, claims: Iterable[str]) -> Mapping[str, str]:
        """Note that ``root_id`` has ``claims``, unless one is another's; return those, with their holders."""
        wanted = self._known(claims)
        taken = {claim: held.holder for claim, held in wanted.items() if held.holder and held.holder != root_id}
        if not taken:
            for claim, held in wanted.items():
                self._entries.put(claim, _Held(held.stored, root_id))
        return taken

    def release(self, root_id: str, claims: Iterable[str]) -> None:
        """Note that ``root_id`` has these no longer."""
        for claim, held in self._known(claims).items():
            if held.holder == root_id:
                self._entries.put(claim, _Held(held.stored, None))

    def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            StaleState: somebody else took one of the claims meanwhile.
        """
        changed = list(self._entries.unwritten())
        gone = [{"_claim": claim} for claim, held in changed if held.stored is not None]
        new = [{"claim": claim, "root_id": held.holder} for claim, held in changed if held.holder is not None]
        if gone:
            _DELETE.execute(self._unit.reader, gone)
        if new and _INSERT[self._unit.reader.dialect.name].execute(self._unit.reader, new) != len(new):
            raise StaleState("service claim", str(new[0]["claim"]), "free")
        for claim, held in changed:
            self._entries.put(claim, _Held(held.holder, held.holder))

    def _known(self, claims: Iterable[str]) -> dict[str, _Held]:
        wanted = list(claims)
        stored = holders(self._unit.reader, (claim for claim in wanted if self._entries.get(claim) is None))
        for claim in wanted:
            if self._entries.get(claim) is None:
                self._entries.put(claim, _Held(stored.get(claim), stored.get(claim)))
        return {claim: held for claim in wanted if (held := self._entries.get(claim)) is not None}
