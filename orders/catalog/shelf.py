"""Versions of catalog entries side by side: which one an order gets that names none, and which one it names. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

OFFERED: Final = frozenset({"active", "launched"})
"""The life-cycle states in which something new can be ordered."""


class Versioned(Protocol):
    """What has an id, a version, and a time in which it is offered."""

    @property
    def id(self) -> str:
        """What all its versions share."""
        ...

    @property
    def version(self) -> str:
        """Which of them it is."""
        ...

    @property
    def lifecycle_status(self) -> str:
        """Its state in TM Forum's words, the first letter small."""
        ...

    @property
    def valid_from(self) -> datetime | None:
        """When it begins to be offered."""
        ...

    @property
    def valid_to(self) -> datetime | None:
        """When it no longer is."""
        ...


EntryT = TypeVar("EntryT", bound=Versioned)
EntryT_co = TypeVar("EntryT_co", bound=Versioned, covariant=True)


@dataclass(frozen=True, slots=True)
class Shelf(Mapping[str, EntryT_co], Generic[EntryT_co]):
    """Every version of the entries of one kind.

    As a mapping it has, by id, the latest version that is offered; without ``now`` whatever the time.
    """

    versions: Mapping[str, tuple[EntryT_co, ...]]
    now: datetime | None = None
    _current: dict[str, EntryT_co] = field(init=False, repr=False, compare=False)
    _is_dated: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the version of each id that is offered."""
        found = {key: latest for key, entries in self.versions.items() if (latest := self._latest(entries)) is not None}
        object.__setattr__(self, "_current", found)
        dated = any(each.valid_from or each.valid_to for entries in self.versions.values() for each in entries)
        object.__setattr__(self, "_is_dated", dated)

    def __getitem__(self, key: str) -> EntryT_co:
        """Return the version of ``key`` that is offered."""
        return self._current[key]

    def __iter__(self) -> Iterator[str]:
        """Return the ids of which a version is offered."""
        return iter(self._current)

    def __len__(self) -> int:
        """Return how many ids have a version that is offered."""
        return len(self._current)

    def named(self, key: str, version: str = "") -> EntryT_co | None:
        """Return that very version, offered or not; without ``version`` the offered one, else the latest there is."""
        entries = self.versions.get(key, ())
        if version:
            return next((each for each in entries if each.version == version), None)
        return self._current.get(key) or (entries[-1] if entries else None)

    def every(self) -> Iterator[EntryT_co]:
        """Return every version of every id, the oldest first."""
        return (each for key in sorted(self.versions) for each in self.versions[key])

    def at(self, now: datetime) -> "Shelf[EntryT_co]":
        """Return the shelf as it is at ``now``."""
        return Shelf(self.versions, now) if self._is_dated else self

    def _latest(self, entries: tuple[EntryT_co, ...]) -> EntryT_co | None:
        return next((each for each in reversed(entries) if is_offered(each, self.now)), None)


def shelf(entries: Iterable[EntryT]) -> Shelf[EntryT]:
    """Return a shelf with ``entries``; of one version given twice the last is kept."""
    found: dict[str, dict[str, EntryT]] = {}
    for each in entries:
        found.setdefault(each.id, {})[each.version] = each
    return Shelf(
        {key: tuple(sorted(of.values(), key=lambda each: version_key(each.version))) for key, of in found.items()}
    )


def is_offered(entry: Versioned, now: datetime | None) -> bool:
    """Say whether something new can be ordered with ``entry`` at ``now``; without a time, whatever it is."""
    if entry.lifecycle_status not in OFFERED:
        return False
    if now is None:
        return True
    begun = entry.valid_from is None or entry.valid_from <= now
    return begun and (entry.valid_to is None or now < entry.valid_to)


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what versions are sorted by: numbers as numbers, so that 1.10 comes after 1.9."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.split(r"[.\-+]", version))
