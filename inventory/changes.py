"""What changed between two versions of a TMF document, characteristic by characteristic. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inventory.documents import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One attribute that changed.

    Attributes:
        attribute: its name; a characteristic's behind that of its list, as ``productCharacteristic.downstreamMbps``.
        before: its value before; None: it was not there. ``after`` likewise.
    """

    attribute: str
    before: Any
    after: Any


def changes(before: Document, after: Document) -> tuple[Change, ...]:
    """Return what makes ``after`` of ``before``, sorted by attribute; empty where they say the same."""
    return tuple(
        change
        for name in sorted(before.keys() | after.keys())
        for change in _of(name, before.get(name), after.get(name))
    )


def _of(name: str, before: object, after: object) -> Iterator[Change]:
    if before == after:
        return
    old, new = _named(before), _named(after)
    if old is None or new is None:
        yield Change(attribute=name, before=before, after=after)
        return
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield Change(attribute=f"{name}.{key}", before=old.get(key), after=new.get(key))


def _named(value: object) -> dict[str, Any] | None:
    """Return a list of characteristics by name; an absent one is an empty list, anything else None."""
    if value is None:
        return {}
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        return None
    if not all(isinstance(each, Mapping) and {"name", "value"} <= each.keys() for each in value):
        return None
    return {str(each["name"]): each["value"] for each in value}
