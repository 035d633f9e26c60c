"""What came of each device's last check, and when that was."""

from alembic import op
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text

revision = "0017"
down_revision = "0016"

_tables = MetaData()
Table(
    "device_check",
    _tables,
    Column("device", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deviations", Integer, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
)


def upgrade() -> None:
    """Create the table; what older releases checked is not known."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop it."""
    _tables.drop_all(op.get_bind())
