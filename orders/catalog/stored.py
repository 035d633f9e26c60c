"""Catalog entries as they are stored: what a YAML file would say of each, and what else its client said. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from inventory.documents import Document, json_text
from orders.catalog.files import KINDS, CatalogFile, EntryShape, dumped
from orders.catalog.load import SECTIONS, Examined, examine_shapes
from orders.catalog.model import Catalog
from orders.errors import InvalidEntry, Problem
from orders.problems import problems_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """One version of one entry.

    Attributes:
        section: of a catalog file, as it is written there.
        entry: what a catalog file says of it, defaults left out.
        extra: what its TMF document carries beside that.
    """

    section: str
    entry: Document
    extra: Document = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of its TMF document."""
        return KINDS[self.section]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.entry["id"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.entry["version"])

    @property
    def status(self) -> str:
        """Its life-cycle state."""
        return str(self.entry.get("lifecycleStatus", "active"))

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is known by: kind, id and version."""
        return self.kind, self.id, self.version

    @property
    def row_id(self) -> str:
        """What it is known by among those of its kind, as TMF620 writes it in a path."""
        return row_id(self.id, self.version)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.kind} {self.id}@{self.version}"

    @property
    def digest(self) -> str:
        """What tells it from the same version with other content."""
        return hashlib.sha256(json_text(_sorted(self.entry)).encode()).hexdigest()

    def with_entry(self, **changes: object) -> "StoredEntry":
        """Return it with some attributes changed."""
        return replace(self, entry={**self.entry, **changes})


def row_id(key: str, version: str) -> str:
    """Return what a version of an entry is known by among those of its kind."""
    return f"{key}:(version={version})"


def checked(section: str, entry: Mapping[str, Any], extra: Document | None = None) -> StoredEntry:
    """Return the entry in its normal form.

    Raises:
        InvalidEntry: ill-shaped; names every place as a catalog file would.
    """
    try:
        shape = shape_of(section).model_validate(dict(entry))
    except ValidationError as error:
        raise InvalidEntry(problems_of(error)) from error
    return StoredEntry(section=section, entry=dumped(shape), extra=extra or {})


def shape_of(section: str) -> type[EntryShape]:
    """Return what entries of a section look like."""
    found: type[EntryShape] = next(
        model.annotation.__args__[0]  # type: ignore[union-attr] # each field of CatalogFile is a list of shapes
        for model in CatalogFile.model_fields.values()
        if model.alias == section
    )
    return found


def entries_of(file: CatalogFile) -> tuple[StoredEntry, ...]:
    """Return the entries of a catalog file."""
    return tuple(
        StoredEntry(section=str(CatalogFile.model_fields[name].alias), entry=dumped(shape))
        for name in SECTIONS
        for shape in getattr(file, name)
    )


def declared_entries(catalog: Catalog) -> tuple[StoredEntry, ...]:
    """Return the entries of a catalog that was read from files."""
    sections = {kind: section for section, kind in KINDS.items() if kind != "serviceSpecification"}

    def section(kind: str, key: str) -> str:
        faces_customers = key in catalog.customer_services.versions
        return sections.get(kind) or ("customerFacingServices" if faces_customers else "resourceFacingServices")

    return tuple(
        StoredEntry(section=section(kind, key), entry=entry) for (kind, key, _), entry in catalog.declared.items()
    )


def file_of(entries: Iterable[StoredEntry]) -> dict[str, list[Document]]:
    """Return a catalog file with these entries."""
    found: dict[str, list[Document]] = {}
    for each in sorted(entries, key=lambda entry: (list(KINDS).index(entry.section), entry.id)):
        found.setdefault(each.section, []).append(each.entry)
    return found


def examined(entries: Iterable[StoredEntry]) -> Examined:
    """Return the catalog of these entries, and all that is wrong with it; each entry is a file of its own."""
    known = tuple(entries)
    shapes = {each.name: CatalogFile.model_validate({each.section: [dict(each.entry)]}) for each in known}
    found = examine_shapes(shapes)
    extras = {each.key: each.extra for each in known if each.extra}
    return replace(found, book=replace(found.book, catalog=replace(found.book.catalog, extras=extras)))


def catalog_of(entries: Iterable[StoredEntry]) -> Catalog:
    """Return the catalog of these entries; what is wrong with it was said when it was stored."""
    return examined(entries).book.catalog


def placed(problem: Problem, entry: StoredEntry) -> Problem:
    """Return the problem with its place inside ``entry`` where it is there, else with the name of its entry."""
    owner, _, rest = problem.path.partition(": ")
    _, _, inside = rest.partition("]")
    inside = inside.removeprefix(".")
    if owner != entry.name:
        return replace(problem, path=f"{owner}: {inside}" if inside else owner)
    return replace(problem, path=inside or "(body)")


def _sorted(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list | tuple) else value
