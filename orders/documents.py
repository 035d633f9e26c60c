"""Pieces of the documents that the order layers send out."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from inventory.documents import Document

BASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "productOrder": "/tmf-api/productOrderingManagement/v4/productOrder",
        "serviceOrder": "/tmf-api/serviceOrdering/v4/serviceOrder",
        "resourceOrder": "/tmf-api/resourceOrderingManagement/v4/resourceOrder",
        "cancelProductOrder": "/tmf-api/productOrderingManagement/v4/cancelProductOrder",
        "cancelServiceOrder": "/tmf-api/serviceOrdering/v4/cancelServiceOrder",
        "cancelResourceOrder": "/tmf-api/resourceOrderingManagement/v4/cancelResourceOrder",
        "product": "/tmf-api/productInventory/v4/product",
        "service": "/tmf-api/serviceInventory/v4/service",
        "resource": "/tmf-api/resourceInventoryManagement/v4/resource",
    }
)
"""The collection of each kind of resource."""
AUTHOR: Final = "lastmile"


def href(kind: str, key: str) -> str:
    """Return where the resource is read."""
    return f"{BASES[kind]}/{key}"


def stamp(moment: datetime) -> str:
    """Return ``moment`` as ISO 8601 in UTC with milliseconds and ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def note(moment: datetime, text: str, *, author: str = AUTHOR) -> dict[str, Any]:
    """Return a TMF note, by this platform where nobody else is named."""
    return {"author": author, "date": stamp(moment), "text": text, "@type": "Note"}


def with_notes(document: Document, moment: datetime, texts: Iterable[str], *, author: str = AUTHOR) -> Document:
    """Return ``document`` with a note for each text."""
    added = [note(moment, text, author=author) for text in texts]
    return {**document, "note": [*document.get("note", ()), *added]} if added else document


def with_standing_note(document: Document, moment: datetime, key: str, text: str) -> Document:
    """Return ``document`` whose note with the id ``key`` says ``text``; without that note where there is none."""
    notes = document.get("note", ())
    left = [each for each in notes if each.get("id") != key]
    if not text:
        return document if len(left) == len(notes) else merged(document, {"note": left or None})
    if any(each.get("id") == key and each["text"] == text for each in notes):
        return document
    return {**document, "note": [*left, {"id": key, **note(moment, text)}]}


def with_notes_below(document: Document, below: Document) -> Document:
    """Return ``document`` with the standing notes of the order ``below``, and with no other of that kind."""
    own = [each for each in document.get("note", ()) if not _is_standing(each)]
    found = [*own, *(each for each in below.get("note", ()) if _is_standing(each))]
    return document if found == list(document.get("note", ())) else merged(document, {"note": found or None})


def _is_standing(note_: Document) -> bool:
    return note_.get("author") == AUTHOR and bool(note_.get("id"))


def with_items(document: Document, key: str, change: Callable[[Document], Document]) -> Document:
    """Return ``document`` with each item under ``key``, at any depth, replaced by what ``change`` makes of it."""

    def deeply(item: Document) -> Document:
        return change(with_items(item, key, change) if item.get(key) else item)

    return {**document, key: [deeply(item) for item in document[key]]}


def merged(document: Document, changes: Mapping[str, Any]) -> Document:
    """Return ``document`` with ``changes``; attributes changed to None are left out."""
    return {key: value for key, value in {**document, **changes}.items() if value is not None}
