"""What COM needs of the layers around it."""

from typing import Protocol

from inventory.documents import Document
from inventory.ledger import UnitOfWork
from orders.interventions import Intervention


class ServiceOrdering(Protocol):
    """TMF641 as COM uses it; the layer itself or an HTTP adapter stands behind it."""

    def place(self, uow: UnitOfWork, order: Document, *, correlation_id: str) -> str:
        """Store ``order`` (a TMF641 ServiceOrder_Create body) and return its id at once; idempotent by ``externalId``.

        Its fate is told by ``ServiceOrderStateChangeEvent``, whose document carries ``externalId``, ``state``,
        ``errorMessage`` and the items with their states and services.
        """
        ...

    def cancel(self, uow: UnitOfWork, order_id: str, *, external_id: str, reason: str, correlation_id: str) -> str:
        """Store a task to cancel the order and return its id at once; idempotent by ``external_id``.

        The order's own events tell how far it is: ``assessingCancellation``, ``pendingCancellation``, ``cancelled``,
        or the state it was in before. A task that comes to nothing is told by a
        ``CancelServiceOrderStateChangeEvent`` whose document carries ``externalId``, ``state``
        (``terminatedWithError``) and ``errorMessage``.
        """
        ...

    def intervene(self, uow: UnitOfWork, order_id: str, wish: Intervention) -> Document:
        """Do what somebody asks of an order under way, and return the order; its own events tell what comes of it.

        Over HTTP: ``POST /lastmile/v1/serviceOrder/{order_id}/{wish.action}`` with the body ``wish.body()``.

        Raises:
            OrderConflict: it cannot be done now; names what can. Nothing was changed.
        """
        ...
