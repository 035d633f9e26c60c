"""What the order layers need to know of places."""

from collections.abc import Mapping
from typing import Any, Protocol

from inventory.ledger import UnitOfWork


class Places(Protocol):
    """The places that are served (implemented by :class:`inventory.places.PlaceDirectory`)."""

    def attributes(self, uow: UnitOfWork, place_id: str) -> Mapping[str, Any]:
        """Return what is known of the place; empty where nobody knows it."""
        ...
