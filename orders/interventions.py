"""What people may ask of an order that is under way; TM Forum has no API for it.

``waitingFor`` is an extension of the order's document that a plain client can ignore: for whom or what it waits, on
what account, since when, and what can be asked of it now.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from inventory.documents import Document
from inventory.ledger import Event, UnitOfWork
from inventory.store import DocumentStore, Row
from orders.documents import stamp
from orders.errors import InvalidOrder, OrderConflict, Problem
from orders.inbound import CharacteristicBody, SpecificationBody, Text, values_of
from orders.items import flat
from orders.problems import problems_of

Action = Literal["hold", "resume", "note", "retry", "repair", "skip", "compensate", "answer", "amend"]
ACTIONS: Final[tuple[str, ...]] = get_args(Action)
WAITING_FOR: Final = "waitingFor"
HOLD: Final = "hold"
"""Where an order's private data says who has put it on hold, when and why."""
_NEEDS_REASON: Final = frozenset({"hold", "note", "skip", "compensate"})
_NEEDS_VALUES: Final = frozenset({"repair", "amend"})


class InterventionBody(BaseModel):
    """What a request says; ``on_behalf_of`` is whoever asked the layer above."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)

    reason: str = ""
    item: Text | None = None
    characteristic: list[CharacteristicBody] = Field(default_factory=list)
    product_offering: SpecificationBody | None = None
    product_order_item: list[dict[str, Any]] = Field(default_factory=list)
    service_order_item: list[dict[str, Any]] = Field(default_factory=list)
    remove: list[Text] = Field(default_factory=list)
    port: Text | None = None
    device: Text | None = None
    on_behalf_of: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of an access device; ``device`` is empty where it is to be the one that is meant anyway."""

    name: str
    device: str = ""

    def __str__(self) -> str:
        """Return it as people say it."""
        return f"{self.device} {self.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """One thing that somebody asks of an order.

    Attributes:
        by: who asks.
        item: the item that it is about; empty: the order, or the only item that can be meant.
        values: characteristics that go with it.
        offering: what a product is to be sold by instead; None: what it was ordered by.
        product_items: items that come to a product order.
        service_items: items that come to a service order.
        remove: the items that go.
        port: where the item is to be put instead; None: where its place is.
    """

    action: Action
    by: str
    reason: str = ""
    item: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    offering: SpecificationBody | None = None
    product_items: tuple[Document, ...] = ()
    service_items: tuple[Document, ...] = ()
    remove: tuple[str, ...] = ()
    port: Port | None = None

    @property
    def is_about_items(self) -> bool:
        """Whether items come or go."""
        return bool(self.product_items or self.service_items or self.remove)

    def said(self) -> str:
        """Return what a note says of it."""
        where = f" item {self.item!r}" if self.item else ""
        comes = [f"add item {each.get('id')!r}" for each in (*self.product_items, *self.service_items)]
        where_to = [f"port {self.port}"] if self.port is not None else []
        what = ", ".join([*comes, *(f"remove item {key!r}" for key in self.remove), *where_to])
        said = (f"{self.action}{where}", what, self.reason)
        return ": ".join(each for each in said if each)

    def body(self) -> Document:
        """Return the request that asks the layer below for the same."""
        more: dict[str, object] = {
            "item": self.item,
            "serviceOrderItem": [*self.service_items],
            "remove": [*self.remove],
            "characteristic": [{"name": name, "value": value} for name, value in self.values.items()],
            "port": self.port.name if self.port is not None else "",
            "device": self.port.device if self.port is not None else "",
        }
        return {"reason": self.reason, "onBehalfOf": self.by, **{key: each for key, each in more.items() if each}}


def read_intervention(action: str, body: object, *, by: str) -> Intervention:
    """Return what ``body`` asks for in the name of ``by``.

    Raises:
        InvalidOrder: with every problem.
    """
    if action not in ACTIONS:
        raise InvalidOrder([Problem(path="action", wrong=f"{action!r} is not known", legal=", ".join(ACTIONS))])
    try:
        checked = InterventionBody.model_validate(body)
    except ValidationError as error:
        raise InvalidOrder(problems_of(error)) from None
    values, problems = values_of(checked.characteristic, "characteristic")
    if action in _NEEDS_REASON and not checked.reason.strip():
        problems = (*problems, Problem(path="reason", wrong="is missing", legal="what others are to know about it"))
    if checked.product_offering is not None and action != "amend":
        problems = (*problems, Problem(path="productOffering", wrong=f"is not for {action}", legal="amend"))
    problems = (*problems, *_problems_of_items(action, checked), *_problems_of_port(action, checked))
    if action in _NEEDS_VALUES and not values and not _is_otherwise(checked):
        legal = "what is to be otherwise" if action == "amend" else "what is to be otherwise, or a port"
        problems = (*problems, Problem(path="characteristic", wrong="is missing", legal=legal))
    if problems:
        raise InvalidOrder(problems)
    return Intervention(
        action=cast("Action", action),
        by=by if checked.on_behalf_of is None else f"{checked.on_behalf_of} (through {by})",
        reason=checked.reason.strip(),
        item=checked.item or "",
        values=values,
        offering=checked.product_offering,
        product_items=tuple(checked.product_order_item),
        service_items=tuple(checked.service_order_item),
        remove=tuple(dict.fromkeys(checked.remove)),
        port=Port(name=checked.port, device=checked.device or "") if checked.port is not None else None,
    )


def _is_otherwise(body: InterventionBody) -> bool:
    """Say whether something is to be otherwise than ordered, characteristics aside."""
    return body.product_offering is not None or body.port is not None or bool(_of_items(body))


def _problems_of_port(action: str, body: InterventionBody) -> Iterator[Problem]:
    if body.device is not None and body.port is None:
        yield Problem(path="port", wrong="is missing", legal="a port of the device")
    for name, value in (("port", body.port), ("device", body.device)):
        if value is not None and action != "repair":
            yield Problem(path=name, wrong=f"is not for {action}", legal="repair")


def _of_items(body: InterventionBody) -> dict[str, object]:
    """Return what is said of items that come or go, by the attribute that says it."""
    said: dict[str, object] = {
        "productOrderItem": body.product_order_item,
        "serviceOrderItem": body.service_order_item,
        "remove": body.remove,
    }
    return {name: items for name, items in said.items() if items}


def _problems_of_items(action: str, body: InterventionBody) -> Iterator[Problem]:
    for name in _of_items(body):
        if action != "amend":
            yield Problem(path=name, wrong=f"is not for {action}", legal="amend")
        elif body.characteristic or body.product_offering is not None or body.item is not None:
            legal = "items that come or go, or what one item is to be otherwise, each by a request of its own"
            yield Problem(path=name, wrong="cannot be asked with changes of an item", legal=legal)


def is_on_hold(order: Row) -> bool:
    """Say whether somebody has put the order on hold: nothing new is begun then."""
    return HOLD in order.task


def held_by(wish: Intervention, now: datetime) -> Document:
    """Return what an order on hold remembers of it."""
    return {"by": wish.by, "since": stamp(now), "reason": wish.reason}


def waits_for_resume(order: Row) -> list[Document]:
    """Return what an order on hold waits for; nothing for any other."""
    mark = order.task.get(HOLD)
    if mark is None:
        return []
    text = f"on hold by {mark['by']}: {mark['reason']}"
    return [{"for": "resume", "since": mark["since"], "text": text, "legal": ["resume", "cancel", "note"]}]


def to_remove(document: Document, attribute: str, keys: Sequence[str], working: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the items with work of their own that go when ``keys`` go, with all that those hold.

    Args:
        document: the order.
        attribute: where it and its items hold items.
        keys: the items that people name.
        working: of each item that changes something, whether it was removed before.

    Raises:
        InvalidOrder: the order has no such item, or it changes nothing; names those that it has.
    """
    items = {item["id"]: item for item in flat(document, attribute)}
    found: dict[str, None] = {}
    for number, key in enumerate(keys):
        held = flat(items[key], attribute) if key in items else ()
        going = [each for each in (key, *(item["id"] for item in held)) if each in working]
        if not going:
            wrong = f"{key!r} changes nothing" if key in items else f"there is no item {key!r}"
            legal = ", ".join(each for each, is_removed in working.items() if not is_removed)
            raise InvalidOrder([Problem(path=f"remove[{number}]", wrong=wrong, legal=legal)])
        found |= dict.fromkeys(going)
    return tuple(found)


def not_now(order: Row, wish: Intervention) -> OrderConflict:
    """Return the refusal of what cannot be asked of the order as it stands; names what can."""
    waiting = waits_for_resume(order) or order.document.get(WAITING_FOR, ())
    found = [name for entry in waiting for name in entry.get("legal", ())]
    legal = ", ".join(dict.fromkeys([*found, *_general(order)]))
    return OrderConflict(wish.action, order.id, f"is {order.state}; legal now: {legal}")


def chosen(order: Row, wish: Intervention, *, waiting: Collection[str]) -> str:
    """Return the item that ``wish`` is about: of those that wait for one of ``waiting``, the named one or the only one.

    Raises:
        InvalidOrder: several wait, and none is named.
        OrderConflict: none does, or not that one; names what can be asked.
    """
    found = [entry["item"] for entry in order.document.get(WAITING_FOR, ()) if entry["for"] in waiting]
    if is_on_hold(order) or not found or (wish.item and wish.item not in found):
        raise not_now(order, wish)
    if not wish.item and len(found) > 1:
        raise InvalidOrder([Problem(path="item", wrong="is missing: several wait", legal=", ".join(found))])
    return wish.item or str(found[0])


def tell_of_need(orders: DocumentStore, uow: UnitOfWork, order: Row) -> None:
    """Publish that the order needs something of somebody, as TM Forum has it."""
    event = Event(
        event_type=f"{orders.kind[0].upper()}{orders.kind[1:]}InformationRequiredEvent",
        domain=orders.domain,
        resource_kind=orders.kind,
        resource_id=order.id,
        correlation_id=order.correlation_id,
        document=order.document,
    )
    uow.publish(event)


def is_echo(order: Row, wish: Intervention) -> bool:
    """Say whether the last thing that this person asked of the order was the same: somebody clicked twice."""
    mine = [each.get("text") for each in order.document.get("note", ()) if each.get("author") == wish.by]
    return mine[-1:] == [wish.said()]


def _general(order: Row) -> tuple[str, ...]:
    return {
        "acknowledged": ("amend", "hold", "cancel", "note"),
        "inProgress": ("amend", "hold", "cancel", "note"),
        "held": ("amend", "cancel", "note"),
        "pending": ("amend", "hold", "cancel", "note"),
    }.get(order.state, ("note",))
