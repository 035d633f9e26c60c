"""Which devices each transaction changes: named with the transaction, where until now only its plan knew."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column; of older transactions the plans tell."""
    op.add_column("device_transaction", Column("devices", Text))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("device_transaction", "devices")
