"""Database, unit of work, outbox, job queue and worker."""
