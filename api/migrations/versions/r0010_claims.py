"""What a live service has for itself, and no other may have."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, Table, Text

revision = "0010"
down_revision = "0009"

_tables = MetaData()
Table(
    "service_claim",
    _tables,
    Column("claim", Text, primary_key=True),
    Column("root_id", Text, nullable=False),
    Index("ix_service_claim_root", "root_id"),
)


def upgrade() -> None:
    """Create the table; a service of before claims its values when it is changed next."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the table: nothing is anybody's alone."""
    _tables.drop_all(op.get_bind())
