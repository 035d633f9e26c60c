"""Tasks that cancel orders."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text

revision = "0012"
down_revision = "0011"

_tables = MetaData()


def _document_table(name: str) -> None:
    Table(
        name,
        _tables,
        Column("id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("external_id", Text),
        Column("correlation_id", Text, nullable=False),
        Column("document", Text, nullable=False),
        Column("task", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
        Index(f"ix_{name}_state", "state", "created_at"),
        Index(f"ix_{name}_external_id", "external_id"),
        Index(f"ix_{name}_correlation_id", "correlation_id"),
        Index(f"ix_{name}_created_at", "created_at", "id"),
    )


for _name in ("cancel_product_order", "cancel_service_order", "cancel_resource_order"):
    _document_table(_name)


def upgrade() -> None:
    """Create the tables."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the tables: nobody asked for anything to be cancelled."""
    _tables.drop_all(op.get_bind())
