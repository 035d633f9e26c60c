"""Where each kind of resource keeps its state and its items, and which moves are legal for it."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import orders.product.states
import orders.resource.states
import orders.service.states
from activation.states import MONITOR, REVIEW, TAKEN_BACK, TRANSACTION
from activation.states import SERVICE as ACTIVATION_SERVICE
from inventory.documents import Document
from inventory.lifecycle import Lifecycle
from inventory.store import Row
from orders.items import flat, own_states
from orders.states import OrderState, counted

ORDERS: Final[Mapping[str, str]] = MappingProxyType(
    {"productOrder": "productOrderItem", "serviceOrder": "serviceOrderItem", "resourceOrder": "orderItem"}
)
"""The kinds of orders, each with the attribute that holds its items."""


def _either(usual: Lifecycle[Any], by_rollback: Lifecycle[Any]) -> Lifecycle[Any]:
    """Return the moves of a resource's life, with those that only an engineer's rollback makes."""
    states = usual.transitions.keys() | by_rollback.transitions.keys()
    none: frozenset[Any] = frozenset()
    moves = {each: usual.transitions.get(each, none) | by_rollback.transitions.get(each, none) for each in states}
    return replace(usual, transitions=moves)


_OF_RESOURCES: Final[Mapping[str, Lifecycle[Any]]] = MappingProxyType(
    {
        "productOrder": orders.product.states.ORDER,
        "serviceOrder": orders.service.states.ORDER,
        "resourceOrder": orders.resource.states.ORDER,
        "cancelProductOrder": orders.product.states.CANCEL,
        "cancelServiceOrder": orders.service.states.CANCEL,
        "cancelResourceOrder": orders.resource.states.CANCEL,
        "monitor": MONITOR,
        "review": REVIEW,
        "product": _either(orders.product.states.PRODUCT, orders.product.states.RETURNED),
        "service": orders.service.states.SERVICE,
        "activationService": _either(ACTIVATION_SERVICE, TAKEN_BACK),
        "deviceTransaction": TRANSACTION,
    }
)
_OF_ITEMS: Final[Mapping[str, Lifecycle[Any]]] = MappingProxyType(
    {
        "productOrder": orders.product.states.ITEM,
        "serviceOrder": orders.service.states.ITEM,
        "resourceOrder": orders.resource.states.ITEM,
    }
)
_STATE_KEYS: Final[Mapping[str, str]] = MappingProxyType({"product": "status", "resource": "resourceStatus"})


def lifecycle_of(kind: str, item: str = "") -> Lifecycle[Any] | None:
    """Return the life cycle of a resource, or of one of its items; None where every move is legal."""
    return (_OF_ITEMS if item else _OF_RESOURCES).get(kind)


def state_of(kind: str, document: Document) -> str:
    """Return the state that a document says."""
    return str(document.get(_STATE_KEYS.get(kind, "state"), ""))


def items_of(kind: str, document: Document) -> dict[str, Document]:
    """Return an order's items by id, those inside others too."""
    return {item["id"]: item for item in flat(document, ORDERS[kind])} if kind in ORDERS else {}


def own_item_states(row: Row, kind: str) -> dict[str, OrderState]:
    """Return the states of what the items of an order do themselves: together they make the order's state."""
    tasks = row.task.get("items", {})
    return own_states(row.document, ORDERS[kind], {key: task.get("state") for key, task in tasks.items()})


def counted_item_states(row: Row, kind: str) -> list[OrderState]:
    """Return those of :func:`own_item_states` that make the order's: what was taken out of it counts for nothing."""
    tasks = row.task.get("items", {})
    states = own_item_states(row, kind).items()
    return counted((state, bool(tasks.get(key, {}).get("removed"))) for key, state in states)


def event_prefix(kind: str) -> str:
    """Return what the event types of a kind begin with."""
    return kind[0].upper() + kind[1:]
