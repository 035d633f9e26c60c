"""Which fragments hold a place of a device (noted at the next start), and which activations share a transaction."""

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
Table(
    "device_transaction_member",
    _tables,
    Column("transaction_id", Text, primary_key=True),
    Column("monitor_id", Text, primary_key=True),
    Index("ix_device_transaction_member_monitor", "monitor_id"),
)
_MEMBERS = "INSERT INTO device_transaction_member SELECT transaction_id, monitor_id FROM device_transaction"


def upgrade() -> None:
    """Create the tables; until now every transaction was one activation's."""
    _tables.create_all(op.get_bind())
    op.execute(_MEMBERS)


def downgrade() -> None:
    """Drop the tables; a transaction that was shared is the first activation's again."""
    _tables.drop_all(op.get_bind())
