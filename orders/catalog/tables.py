"""The tables of the stored catalog: one for each kind of TMF entry, and what the files said last."""

from typing import Final

from sqlalchemy import Column, Integer, MetaData, PrimaryKeyConstraint, Table, Text

from inventory.tables import document_table

metadata: Final = MetaData()
product_offerings = document_table(metadata, "product_offering")
product_specifications = document_table(metadata, "product_specification")
service_specifications = document_table(metadata, "service_specification")
resource_specifications = document_table(metadata, "resource_specification")

# How often the catalog was changed: whoever knows it as it was then need not read it again.
catalog_revisions = Table(
    "catalog_revision",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)

# What the files held when they were last taken in: tells a change of a file from one over the API.
catalog_file_entries = Table(
    "catalog_file_entry",
    metadata,
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("kind", "id", "version"),
)
