"""The tables of the first version: one order end to end.

They are written out here once more, and stay as they were then whatever becomes of them later.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

_tables = MetaData()


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _documents(name: str) -> None:
    Table(
        name,
        _tables,
        Column("id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("external_id", Text),
        *_text("correlation_id", "document", "task"),
        Column("version", Integer, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
        Index(f"ix_{name}_state", "state", "created_at"),
        Index(f"ix_{name}_external_id", "external_id"),
        Index(f"ix_{name}_correlation_id", "correlation_id"),
        Index(f"ix_{name}_created_at", "created_at", "id"),
    )


for _name in (
    *("product", "service", "resource"),
    *("product_order", "service_order", "resource_order"),
    *("monitor", "activation_service"),
):
    _documents(_name)

Table(
    "event",
    _tables,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    *_text("event_type", "domain", "resource_kind", "resource_id", "correlation_id"),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_event_resource", "resource_id", "sequence"),
    Index("ix_event_correlation", "correlation_id", "sequence"),
    sqlite_autoincrement=True,
)
Table(
    "history",
    _tables,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    *_text("resource_kind", "resource_id", "item", "from_state", "to_state", "reason"),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_history_resource", "resource_id", "sequence"),
    sqlite_autoincrement=True,
)
Table(
    "job",
    _tables,
    Column("job_id", Integer, primary_key=True, autoincrement=True),
    *_text("kind", "lane", "payload"),
    Column("event_sequence", Integer),
    Column("run_at_s", Float, nullable=False),
    Column("attempt", Integer, nullable=False),
    *_text("state", "reason"),
    Index("ix_job_lane", "lane", "job_id"),
    Index("ix_job_ready", "state", "run_at_s", "job_id"),
    sqlite_autoincrement=True,
)
Table(
    "token",
    _tables,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
Table(
    "device",
    _tables,
    Column("name", Text, primary_key=True),
    *_text("platform", "role", "address"),
    Column("port", Integer, nullable=False),
    *_text("username", "password"),
    Column("timeout_s", Float, nullable=False),
)
Table(
    "link",
    _tables,
    *_text("a_device", "a_interface", "b_device", "b_interface"),
    PrimaryKeyConstraint("a_device", "a_interface"),
    UniqueConstraint("b_device", "b_interface"),
)
Table(
    "pon_port",
    _tables,
    *_text("olt", "name", "channel_partition", "channel_pair"),
    Column("first_onu_id", Integer, nullable=False),
    Column("last_onu_id", Integer, nullable=False),
    PrimaryKeyConstraint("olt", "name"),
)
Table("premises", _tables, Column("place_id", Text, primary_key=True), *_text("name", "olt", "pon_port"))
Table(
    "vlan_pool",
    _tables,
    Column("name", Text, primary_key=True),
    Column("first_vlan_id", Integer, nullable=False),
    Column("last_vlan_id", Integer, nullable=False),
)
Table("address_pool", _tables, Column("name", Text, primary_key=True), *_text("prefix", "first", "last", "gateway"))
Table(
    "reservation",
    _tables,
    Column("resource_id", Text, primary_key=True),
    *_text("allocation", "pool"),
    Column("value", BigInteger, nullable=False),
    *_text("device", "place_id"),
    Column("owner", Text, nullable=False, unique=True),
    Column("reserved_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("allocation", "pool", "value"),
    Index("ix_reservation_device", "device"),
)
Table(
    "free_range",
    _tables,
    *_text("allocation", "pool"),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("allocation", "pool", "first"),
)
Table(
    "fragment",
    _tables,
    Column("service_id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("intent", Text, primary_key=True),
    *_text("root_id", "text", "foreign_nodes"),
    Index("ix_fragment_device", "device"),
    Index("ix_fragment_root", "root_id"),
)
Table(
    "plan",
    _tables,
    Column("plan_id", Text, primary_key=True),
    *_text("monitor_id", "plan_hash", "edits"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_plan_monitor", "monitor_id"),
)
Table(
    "device_transaction",
    _tables,
    Column("transaction_id", Text, primary_key=True),
    *_text("monitor_id", "plan_id", "step"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_device_transaction_step", "step"),
    Index("ix_device_transaction_monitor", "monitor_id"),
)
Table(
    "journal",
    _tables,
    Column("id", Integer, primary_key=True, autoincrement=True),
    *_text("transaction_id", "step", "detail"),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_journal_transaction", "transaction_id"),
)


def upgrade() -> None:
    """Create the tables."""
    _tables.create_all(op.get_bind())


def downgrade() -> None:
    """Drop the tables with all that stands in them."""
    _tables.drop_all(op.get_bind())
