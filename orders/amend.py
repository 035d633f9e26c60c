"""PATCH of an order: what may change while it is in which state. Pure; the layers store it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inventory.documents import Document
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import OrderBody, parse
from orders.states import FINAL, OrderState

FIXED: Final = frozenset({"id", "href", "externalId", "orderDate", "startDate", "completionDate", "cancellationDate"})
"""What an order is known by, and what only the platform knows."""
OWN: Final = frozenset({"errorMessage", "jeopardyAlert", "milestone", "@type", "@baseType", "@schemaLocation"})
STARTING: Final = "requestedStartDate"
ENDED: Final = frozenset({"note"})
"""What may still change once an order has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """A checked change: the order's document after it, and what of it changed."""

    document: Document
    changed: frozenset[str]


def amended(before: Document, merge: Document, after: Document, shape: type[OrderBody], items: str) -> Amendment:
    """Return what a merge patch makes of an order; ``after`` is the document it gives, ``items`` its item attribute.

    What is sent as it stands already counts as unchanged: TMF622 makes clients send the items with every patch.

    Raises:
        InvalidOrder: an attribute that no client may change, or of a wrong type; nothing was changed.
        OrderConflict: a good change at a bad moment; says what may change now.
    """
    changed = frozenset(name for name in merge if before.get(name) != after.get(name))
    problems = tuple(_problems(changed, before, items))
    if problems:
        raise InvalidOrder(problems)
    state = OrderState(before["state"])
    if state in FINAL and not changed <= ENDED:
        wrong = ", ".join(sorted(changed - ENDED))
        raise OrderConflict(wrong, before["id"], f"is {state}; legal now: {', '.join(sorted(ENDED))}")
    if STARTING in changed and state is not OrderState.ACKNOWLEDGED:
        raise OrderConflict(STARTING, before["id"], f"is {state}: it has begun; legal while it is acknowledged")
    _, checked = parse(shape, after)
    kept = {name: checked[name] for name in changed if name in checked}
    return Amendment(document={**{k: v for k, v in before.items() if k not in changed}, **kept}, changed=changed)


def _problems(changed: frozenset[str], before: Mapping[str, Any], items: str) -> Iterator[Problem]:
    for name in sorted(changed & (FIXED | OWN | {items})):
        if name == items:
            legal = "as they are; to change what was ordered, cancel the order and send another"
        else:
            legal = f"{before[name]!r}, as it is" if name in before else "nothing"
        yield Problem(path=name, wrong="cannot be changed", legal=legal)
