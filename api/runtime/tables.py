"""Tables of the runtime: outbox, history, jobs and the data folder's own facts."""

from sqlalchemy import BigInteger, Column, DateTime, Float, Index, Integer, MetaData, Table, Text

metadata = MetaData()

events = Table(
    "event",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("event_id", Text, nullable=False, unique=True),
    Column("event_type", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("resource_kind", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_event_resource", "resource_id", "sequence"),
    Index("ix_event_correlation", "correlation_id", "sequence"),
    sqlite_autoincrement=True,
)

moves = Table(
    "history",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("resource_kind", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # The name of the token that asked for it; empty where the platform acted by itself.
    Column("actor", Text, nullable=False, server_default=""),
    Index("ix_history_resource", "resource_id", "sequence"),
    sqlite_autoincrement=True,
)

# What clients call the requests that they may repeat, see api.http.once.
request_keys = Table(
    "request_key",
    metadata,
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_request_key_at", "at"),
)

tokens = Table(
    "token",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

# The SQLite adapter's job queue; on PostgreSQL, Procrastinate's tables take its place.
jobs = Table(
    "job",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("event_id", Text),
    Column("priority", Integer, nullable=False),
    Column("run_at_s", Float, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("worker_id", Integer),
    Column("reason", Text, nullable=False),
    Index("ix_job_lane", "lane", "job_id"),
    Index("ix_job_ready", "state", "run_at_s", "job_id"),
    sqlite_autoincrement=True,
)

# Which worker changes which device; on PostgreSQL, where several processes do.
device_locks = Table(
    "device_lock",
    metadata,
    Column("device", Text, primary_key=True),
    Column("worker_id", BigInteger, nullable=False),
)

workers = Table(
    "worker",
    metadata,
    Column("worker_id", Integer, primary_key=True, autoincrement=True),
    Column("heard_at_s", Float, nullable=False),
    sqlite_autoincrement=True,
)
