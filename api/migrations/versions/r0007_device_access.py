"""How a device is logged in to, and how it has behaved: its host key, its failures in a row, its quarantine."""

from alembic import op
from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text

revision = "0007"
down_revision = "0006"

_tables = MetaData()
Table(
    "device_state",
    _tables,
    Column("name", Text, primary_key=True),
    Column("host_key", Text, nullable=False, server_default=""),
    Column("offered_key", Text, nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("quarantined_until", DateTime(timezone=True)),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("last_error_at", DateTime(timezone=True)),
)
_TEXTS = ("password_from", "driver", "ssh_profile", "host_key")
_NUMBERS = {"max_sessions": "4", "logins_per_minute": "60"}


def upgrade() -> None:
    """Create the table; every device gets the usual way to log in."""
    _tables.create_all(op.get_bind())
    for name in _TEXTS:
        op.add_column("device", Column(name, Text, nullable=False, server_default=""))
    for name, usual in _NUMBERS.items():
        op.add_column("device", Column(name, Integer, nullable=False, server_default=usual))


def downgrade() -> None:
    """Drop them."""
    for name in (*_NUMBERS, *_TEXTS):
        op.drop_column("device", name)
    _tables.drop_all(op.get_bind())
