"""Tables of what is asked of layers in other processes."""

from sqlalchemy import Column, DateTime, Index, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

requests = Table(
    "far_request",
    metadata,
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
    Index("ix_far_request_about", "about", "kind"),
    Index("ix_far_request_state", "layer", "state"),
)

neighbours = Table(
    "far_layer",
    metadata,
    Column("layer", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("subscription_id", Text, nullable=False),
)
"""The layers whose events this process takes: the secret is the last step of the callback address."""
