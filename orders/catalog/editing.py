"""Changes of the stored catalog: checked as ``lastmile catalog lint`` checks, and never under what stands on it.

What was ever offered, or is in use, is not changed in place: a change of what it means makes a new version.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork
from orders.catalog.incoming import in_words_of, read_entry
from orders.catalog.lint import Surroundings, errors_of
from orders.catalog.load import Examined
from orders.catalog.model import Catalog, Entry
from orders.catalog.referrers import referrers, unready
from orders.catalog.shelf import OFFERED, version_key
from orders.catalog.statuses import DRAFTS, ENTRY, Status
from orders.catalog.store import CatalogStore
from orders.catalog.stored import StoredEntry, examined, placed, row_id
from orders.catalog.wire import document_of, find_entry, status_on_wire
from orders.documents import stamp
from orders.errors import CatalogConflict, InvalidEntry, Problem

_QUIET: Final = frozenset({"version", "description", "lifecycleStatus", "validFor"})
"""What can be changed of an entry without changing what it means."""
_KEY: Final = re.compile(r"(?P<id>[^:]+)(:\(version=(?P<version>[^)]+)\))?")
_SHOWN: Final = 4


class Usage(Protocol):
    """Who stands on the catalog: products, services, resources, and orders in flight."""

    def users(self, uow: UnitOfWork, entry: StoredEntry, *, is_meant: bool, most: int) -> Sequence[str]:
        """Return up to ``most`` of those made by that version; ``is_meant``: the id alone means it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """The catalog as one transaction sees it."""

    entries: tuple[StoredEntry, ...]
    examined: Examined

    @property
    def catalog(self) -> Catalog:
        return self.examined.book.catalog

    def of_row(self, kind: str, row: str) -> StoredEntry | None:
        return next((each for each in self.entries if each.kind == kind and each.row_id == row), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEditor:
    """Creates, changes and deletes entries; each method is one transaction's work.

    Attributes:
        around: what entries are checked against beside each other.
    """

    store: CatalogStore
    usage: Usage
    around: Surroundings

    def create(self, uow: UnitOfWork, kind: str, body: Document) -> Document:
        """Store a new entry, or a new version of one, and return its TMF document.

        Raises:
            InvalidOrder, InvalidEntry: a body that is no entry, or one that the catalog cannot hold.
            CatalogConflict: this version is there already, or what it needs is not offered.
        """
        before = self._draft(uow)
        entry = read_entry(before.catalog, kind, body)
        if Status(entry.status) not in ENTRY.initial:
            legal = ", ".join(status_on_wire(each) for each in Status if each in ENTRY.initial)
            wrong = f"{status_on_wire(entry.status)!r} is no state to begin in"
            raise InvalidEntry([Problem(path="lifecycleStatus", wrong=wrong, legal=legal)])
        return self._add(uow, before, entry)

    def change(self, uow: UnitOfWork, kind: str, key: str, after: Document, changed: Collection[str]) -> Document:
        """Change an entry to what ``after`` says, and return its TMF document; ``changed`` names what differs.

        Raises:
            UnknownResource: there is no such entry.
            InvalidOrder, InvalidEntry: no entry can be so.
            IllegalTransition: a state that cannot follow the present one; names those that can.
            CatalogConflict: others stand against it; names them.
        """
        before = self._draft(uow)
        entry = self._find(before, kind, key)
        self._refuse_identity(entry, after)
        wanted = read_entry(before.catalog, kind, after, changed)
        if wanted.section != entry.section:
            raise InvalidEntry([Problem(path="@type", wrong="which way a service faces cannot change")])
        is_new = self._makes_version(uow, before, entry, wanted)
        if wanted.status != entry.status and not is_new:
            ENTRY.advance(Status(entry.status), Status(wanted.status))
        if is_new:
            return self._add(uow, before, self._next_version(before, entry, wanted))
        return self._put(uow, before, wanted)

    def remove(self, uow: UnitOfWork, kind: str, key: str) -> None:
        """Delete one version of an entry.

        Raises:
            UnknownResource: there is no such entry.
            CatalogConflict: it is in use, or others refer to it; names them.
        """
        before = self._draft(uow)
        entry = self._find(before, kind, key)
        naming = referrers(before.catalog, kind, self._value(before, entry))
        if naming:
            raise CatalogConflict(entry.name, f"is referred to by {', '.join(naming)}; nothing was deleted")
        users = self._users(uow, before, entry)
        if users:
            reason = f"is in use: {', '.join(users)}; retire it instead: lifecycleStatus Retired"
            raise CatalogConflict(entry.name, reason)
        self._checked(before, [each for each in before.entries if each.key != entry.key], entry)
        self.store.remove(uow, entry)

    def take_in(self, uow: UnitOfWork, entries: Sequence[StoredEntry]) -> Mapping[str, list[str]]:
        """Store the entries of a file, all or none; return what became of each by its name.

        Raises:
            InvalidEntry: the catalog cannot hold them.
            CatalogConflict: one differs from a version that was offered or is in use: give it another version.
        """
        before = self._draft(uow)
        told: dict[str, list[str]] = {"created": [], "changed": [], "unchanged": []}
        after = {each.key: each for each in before.entries}
        for entry in entries:
            known = after.get(entry.key)
            what = "created" if known is None else "unchanged" if known.digest == entry.digest else "changed"
            if known is not None and what == "changed":
                self._refuse_rewrite(uow, before, known, entry)
            if what != "unchanged":
                after[entry.key] = replace(entry, extra=known.extra) if known is not None else entry
            told[what].append(entry.name)
        draft = self._checked(before, list(after.values()))
        for entry in (each for each in entries if each.name not in told["unchanged"]):
            self._store(uow, before, draft, after[entry.key])
        return told

    def _draft(self, uow: UnitOfWork) -> _Draft:
        self.store.alone(uow)
        entries = self.store.entries(uow.connection)
        return _Draft(entries=entries, examined=examined(entries))

    def _find(self, draft: _Draft, kind: str, key: str) -> StoredEntry:
        match = _KEY.fullmatch(key)
        name, version = (match["id"], match["version"] or "") if match else (key, "")
        value = find_entry(draft.catalog, kind, name, version)
        found = draft.of_row(kind, row_id(value.id, value.version)) if value is not None else None
        if found is None:
            known = [each.row_id for each in draft.entries if each.kind == kind and each.id == name]
            raise UnknownResource(kind, key, known or {each.id for each in draft.entries if each.kind == kind})
        return found

    def _value(self, draft: _Draft, entry: StoredEntry) -> Entry:
        value = find_entry(draft.catalog, entry.kind, entry.id, entry.version)
        if value is None:
            raise UnknownResource(entry.kind, entry.row_id)
        return value

    def _users(self, uow: UnitOfWork, draft: _Draft, entry: StoredEntry) -> Sequence[str]:
        meant = find_entry(draft.catalog, entry.kind, entry.id)
        is_meant = meant is not None and meant.version == entry.version
        return self.usage.users(uow, entry, is_meant=is_meant, most=_SHOWN)

    def _makes_version(self, uow: UnitOfWork, draft: _Draft, entry: StoredEntry, wanted: StoredEntry) -> bool:
        if wanted.version != entry.version:
            return True
        if _meaning(wanted) == _meaning(entry):
            return False
        return Status(entry.status) not in DRAFTS or bool(self._users(uow, draft, entry))

    def _next_version(self, draft: _Draft, entry: StoredEntry, wanted: StoredEntry) -> StoredEntry:
        status = wanted.status
        if wanted.status == entry.status and wanted.status not in OFFERED:
            status = Status.IN_DESIGN
        if wanted.version != entry.version:
            return wanted.with_entry(lifecycleStatus=str(status))
        versions = [each.version for each in draft.entries if each.kind == entry.kind and each.id == entry.id]
        return wanted.with_entry(version=_after(max(versions, key=version_key)), lifecycleStatus=str(status))

    def _refuse_identity(self, entry: StoredEntry, after: Document) -> None:
        if after.get("id") != entry.id:
            wrong = f"{after.get('id')!r} cannot be changed"
            raise InvalidEntry([Problem(path="id", wrong=wrong, legal=entry.id)])

    def _refuse_rewrite(self, uow: UnitOfWork, draft: _Draft, known: StoredEntry, wanted: StoredEntry) -> None:
        if _meaning(known) == _meaning(wanted):
            return
        if Status(known.status) in DRAFTS and not self._users(uow, draft, known):
            return
        reason = "differs from what is stored, and was offered or is in use: give it another version"
        raise CatalogConflict(known.name, reason)

    def _add(self, uow: UnitOfWork, before: _Draft, entry: StoredEntry) -> Document:
        if before.of_row(entry.kind, entry.row_id) is not None:
            versions = ", ".join(
                each.version for each in before.entries if each.kind == entry.kind and each.id == entry.id
            )
            raise CatalogConflict(entry.name, f"exists; versions there are: {versions}")
        return self._put(uow, before, entry)

    def _put(self, uow: UnitOfWork, before: _Draft, entry: StoredEntry) -> Document:
        others = [each for each in before.entries if each.key != entry.key]
        dated = replace(entry, extra={**entry.extra, "lastUpdate": stamp(uow.now)})
        after = self._checked(before, [*others, dated], dated)
        return self._store(uow, before, after, dated)

    def _store(self, uow: UnitOfWork, before: _Draft, after: _Draft, entry: StoredEntry) -> Document:
        document = document_of(after.catalog, self._value(after, entry))
        if before.of_row(entry.kind, entry.row_id) is None:
            self.store.add(uow, entry, document)
        else:
            self.store.replace(uow, entry, document)
        return document

    def _checked(self, before: _Draft, entries: Sequence[StoredEntry], entry: StoredEntry | None = None) -> _Draft:
        """Return the catalog with these entries, where it has no problem that it did not have before."""
        after = _Draft(entries=tuple(entries), examined=examined(entries))
        known = set(errors_of(before.examined, self.around))
        found = [each for each in errors_of(after.examined, self.around) if each not in known]
        if found:
            raise InvalidEntry(_told(found, entry))
        waiting = unready(after.catalog) - unready(before.catalog)
        if waiting:
            name = entry.name if entry is not None else "the file"
            raise CatalogConflict(name, "is refused: " + "; ".join(sorted(map(str, waiting))))
        return after


def _told(problems: Iterable[Problem], entry: StoredEntry | None) -> tuple[Problem, ...]:
    if entry is None:
        return tuple(problems)
    own = entry.name + ":"
    found = [(each.path.startswith(own), placed(each, entry)) for each in problems]
    inside = in_words_of(entry.kind, [each for is_own, each in found if is_own])
    return (*inside, *(each for is_own, each in found if not is_own))


def _meaning(entry: StoredEntry) -> Mapping[str, Any]:
    return {key: value for key, value in entry.entry.items() if key not in _QUIET}


def _after(version: str) -> str:
    """Return the version after ``version``: its last number raised."""
    found = re.fullmatch(r"(.*?)(\d+)", version)
    return f"{found[1]}{int(found[2]) + 1}" if found else f"{version}.1"
