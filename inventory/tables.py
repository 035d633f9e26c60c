"""The shape every TMF resource table shares, and the tables of this package."""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text


def document_table(metadata: MetaData, name: str) -> Table:
    """Return a table of TMF resources: the wire document as text, its indexed attributes, and private working data."""
    return Table(
        name,
        metadata,
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


metadata = MetaData()
products = document_table(metadata, "product")
services = document_table(metadata, "service")
resources = document_table(metadata, "resource")
