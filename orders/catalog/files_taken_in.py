"""What the catalog files say, taken into the stored catalog: nothing that was changed over the API is overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from inventory.ledger import UnitOfWork
from orders.catalog.editing import Usage
from orders.catalog.model import Catalog
from orders.catalog.referrers import referrers
from orders.catalog.store import CatalogStore
from orders.catalog.stored import StoredEntry, examined
from orders.catalog.wire import document_of, find_entry
from orders.errors import CatalogError, Problem

Key = tuple[str, str, str]


@dataclass(slots=True, kw_only=True)
class _Merge:
    """Three views of the catalog: the files now, the files as they were taken in last, and what is stored.

    Attributes:
        taken: entries to store as the files have them.
        dropped: entries that the files no longer have, nor anybody else needs.
        noted: what the files are known to hold from now on.
        kept: what is told to people: the files say otherwise than what was changed over the API.
    """

    files: dict[Key, StoredEntry]
    base: dict[Key, str]
    stored: dict[Key, StoredEntry]
    taken: list[StoredEntry] = field(default_factory=list)
    dropped: list[StoredEntry] = field(default_factory=list)
    noted: dict[Key, str] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def run(self) -> None:
        for key, entry in self.files.items():
            self._file(key, entry)
        for key in self.base.keys() - self.files.keys():
            if key in self.stored and self.stored[key].digest == self.base[key]:
                self.dropped.append(self.stored[key])

    def _file(self, key: Key, entry: StoredEntry) -> None:
        base, stored = self.base.get(key), self.stored.get(key)
        is_same = stored is not None and stored.digest == entry.digest
        untouched = (base is None and stored is None) or (stored is not None and stored.digest == base)
        if entry.digest == base or is_same:
            self.noted[key] = entry.digest
        elif untouched:
            self.noted[key] = entry.digest
            self.taken.append(entry)
        else:
            what = "was deleted" if stored is None else "was changed"
            self.kept.append(f"{entry.name}: {what} over the API; what the file says now is not taken")
            if base is not None:
                self.noted[key] = base


def take_in_files(
    uow: UnitOfWork, store: CatalogStore, entries: Sequence[StoredEntry], usage: Usage
) -> tuple[str, ...]:
    """Store what the files say and was not changed over the API; return what was left as it was, for people.

    Raises:
        CatalogError: what is stored and what the files say do not fit together; nothing may be committed.
    """
    store.alone(uow)
    stored = {each.key: each for each in store.entries(uow.connection)}
    base = store.file_digests(uow.connection)
    merge = _Merge(files={each.key: each for each in entries}, base=base, stored=stored)
    merge.run()
    kept = [*merge.kept, *_keep_needed(uow, merge, usage)]
    after = {key: each for key, each in stored.items() if each not in merge.dropped}
    after |= {each.key: each for each in merge.taken}
    if merge.taken or merge.dropped:
        _store(uow, store, merge, after)
    if merge.noted != base:
        store.note_files(uow, merge.noted)
    return tuple(kept)


def _keep_needed(uow: UnitOfWork, merge: _Merge, usage: Usage) -> list[str]:
    """Take back what the files dropped and somebody needs; return what is said of it."""
    told: list[str] = []
    if not merge.dropped:
        return told
    catalog = examined([*merge.stored.values()]).book.catalog
    going = {f"{each.kind} {each.id}@{each.version}" for each in merge.dropped}
    for entry in list(merge.dropped):
        value = find_entry(catalog, entry.kind, entry.id, entry.version)
        naming = [each for each in (referrers(catalog, entry.kind, value) if value else ()) if each not in going]
        users = naming or usage.users(uow, entry, is_meant=_is_meant(catalog, entry), most=1)
        if users:
            merge.dropped.remove(entry)
            merge.noted[entry.key] = merge.base[entry.key]
            told.append(f"{entry.name}: no file has it any more; kept for {', '.join(users)}")
    return told


def _is_meant(catalog: Catalog, entry: StoredEntry) -> bool:
    meant = find_entry(catalog, entry.kind, entry.id)
    return meant is not None and meant.version == entry.version


def _store(uow: UnitOfWork, store: CatalogStore, merge: _Merge, after: dict[Key, StoredEntry]) -> None:
    found = examined(after.values())
    if found.problems:
        because = Problem(path="catalog", wrong="the files do not fit what was changed over the API")
        raise CatalogError([because, *found.problems])
    catalog = found.book.catalog
    for entry in merge.dropped:
        store.remove(uow, entry)
    for entry in merge.taken:
        value = find_entry(catalog, entry.kind, entry.id, entry.version)
        assert value is not None  # noqa: S101 - narrows the type; it was examined with the others
        document = document_of(catalog, value)
        if entry.key in merge.stored:
            store.replace(uow, entry, document)
        else:
            store.add(uow, entry, document)
