"""What the network knows of a place beside its address: technology, region, whatever catalog conditions ask for."""

from alembic import op
from sqlalchemy import JSON, Column

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; nothing is known of places until the network file is loaded again."""
    op.add_column("premises", Column("attributes", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("premises", "attributes")
