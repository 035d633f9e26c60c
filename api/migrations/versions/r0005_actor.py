"""History rows name who acted; until now nobody was named."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("history", Column("actor", Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Drop the column, and with it the names."""
    op.drop_column("history", "actor")
