"""From a published event to the deliveries of its subscribers, inside the transaction that publishes it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api.hub.query import Published, Wish, read_query
from api.hub.store import Subscription, delivery, read_subscriptions, subscription_ids
from api.hub.topics import TOPICS
from inventory.ledger import NewJob


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    subscription_id: str
    domain: str
    wish: Wish

    def wants(self, published: Published) -> bool:
        return self.domain in {"", published["domain"]} and self.wish.covers(published)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listeners:
    ids: frozenset[str] = frozenset()
    by_event_type: Mapping[str, Sequence[_Listener]] = field(default_factory=dict)


@dataclass(slots=True)
class FanOut:
    """Knows the subscriptions of all processes: subscriptions never change, so their ids tell whether any came or went.

    Costs one SELECT of ids for each transaction that publishes something, and nothing more where nobody subscribed.
    """

    _known: _Listeners = field(default_factory=_Listeners)

    def __call__(self, connection: Connection, published: Sequence[Published]) -> list[NewJob]:
        """Return the deliveries of events, given in the order they happened."""
        ids = subscription_ids(connection)
        known = self._known
        if ids != known.ids:
            known = self._known = _compiled(read_subscriptions(connection))
        if not known.ids:
            return []
        return [job for each in published for job in _deliveries(known, each)]


def _deliveries(known: _Listeners, published: Published) -> Iterator[NewJob]:
    for listener in known.by_event_type.get(published["event_type"], ()):
        if listener.wants(published):
            yield delivery(listener.subscription_id, published["event_id"], published["resource_id"])


def _compiled(subscriptions: Sequence[Subscription]) -> _Listeners:
    by_event_type: dict[str, list[_Listener]] = defaultdict(list)
    for subscription in subscriptions:
        topic = TOPICS[subscription.base]
        wish = read_query(subscription.query, topic)
        listener = _Listener(subscription_id=subscription.subscription_id, domain=topic.domain, wish=wish)
        for event_type in wish.event_types:
            by_event_type[event_type].append(listener)
    ids = frozenset(subscription.subscription_id for subscription in subscriptions)
    return _Listeners(ids=ids, by_event_type=by_event_type)
