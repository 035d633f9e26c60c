"""What the faces ask of the hub: subscribe, leave, look at what was given up, try it again."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.errors import BadRequest
from api.hub import store
from api.hub.address import AddressGuard
from api.hub.query import read_query
from api.hub.store import DeadLetter, Subscription
from api.hub.topics import TOPICS
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import Transactions, UnitOfWork
from inventory.query import Query

Repeated = Callable[[UnitOfWork, object, Callable[[], str]], str]
"""Returns the id of what its last argument makes, or made when the same request came first."""


def each_time(_: UnitOfWork, __: object, work: Callable[[], str]) -> str:
    """Return what ``work`` makes now."""
    return work()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """The subscriptions of all hubs."""

    transactions: Transactions
    guard: AddressGuard

    def subscribe(self, base: str, body: Document, *, once: Repeated = each_time) -> Subscription:
        """Store the subscription that ``body`` asks for; events published from now on are delivered.

        Raises:
            BadRequest: no callback, or a query that this hub cannot answer.
            CallbackRefused: the callback is no plain URL or leads where it may not.
            AlreadySubscribed: the same subscription stands already.
        """
        subscription = Subscription(
            subscription_id=str(uuid.uuid4()),
            base=base,
            callback=_text(body, "callback"),
            query=_text(body, "query"),
        )
        if not subscription.callback:
            raise BadRequest("callback: missing; legal: an http or https URL")
        read_query(subscription.query, TOPICS[base])
        self.guard.check_callback(subscription.callback)

        def work() -> str:
            store.subscribe(uow, subscription)
            return subscription.subscription_id

        with self.transactions.begin() as uow:
            key = once(uow, body, work)
            found = store.find_subscription(uow.connection, key)
        if found is None:
            raise UnknownResource("subscription", key)
        return found

    def unsubscribe(self, base: str, subscription_id: str) -> None:
        """Remove a subscription.

        Raises:
            UnknownResource: this hub has no such subscription.
        """
        with self.transactions.begin() as uow:
            store.unsubscribe(uow, base, subscription_id)

    def subscriptions(self, base: str) -> list[Subscription]:
        """Return the subscriptions of one hub, oldest first."""
        with self.transactions.read() as connection:
            return store.read_subscriptions(connection, base)

    def subscription(self, base: str, subscription_id: str) -> Subscription:
        """Return one subscription.

        Raises:
            UnknownResource: this hub has no such subscription.
        """
        with self.transactions.read() as connection:
            found = store.find_subscription(connection, subscription_id)
        if found is None or found.base != base:
            raise UnknownResource("hub", subscription_id)
        return found

    def dead_letters(self, query: Query) -> tuple[list[DeadLetter], int]:
        """Return one page of the events that were given up, oldest first, and the exact total."""
        with self.transactions.read() as connection:
            return store.dead_letters(connection, query)

    def replay(self, letter_id: str) -> DeadLetter:
        """Try an event that was given up once more; return the letter as it was.

        Raises:
            UnknownResource: no letter with this id was given up.
        """
        with self.transactions.begin() as uow:
            return store.replay(uow, letter_id)


def _text(body: Document, name: str) -> str:
    value: Any = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{name}: must be a string")
    return value
