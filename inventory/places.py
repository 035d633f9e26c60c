"""What the network knows of a place, for conditions such as "only where there is fibre"."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork
from inventory.memo import Memo
from inventory.network import NetworkStore


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceDirectory:
    """The premises' attributes, read once per transaction."""

    network: NetworkStore = field(default_factory=NetworkStore)

    def attributes(self, uow: UnitOfWork, place_id: str) -> Mapping[str, Any]:
        """Return the attributes of the premises; none where nobody knows the place, which the reservation then says."""

        def read() -> Mapping[str, Any]:
            try:
                return self.network.premises(uow.reader, place_id).attributes
            except UnknownResource:
                return {}

        return uow.sheet(Memo).once(("attributes", place_id), read)
