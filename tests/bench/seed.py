"""Many stored orders in little time: one that was really posted and completed, over and over under other names.

Every copy goes through the stores, so that it leaves the rows an order leaves: document, product, history, events.
"""

import json
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from inventory.store import DocumentStore, Row
from inventory.tables import products
from orders.documents import stamp
from orders.product.layer import product_order_store
from tests.bench.rig import Rig

AT_ONCE: Final = 500
EVERY: Final = timedelta(minutes=1)
LAST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the last of them was ordered; each batch before is a minute older."""
HELD: Final = 20
CUSTOMER: Final = 10
"""Orders of one customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A completed order and the product it made."""

    order: Row
    product: Row

    @classmethod
    def of(cls, rig: Rig) -> "Template":
        """Return the first order of a platform that has completed one."""
        orders, inventory = product_order_store(), DocumentStore(table=products, kind="product", domain="inventory")
        with rig.system.database.read() as connection:
            (key,) = (json.loads(text)["id"] for text in orders.page(connection, rig.query(1)).texts)
            order = orders.get(connection, key)
            return cls(
                order=order, product=inventory.get(connection, order.document["productOrderItem"][0]["product"]["id"])
            )

    def copy(self, number: int, state: str, at: datetime) -> tuple[Row, Row]:
        """Return the order and the product of number ``number``."""
        names = {
            self.order.id: key_of(number),
            self.product.id: str(uuid.UUID(int=number + 2**64, version=4)),
        }
        order, product = (_renamed(row, names) for row in (self.order, self.product))
        party = {**order.document["relatedParty"][0], "id": customer(number)}
        changed = {"state": state, "externalId": external_id(number), "relatedParty": [party], "orderDate": stamp(at)}
        document = {**order.document, **changed}
        return replace(order, state=state, external_id=external_id(number), document=document, version=1), product


def key_of(number: int) -> str:
    """Return the id of order ``number``."""
    return str(uuid.UUID(int=number, version=4))


def moment_of(number: int, total: int) -> str:
    """Return when order ``number`` was ordered, of ``total`` that there are."""
    return stamp(_moment(number, total))


def _moment(number: int, total: int) -> datetime:
    return LAST - EVERY * ((total - number // AT_ONCE * AT_ONCE) // AT_ONCE)


def external_id(number: int) -> str:
    """Return what its client calls order ``number``."""
    return f"crm-{number:07}"


def customer(number: int) -> str:
    """Return the id of the party that ordered order ``number``."""
    return f"C-{number // CUSTOMER:06}"


def seed(rig: Rig, numbers: range, total: int) -> None:
    """Store the orders of these numbers, of ``total`` that there will be; a few are held, the rest completed."""
    template = Template.of(rig)
    orders, inventory = product_order_store(), DocumentStore(table=products, kind="product", domain="inventory")
    for first in range(numbers.start, numbers.stop, AT_ONCE):
        at = _moment(first, total)
        with rig.system.database.begin() as uow:
            uow.now = at
            for number in range(first, min(first + AT_ONCE, numbers.stop)):
                order, product = template.copy(number, "held" if number < HELD else "completed", at)
                orders.insert(uow, order)
                inventory.insert(uow, product)


def _renamed(row: Row, names: dict[str, str]) -> Row:
    text = json.dumps({"id": row.id, "correlation": row.correlation_id, "document": row.document, "task": row.task})
    for before, after in names.items():
        text = text.replace(before, after)
    found: dict[str, Any] = json.loads(text)
    return replace(
        row, id=found["id"], correlation_id=found["correlation"], document=found["document"], task=found["task"]
    )
