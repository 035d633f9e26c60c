"""The hub: subscriptions, and the letters their subscribers did not take."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint

revision = "0002"
down_revision = "0001"

_tables = MetaData()


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


Table(
    "hub_subscription",
    _tables,
    Column("subscription_id", Text, primary_key=True),
    *_text("base", "callback", "query"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("base", "callback", "query"),
)
Table(
    "hub_letter",
    _tables,
    Column("letter_id", Text, primary_key=True),
    *_text("subscription_id", "event_id", "resource_id"),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False),
    Column("dead_at", DateTime(timezone=True)),
    UniqueConstraint("subscription_id", "event_id"),
    Index("ix_hub_letter_lane", "subscription_id", "resource_id", "dead_at"),
    Index("ix_hub_letter_dead_at", "dead_at"),
)


def upgrade() -> None:
    """Create the tables."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the tables with all that stands in them."""
    _tables.drop_all(op.get_bind())
