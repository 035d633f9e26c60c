"""An index by which what was asked about one service of another layer's is found."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_far_request_about", "far_request", ["about", "kind"])


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_far_request_about", table_name="far_request")
