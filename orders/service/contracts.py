"""What SOM needs of the layers around it; the activation seam is :class:`activation.contracts.ServiceActivation`."""

from typing import Protocol

from inventory.documents import Document
from inventory.ledger import UnitOfWork


class ResourceOrdering(Protocol):
    """TMF652 as SOM uses it; the layer itself or an HTTP adapter stands behind it."""

    def place(self, uow: UnitOfWork, order: Document, *, correlation_id: str) -> str:
        """Store ``order`` (a TMF652 ResourceOrder_Create body) and return its id at once; idempotent by ``externalId``.

        Its fate is told by ``ResourceOrderStateChangeEvent``, whose document carries ``externalId``, ``state``,
        ``note`` (reasons) and the items, each with the reserved ``resource`` (id and ``resourceCharacteristic``).
        """
        ...

    def cancel(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Store a task to cancel the order and return its id at once; idempotent by ``external_id``.

        The order's own events tell what comes of it: ``cancelled``, or its end where it was too late.
        """
        ...
