"""Plans that wait for people."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text

revision = "0009"
down_revision = "0008"

_tables = MetaData()
Table(
    "review",
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
    Index("ix_review_state", "state", "created_at"),
    Index("ix_review_external_id", "external_id"),
    Index("ix_review_correlation_id", "correlation_id"),
    Index("ix_review_created_at", "created_at", "id"),
)


def upgrade() -> None:
    """Create the table."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the table: what waited waits for ever, so decide first."""
    _tables.drop_all(op.get_bind())
