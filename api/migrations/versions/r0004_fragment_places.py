"""Which fragments hold a place of a device; those that stand are noted at the next start."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

revision = "0004"
down_revision = "0003"

_tables = MetaData()
Table(
    "fragment_place",
    _tables,
    Column("device", Text, primary_key=True),
    Column("place", BigInteger, primary_key=True),
    Column("root_id", Text, primary_key=True),
    Index("ix_fragment_place_root", "root_id"),
)


def upgrade() -> None:
    """Create the table."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the table; it is made of what the fragments say."""
    _tables.drop_all(op.get_bind())
