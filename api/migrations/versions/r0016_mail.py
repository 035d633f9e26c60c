"""E-mails to whoever ordered."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint

revision = "0016"
down_revision = "0015"

_tables = MetaData()

Table(
    "mail",
    _tables,
    Column("mail_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("order_state", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("order_id", "order_state"),
    Index("ix_mail_standing", "standing", "changed_at"),
)


def upgrade() -> None:
    """Create the table."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the table: nobody was written to."""
    _tables.drop_all(op.get_bind())
