"""Whether what filters are answered from agrees with the documents: mentions and tallies."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from api.fsck import store
from api.fsck.model import Finding, RebuildFilters
from inventory import beside
from inventory.beside import Beside
from inventory.documents import Document
from inventory.store import Row


@dataclass(slots=True, kw_only=True)
class BesideCheck:
    """The sums over all documents of one kind, page by page, against what is kept beside their table."""

    kind: str
    kept: Beside
    due: int = 0
    there: int = 0
    states: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, kind: str) -> "BesideCheck | None":
        """Return the check of ``kind``, or None where nothing is kept beside its table."""
        kept = Beside.of(store.TABLES[kind])
        return cls(kind=kind, kept=kept) if kept is not None else None

    def add(self, connection: Connection, page: Sequence[Row]) -> None:
        """Take in some of the documents."""
        due = [each for row in page for each in self.kept.due(row.id, row.document)]
        self.due += len(due)
        self.there += beside.mentioned(connection, self.kept, due)
        self.states.update(row.state for row in page)

    def findings(self, connection: Connection) -> Iterator[Finding]:
        """Yield what does not agree, once all documents were taken in."""
        mentions = self.kept.mentions
        stored = connection.execute(select(func.count()).select_from(mentions)).scalar_one()
        missing, stale = self.due - self.there, stored - self.there
        if missing or stale:
            yield self._finding(
                mentions.name, "mentions", f"{missing} mentions are missing, {stale} are of what no document says"
            )
        tallied = beside.tallies(connection, self.kept)
        if tallied != self.states:
            text = f"the tally has {_counted(tallied)}, there are {_counted(self.states)}"
            yield self._finding(self.kept.tally.name, "tally", text)

    def _finding(self, table: str, rule: str, text: str) -> Finding:
        repairs = (RebuildFilters(kind=self.kind),)
        return Finding(rule=rule, kind=self.kind, id=table, text=f"filters answer wrongly: {text}", repairs=repairs)


def rebuild(connection: Connection, kind: str) -> None:
    """Write mentions and tally of ``kind`` anew; nobody else may be writing."""
    table = store.TABLES[kind]
    kept = Beside.of(table)
    if kept is not None:
        beside.rebuild(connection, table, kept, _documents(connection, kind))


def _documents(connection: Connection, kind: str) -> Iterator[tuple[str, Document]]:
    for page in store.pages(connection, kind):
        yield from ((row.id, row.document) for row in page)


def _counted(states: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"
