"""Tables of the hub."""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

subscriptions = Table(
    "hub_subscription",
    metadata,
    Column("subscription_id", Text, primary_key=True),
    Column("base", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("base", "callback", "query"),
)

letters = Table(
    "hub_letter",
    metadata,
    Column("letter_id", Text, primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("failed_at", DateTime(timezone=True), nullable=False),
    Column("dead_at", DateTime(timezone=True)),
    UniqueConstraint("subscription_id", "event_id"),
    Index("ix_hub_letter_lane", "subscription_id", "resource_id", "dead_at"),
    Index("ix_hub_letter_dead_at", "dead_at"),
)
"""Only events whose delivery failed at least once: most never come here. ``dead_at`` is set when it was given up."""
