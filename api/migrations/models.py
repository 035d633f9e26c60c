"""Every table of the platform, from every package that owns some."""

from typing import Final

from sqlalchemy import Connection, MetaData

from activation.tables import metadata as activation_tables
from api.far.tables import metadata as far_tables
from api.hub.tables import metadata as hub_tables
from api.mail.tables import metadata as mail_tables
from api.runtime.queue_procrastinate import ProcrastinateQueue
from api.runtime.tables import metadata as runtime_tables
from inventory.tables import metadata as inventory_tables
from orders.catalog.tables import metadata as catalog_tables
from orders.product.tables import metadata as product_tables
from orders.resource.tables import metadata as resource_tables
from orders.service.tables import metadata as service_tables

SCHEMAS: Final = (
    runtime_tables,
    inventory_tables,
    catalog_tables,
    product_tables,
    service_tables,
    resource_tables,
    activation_tables,
    hub_tables,
    far_tables,
    mail_tables,
)


def create_all(connection: Connection) -> None:
    """Create every table that is missing, and on PostgreSQL what Procrastinate keeps there."""
    for schema in SCHEMAS:
        schema.create_all(connection)
    if connection.dialect.name == "postgresql":
        ProcrastinateQueue().create(connection)


def table_names() -> frozenset[str]:
    """Return the names of all tables."""
    return frozenset(name for schema in SCHEMAS for name in schema.tables)


def all_tables() -> MetaData:
    """Return one collection of all tables, for a comparison with a database."""
    whole = MetaData()
    for schema in SCHEMAS:
        for table in schema.tables.values():
            table.to_metadata(whole)
    return whole
