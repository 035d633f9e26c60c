"""What ROM needs of the layers around it."""

from typing import Protocol

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.model import ReservationRequest


class Reservations(Protocol):
    """Pools and the resource inventory (implemented by :mod:`inventory.reservations`)."""

    def reserve(self, uow: UnitOfWork, request: ReservationRequest) -> Document:
        """Take one free value and store it as a TMF639 resource; return that resource. Idempotent by ``request.owner``.

        Raises:
            PoolExhausted: no free value.
            PortUnfit: the request names a port that cannot be had; says which can.
            NotServed: the place has no network element that could serve it.
            UnknownResource: no such place or pool.
        """
        ...

    def check_port(self, uow: UnitOfWork, place_id: str, *, olt: str, pon_port: str) -> None:
        """Let pass a port that the place could be put on instead of its own; an empty ``olt`` is the place's.

        Raises:
            PortUnfit: it cannot be had; names those that can.
            UnknownResource: no such place.
        """
        ...

    def release(self, uow: UnitOfWork, resource_id: str) -> None:
        """Return the resource's value to its pool and retire the resource. Releasing twice is releasing once."""
        ...
