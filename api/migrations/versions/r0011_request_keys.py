"""Keys with which clients repeat requests."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text

revision = "0011"
down_revision = "0010"

_tables = MetaData()
Table(
    "request_key",
    _tables,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_request_key_at", "at"),
)


def upgrade() -> None:
    """Create the table."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the table: a request that is repeated is a new one."""
    _tables.drop_all(op.get_bind())
