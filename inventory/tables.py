"""The shape every TMF resource table shares, and the tables of this package."""

from collections.abc import Sequence

from sqlalchemy import (
    JSON,
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

from inventory.beside import Beside


def document_table(metadata: MetaData, name: str, *, mentioned: Sequence[str] = ()) -> Table:
    """Return a table of TMF resources: the wire document as text, its indexed attributes, and private working data.

    Args:
        metadata: where it belongs.
        name: of the table.
        mentioned: attributes with dots whose texts are kept beside it, for filters; a tally by state is kept with them.
    """
    table = Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("external_id", Text),
        Column("correlation_id", Text, nullable=False),
        Column("document", Text, nullable=False),
        Column("task", Text, nullable=False),
        Column("version", Integer, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False),
        Column("updated_at", DateTime(timezone=True), nullable=False),
        Index(f"ix_{name}_state", "state", "created_at"),
        Index(f"ix_{name}_external_id", "external_id"),
        Index(f"ix_{name}_correlation_id", "correlation_id"),
        Index(f"ix_{name}_created_at", "created_at", "id"),
    )
    if mentioned:
        _beside(metadata, name, mentioned).attach(table)
    return table


def _beside(metadata: MetaData, name: str, mentioned: Sequence[str]) -> Beside:
    mentions = Table(
        f"{name}_mention",
        metadata,
        Column("attribute", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("id", Text, nullable=False),
        PrimaryKeyConstraint("attribute", "value", "id"),
        sqlite_with_rowid=False,
    )
    tally = Table(
        f"{name}_tally",
        metadata,
        Column("state", Text, nullable=False),
        Column("slot", Integer, nullable=False),
        Column("n", Integer, nullable=False),
        PrimaryKeyConstraint("state", "slot"),
    )
    return Beside(mentions=mentions, tally=tally, attributes={each: tuple(each.split(".")) for each in mentioned})


metadata = MetaData()
products = document_table(
    metadata, "product", mentioned=("relatedParty.id", "relatedParty.name", "realizingService.id", "place.id")
)
services = document_table(
    metadata,
    "service",
    mentioned=("relatedParty.id", "relatedParty.name", "supportingService.id", "supportingResource.id", "place.id"),
)
resources = document_table(metadata, "resource", mentioned=("relatedParty.id", "name"))

devices = Table(
    "device",
    metadata,
    Column("name", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("username", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("password_from", Text, nullable=False, server_default=""),
    Column("driver", Text, nullable=False, server_default=""),
    Column("ssh_profile", Text, nullable=False, server_default=""),
    Column("host_key", Text, nullable=False, server_default=""),
    Column("max_sessions", Integer, nullable=False, server_default="4"),
    Column("logins_per_minute", Integer, nullable=False, server_default="60"),
)
device_states = Table(
    "device_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host_key", Text, nullable=False, server_default=""),
    Column("offered_key", Text, nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("quarantined_until", DateTime(timezone=True)),
    Column("last_error", Text, nullable=False, server_default=""),
    Column("last_error_at", DateTime(timezone=True)),
)
links = Table(
    "link",
    metadata,
    Column("a_device", Text, nullable=False),
    Column("a_interface", Text, nullable=False),
    Column("b_device", Text, nullable=False),
    Column("b_interface", Text, nullable=False),
    PrimaryKeyConstraint("a_device", "a_interface"),
    UniqueConstraint("b_device", "b_interface"),
)
pon_ports = Table(
    "pon_port",
    metadata,
    Column("olt", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel_partition", Text, nullable=False),
    Column("channel_pair", Text, nullable=False),
    Column("first_onu_id", Integer, nullable=False),
    Column("last_onu_id", Integer, nullable=False),
    PrimaryKeyConstraint("olt", "name"),
)
premises = Table(
    "premises",
    metadata,
    Column("place_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("olt", Text, nullable=False),
    Column("pon_port", Text, nullable=False),
    Column("attributes", JSON, nullable=False, server_default="{}"),
)
vlan_pools = Table(
    "vlan_pool",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_vlan_id", Integer, nullable=False),
    Column("last_vlan_id", Integer, nullable=False),
)
address_pools = Table(
    "address_pool",
    metadata,
    Column("name", Text, primary_key=True),
    Column("prefix", Text, nullable=False),
    Column("first", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("gateway", Text, nullable=False),
)
reservations = Table(
    "reservation",
    metadata,
    Column("resource_id", Text, primary_key=True),
    Column("allocation", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("device", Text, nullable=False),
    Column("place_id", Text, nullable=False),
    Column("owner", Text, nullable=False, unique=True),
    Column("reserved_at", DateTime(timezone=True), nullable=False),
    # What makes handing out a value twice impossible, whatever the code above it does.
    UniqueConstraint("allocation", "pool", "value"),
    Index("ix_reservation_device", "device"),
)
free_ranges = Table(
    "free_range",
    metadata,
    Column("allocation", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("allocation", "pool", "first"),
)
