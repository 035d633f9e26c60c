"""What Alembic runs for each migration; the caller's connection and transaction are used, see :mod:`.run`."""

from alembic import context

given = context.config.attributes
context.configure(connection=given["connection"], on_version_apply=given["on_version_apply"])
context.run_migrations()
