"""A catalog that is being checked: its entries with where they stand. Pure."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from orders.catalog.build import PlaceKey, key_of
from orders.catalog.model import Catalog, CustomerService, Entry, Ref, ResourceService
from orders.catalog.shelf import Shelf
from orders.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A catalog that is being checked.

    Attributes:
        places: where each version of each entry stands.
        unread: ids of entries that could not be read; references to them are nobody else's fault.
    """

    catalog: Catalog
    places: Mapping[PlaceKey, str]
    unread: AbstractSet[str] = field(default_factory=frozenset)

    def place(self, entry: Entry) -> str:
        """Return where the entry stands."""
        return self.places[key_of(entry)]

    def service(self, ref: Ref) -> CustomerService | ResourceService | None:
        """Return the service that ``ref`` names, whichever way it faces."""
        customer = self.catalog.customer_services.named(ref.id, ref.version)
        return customer or self.catalog.resource_services.named(ref.id, ref.version)


def unknown(book: Book, ref: Ref, path: str, *shelves: Shelf[Entry]) -> Iterator[Problem]:
    """Yield that ``ref`` leads nowhere, where it does; what could not be read is nobody else's fault."""
    if ref.id in book.unread or any(shelf.named(ref.id, ref.version) is not None for shelf in shelves):
        return
    versions = [each.version for shelf in shelves for each in shelf.versions.get(ref.id, ())]
    known = sorted({key for shelf in shelves for key in shelf.versions})
    legal = ", ".join(f"{ref.id}@{version}" for version in versions) if versions else ", ".join(known)
    yield Problem(path=path, wrong=f"{str(ref)!r} does not exist", legal=legal)
