"""What is asked of layers in other processes."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, UniqueConstraint

revision = "0015"
down_revision = "0014"

_tables = MetaData()

Table(
    "far_request",
    _tables,
    Column("request_id", Text, primary_key=True),
    Column("layer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("heard_at", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("kind", "external_id"),
    Index("ix_far_request_remote", "kind", "remote_id"),
    Index("ix_far_request_state", "layer", "state"),
)
Table(
    "far_layer",
    _tables,
    Column("layer", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
)


def upgrade() -> None:
    """Create the tables."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the tables: every layer is in this process."""
    _tables.drop_all(op.get_bind())
