"""Table of the e-mails."""

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

mails = Table(
    "mail",
    metadata,
    Column("mail_id", Text, primary_key=True),
    Column("order_id", Text, nullable=False),
    Column("order_state", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("order_id", "order_state"),
    Index("ix_mail_standing", "standing", "changed_at"),
)
