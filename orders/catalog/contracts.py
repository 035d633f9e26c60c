"""Where the order layers have their catalog from."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from inventory.ledger import UnitOfWork
from orders.catalog.model import Catalog


class CatalogSource(Protocol):
    """A catalog that may change; a :class:`orders.catalog.model.Catalog` is one that does not."""

    def current(self, uow: UnitOfWork) -> Catalog:
        """Return the catalog as it is in this transaction."""
        ...

    def read(self, connection: Connection, now: datetime) -> Catalog:
        """Return the catalog as it is for a reader."""
        ...
