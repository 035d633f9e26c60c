"""The catalog in the database: entries that the files gave and the APIs changed, and how often it was changed."""

from alembic import op
from sqlalchemy import Column, DateTime, Index, Integer, MetaData, PrimaryKeyConstraint, Table, Text

revision = "0014"
down_revision = "0013"

_tables = MetaData()


def _document_table(name: str) -> None:
    Table(
        name,
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
        Index(f"ix_{name}_state", "state", "created_at"),
        Index(f"ix_{name}_external_id", "external_id"),
        Index(f"ix_{name}_correlation_id", "correlation_id"),
        Index(f"ix_{name}_created_at", "created_at", "id"),
    )


for _name in ("product_offering", "product_specification", "service_specification", "resource_specification"):
    _document_table(_name)

Table(
    "catalog_revision",
    _tables,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
)
Table(
    "catalog_file_entry",
    _tables,
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    PrimaryKeyConstraint("kind", "id", "version"),
)


def upgrade() -> None:
    """Create the tables; the next start takes the files in."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the tables: the files are the catalog again."""
    _tables.drop_all(op.get_bind())
