"""What is known of a place, where the inventory of places is in another process."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

from api.errors import LayerAway
from api.far.wire import Wire
from inventory.errors import UnknownResource
from inventory.ledger import Transactions, UnitOfWork
from inventory.network import NetworkStore

PLACES: Final = "/lastmile/v1/place"
FRESH_S: Final = 60.0
MOST: Final = 10_000
_NOBODY: Final = 404


class PlaceSource(Protocol):
    """Reads what is known of places for whoever asks over HTTP."""

    def read(self, place_id: str) -> Mapping[str, Any]:
        """Return the attributes of a place; empty where nobody knows it.

        Raises:
            LayerAway: the layer that knows does not answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlaces:
    """The places of this process's own inventory."""

    transactions: Transactions
    network: NetworkStore = field(default_factory=NetworkStore)

    def read(self, place_id: str) -> Mapping[str, Any]:
        """Return the attributes of a place; empty where nobody knows it."""
        with self.transactions.read() as connection:
            try:
                return self.network.premises(connection, place_id).attributes
            except UnknownResource:
                return {}


@dataclass(slots=True, kw_only=True)
class FarPlaces:
    """The places of the layer below (see :class:`orders.places.Places`).

    What was read is good for a minute, and for longer while that layer does not answer.
    """

    wire: Wire
    _known: dict[str, tuple[float, Mapping[str, Any]]] = field(default_factory=dict)

    def attributes(self, uow: UnitOfWork, place_id: str) -> Mapping[str, Any]:
        """Return what is known of the place; empty where nobody knows it.

        Raises:
            LayerAway: nothing was read of it before, and the layer does not answer.
        """
        del uow
        return self.read(place_id)

    def read(self, place_id: str) -> Mapping[str, Any]:
        """Return what is known of the place, see :meth:`attributes`."""
        read_at_s, attributes = self._known.get(place_id, (0.0, {}))
        if read_at_s and time.monotonic() - read_at_s < FRESH_S:
            return attributes
        reason = f"{self.wire.address.layer} did not answer just now"
        if self.wire.wait_s() == 0:
            answer = self.wire("GET", f"{PLACES}/{quote(place_id, safe='')}")
            found = answer.body.get("attributes") if isinstance(answer.body, Mapping) else None
            if answer.is_good and isinstance(found, Mapping):
                return self._keep(place_id, found)
            if answer.status == _NOBODY:
                # A system that is not lastmile, and knows nothing of places.
                return self._keep(place_id, {})
            reason = answer.reason
        if read_at_s:
            return attributes
        raise LayerAway(f"what is known of place {place_id!r} cannot be read: {reason}")

    def _keep(self, place_id: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[place_id] = (time.monotonic(), attributes)
        return attributes
