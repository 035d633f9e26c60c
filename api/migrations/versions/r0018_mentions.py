"""Beside the tables that grow with every order: what documents mention, and how many are in each state."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from alembic import op
from sqlalchemy import Column, Connection, Integer, MetaData, PrimaryKeyConstraint, Table, Text, insert, text

revision = "0018"
down_revision = "0017"

_AT_A_TIME: Final = 500
_LONGEST: Final = 200
_PARTY: Final = ("relatedParty.id", "relatedParty.name")
_MENTIONED: Final = {
    "product_order": (*_PARTY, "productOrderItem.product.id", "productOrderItem.product.place.id"),
    "service_order": (*_PARTY, "serviceOrderItem.service.id"),
    "resource_order": (*_PARTY, "orderItem.resource.id"),
    "product": (*_PARTY, "realizingService.id", "place.id"),
    "service": (*_PARTY, "supportingService.id", "supportingResource.id", "place.id"),
    "resource": ("relatedParty.id", "name"),
}

_tables = MetaData()


def _mentions(name: str) -> Table:
    return Table(
        f"{name}_mention",
        _tables,
        Column("attribute", Text, nullable=False),
        Column("value", Text, nullable=False),
        Column("id", Text, nullable=False),
        PrimaryKeyConstraint("attribute", "value", "id"),
        sqlite_with_rowid=False,
    )


def _tally(name: str) -> Table:
    return Table(
        f"{name}_tally",
        _tables,
        Column("state", Text, nullable=False),
        Column("slot", Integer, nullable=False),
        Column("n", Integer, nullable=False),
        PrimaryKeyConstraint("state", "slot"),
    )


_BESIDE: Final = {name: (_mentions(name), _tally(name)) for name in _MENTIONED}


def upgrade() -> None:
    """Create the tables and fill them from the documents."""
    connection = op.get_bind()
    _tables.create_all(connection)
    for name, (mentions, _) in _BESIDE.items():
        counted = f"INSERT INTO {name}_tally (state, slot, n) SELECT state, 0, count(*) FROM {name} GROUP BY state"  # noqa: S608 - names of ours
        connection.execute(text(counted))
        for page in _pages(connection, name):
            found = {each for key, document in page for each in _mentioned(key, document, _MENTIONED[name])}
            rows = [dict(zip(("attribute", "value", "id"), each, strict=True)) for each in sorted(found)]
            if rows:
                connection.execute(insert(mentions), rows)


def downgrade() -> None:
    """Drop the tables; filters look at every document again."""
    _tables.drop_all(op.get_bind())


def _pages(connection: Connection, name: str) -> Iterator[Sequence[tuple[str, str]]]:
    wanted = text(f"SELECT id, document FROM {name} WHERE id > :last ORDER BY id LIMIT {_AT_A_TIME}")  # noqa: S608 - names of ours
    last = ""
    while page := [(row.id, row.document) for row in connection.execute(wanted, {"last": last})]:
        yield page
        last = page[-1][0]


def _mentioned(key: str, document: str, attributes: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    whole = _read(document)
    for attribute in attributes:
        for value in _values(whole, attribute.split(".")):
            if not isinstance(value, dict) and len(text := _text(value)) <= _LONGEST:
                yield attribute, text, key


def _text(value: Any) -> str:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _read(document: str) -> Any:  # noqa: ANN401 - JSON is what it is
    try:
        return json.loads(document)
    except ValueError:
        # Damaged: it mentions nothing, and 'lastmile fsck' says what is wrong with it.
        return None


def _values(value: Any, steps: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, list):
        for entry in value:
            yield from _values(entry, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict) and steps[0] in value:
        yield from _values(value[steps[0]], steps[1:])
