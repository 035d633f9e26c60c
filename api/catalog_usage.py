"""Who stands on an entry of the catalog: products, services and resources made by it, and orders in flight."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, or_, select

from inventory.ledger import UnitOfWork
from orders.catalog.stored import StoredEntry
from orders.product.states import ProductStatus
from orders.service.states import ServiceState
from orders.states import FINAL

AT_A_TIME: Final = 200
ENDED: Final = frozenset(
    {*FINAL, ServiceState.TERMINATED, ProductStatus.TERMINATED, ProductStatus.ABORTED, ProductStatus.CANCELLED}
)
_PINS: Final = {"specification_id": "version", "offering_id": "offering_version"}
"""How private data names an entry: the attribute with its id, and the one with its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogUsage:
    """Looks through everything that has not ended; asked for changes and deletions only.

    Attributes:
        tables: of TMF resources, by the kind of resource.
    """

    tables: Mapping[str, Table]

    def users(self, uow: UnitOfWork, entry: StoredEntry, *, is_meant: bool, most: int) -> Sequence[str]:
        """Return up to ``most`` of those that were made by that version of an entry."""
        found: list[str] = []
        for kind, table in self.tables.items():
            for user in self._of(uow, kind, table, entry, is_meant=is_meant):
                found.append(user)
                if len(found) == most:
                    return found
        return found

    def _of(self, uow: UnitOfWork, kind: str, table: Table, entry: StoredEntry, *, is_meant: bool) -> Iterator[str]:
        here = table.c
        named = f'"{entry.id}'
        where = or_(here.document.contains(named, autoescape=True), here.task.contains(named, autoescape=True))
        wanted = select(here.id, here.state, here.document, here.task).where(here.state.not_in(ENDED), where)
        versions = {entry.version, *({"", None} if is_meant else ())}
        for row in uow.connection.execute(wanted.execution_options(yield_per=AT_A_TIME)):
            documents = (json.loads(row.document), json.loads(row.task))
            if any(_names(each, entry, versions) for each in documents):
                yield f"{kind} {row.id} ({row.state.strip()})"


def _names(value: object, entry: StoredEntry, versions: set[str | None]) -> bool:
    if isinstance(value, Mapping):
        exact = value.get("id") == entry.id and value.get("version") == entry.version
        return (
            exact
            or _pins(value, entry, versions)
            or any(
                _refers(each, entry, versions) if key == entry.kind else _names(each, entry, versions)
                for key, each in value.items()
            )
        )
    if isinstance(value, list):
        return any(_names(each, entry, versions) for each in value)
    return isinstance(value, str) and value == f"{entry.id}@{entry.version}"


def _refers(value: Any, entry: StoredEntry, versions: set[str | None]) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return value.get("id") == entry.id and value.get("version") in versions
    return isinstance(value, list) and any(_refers(each, entry, versions) for each in value)


def _pins(value: Mapping[str, Any], entry: StoredEntry, versions: set[str | None]) -> bool:
    return any(value.get(key) == entry.id and value.get(version) in versions for key, version in _PINS.items())
