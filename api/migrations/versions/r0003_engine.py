"""The durable engine: jobs with leases, priorities and counted failures; on PostgreSQL, Procrastinate's schema."""

from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy import BigInteger, Column, Connection, Float, Index, Integer, MetaData, Table, Text, text

revision = "0003"
down_revision = "0002"

_KEPT = "job_id, kind, lane, payload, run_at_s, attempt, state, reason"
_BESIDE_PROCRASTINATE = (
    "CREATE INDEX lastmile_jobs_lane ON procrastinate_jobs (lock, id) WHERE status IN ('todo', 'doing')",
    "CREATE INDEX lastmile_jobs_due ON procrastinate_jobs (scheduled_at) WHERE status = 'todo'",
)
_INDEXES = ("ix_job_lane", "ix_job_ready")


def _jobs(tables: MetaData, *own: Column[str] | Column[int]) -> Table:
    return Table(
        "job",
        tables,
        Column("job_id", Integer, primary_key=True, autoincrement=True),
        Column("kind", Text, nullable=False),
        Column("lane", Text, nullable=False),
        Column("payload", Text, nullable=False),
        Column("run_at_s", Float, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("reason", Text, nullable=False),
        *own,
        Index("ix_job_lane", "lane", "job_id"),
        Index("ix_job_ready", "state", "run_at_s", "job_id"),
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    """Bring the job table up to date, jobs and all."""
    new = MetaData()
    _jobs(
        new,
        Column("event_id", Text),
        Column("priority", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        Column("worker_id", Integer),
    )
    _replace(
        new,
        "event_id, priority, failures, worker_id",
        "(SELECT event_id FROM event WHERE sequence = event_sequence), 0, 0, NULL",
    )
    workers = MetaData()
    Table(
        "device_lock",
        workers,
        Column("device", Text, primary_key=True),
        Column("worker_id", BigInteger, nullable=False),
    )
    Table(
        "worker",
        workers,
        Column("worker_id", Integer, primary_key=True, autoincrement=True),
        Column("heard_at_s", Float, nullable=False),
        sqlite_autoincrement=True,
    )
    workers.create_all(op.get_bind())
    if _is_postgresql(op.get_bind()):
        _create_procrastinate(op.get_bind())


def downgrade() -> None:
    """Bring the job table back; leases are forgotten, and what a worker holds is ready again."""
    if _is_postgresql(op.get_bind()):
        _drop_procrastinate(op.get_bind())
    op.drop_table("worker")
    op.drop_table("device_lock")
    old = MetaData()
    _jobs(old, Column("event_sequence", Integer))
    _replace(old, "event_sequence", "(SELECT sequence FROM event WHERE event.event_id = job_before.event_id)")


def _replace(tables: MetaData, columns: str, values: str) -> None:
    """Make the job table anew, with its rows: SQLite can neither drop nor tighten columns that stand."""
    connection = op.get_bind()
    op.rename_table("job", "job_before")
    for name in _INDEXES:
        op.drop_index(name, "job_before")
    tables.create_all(connection)
    op.execute(f"INSERT INTO job ({_KEPT}, {columns}) SELECT {_KEPT}, {values} FROM job_before")  # noqa: S608 - ours
    op.drop_table("job_before")
    if _is_postgresql(connection):
        sequence, following = (
            "pg_get_serial_sequence('job', 'job_id')",
            "(SELECT coalesce(max(job_id), 0) + 1 FROM job)",
        )
        op.execute(f"SELECT setval({sequence}, {following}, false)")


def _create_procrastinate(connection: Connection) -> None:
    # Several statements, with "%" signs that are none of the driver's.
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    for statement in _BESIDE_PROCRASTINATE:
        connection.execute(text(statement))


def _drop_procrastinate(connection: Connection) -> None:
    tables = "procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers"
    connection.execute(text(f"DROP TABLE {tables} CASCADE"))
    functions = "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'procrastinate%'"
    for function in connection.execute(text(functions)).scalars().all():
        connection.execute(text(f"DROP FUNCTION {function} CASCADE"))
    for kind in ("job_to_defer_v1", "job_event_type", "job_status"):
        connection.execute(text(f"DROP TYPE procrastinate_{kind} CASCADE"))


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
