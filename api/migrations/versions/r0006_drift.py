"""How each device was found by its last check, and what each plan does to the services' fragments."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text

revision = "0006"
down_revision = "0005"

_tables = MetaData()
Table(
    "device_drift",
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
    Index("ix_device_drift_state", "state", "created_at"),
    Index("ix_device_drift_external_id", "external_id"),
    Index("ix_device_drift_correlation_id", "correlation_id"),
    Index("ix_device_drift_created_at", "created_at", "id"),
)


def upgrade() -> None:
    """Create the table; plans of older releases do not know their fragments."""
    _tables.create_all(op.get_bind())
    op.add_column("plan", Column("fragments", Text))


def downgrade() -> None:
    """Drop both."""
    op.drop_column("plan", "fragments")
    _tables.drop_all(op.get_bind())
