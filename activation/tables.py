"""The tables of the activation core."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, Table, Text

from inventory.tables import document_table

metadata = MetaData()

monitors = document_table(metadata, "monitor")
services = document_table(metadata, "activation_service")
# How each device was found when it was last checked; the id is its name.
drifts = document_table(metadata, "device_drift")
# What came of each device's last check, and when that was.
device_checks = Table(
    "device_check",
    metadata,
    Column("device", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("deviations", Integer, nullable=False),
    Column("checked_at", DateTime(timezone=True), nullable=False),
)
reviews = document_table(metadata, "review")

fragments = Table(
    "fragment",
    metadata,
    Column("service_id", Text, primary_key=True),
    Column("device", Text, primary_key=True),
    Column("intent", Text, primary_key=True),
    # The TMF640 service that was activated; service_id is its supporting service, or itself.
    Column("root_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("foreign_nodes", Text, nullable=False),
    Index("ix_fragment_device", "device"),
    Index("ix_fragment_root", "root_id"),
)

# Which fragments hold a place of a device: two that share one share a node.
fragment_places = Table(
    "fragment_place",
    metadata,
    Column("device", Text, primary_key=True),
    # A hash of the path: what is found by a collision does no harm.
    Column("place", BigInteger, primary_key=True),
    Column("root_id", Text, primary_key=True),
    Index("ix_fragment_place_root", "root_id"),
)

# What a live service has for itself, see activation.unique.
claims = Table(
    "service_claim",
    metadata,
    Column("claim", Text, primary_key=True),
    Column("root_id", Text, nullable=False),
    Index("ix_service_claim_root", "root_id"),
)

plans = Table(
    "plan",
    metadata,
    Column("plan_id", Text, primary_key=True),
    Column("monitor_id", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("edits", Text, nullable=False),
    # What becomes of the services' fragments; null: the plan of a release that did not keep it.
    Column("fragments", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_plan_monitor", "monitor_id"),
)

transactions = Table(
    "device_transaction",
    metadata,
    Column("transaction_id", Text, primary_key=True),
    Column("monitor_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    # The names of the devices that it changes, between blanks; null: an older release's, the plan tells.
    Column("devices", Text),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_device_transaction_step", "step"),
    Index("ix_device_transaction_monitor", "monitor_id"),
)

# The activations that share a transaction; its own monitor_id is the first of them.
transaction_members = Table(
    "device_transaction_member",
    metadata,
    Column("transaction_id", Text, primary_key=True),
    Column("monitor_id", Text, primary_key=True),
    Index("ix_device_transaction_member_monitor", "monitor_id"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("transaction_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_journal_transaction", "transaction_id"),
)
