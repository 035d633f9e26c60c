"""Subscriptions and letters (deliveries that failed at least once) as stored."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from api.errors import AlreadySubscribed
from api.hub.tables import letters, subscriptions
from api.runtime.history import tmf_event
from api.runtime.tables import events
from inventory.errors import UnknownResource
from inventory.ledger import NewJob, UnitOfWork
from inventory.query import Query, equals
from inventory.row_pages import RowPages

DELIVER: Final = "hub.deliver"
_PRIORITY: Final = -10  # orders come first


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who gets which events; never changes, only comes and goes."""

    subscription_id: str
    base: str
    callback: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An event a subscriber did not take.

    Attributes:
        failures: attempts so far, counted anew after a replay.
        reason: of the last attempt.
        dead_at: when it was given up; None while it is still tried.
    """

    letter_id: str
    subscription_id: str
    event_id: str
    resource_id: str
    failures: int
    reason: str
    failed_at: datetime
    dead_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What a delivery needs: to whom, what, and the letter of earlier attempts if any failed."""

    subscription: Subscription
    resource_id: str
    event: dict[str, Any]
    letter: Letter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A letter that was given up, with what an engineer wants to know about it."""

    letter: Letter
    callback: str
    event_type: str


def delivery(subscription_id: str, event_id: str, resource_id: str) -> NewJob:
    """Return the job that delivers one event; one lane for each subscriber and resource keeps their order."""
    return NewJob(
        kind=DELIVER,
        lane=f"hub/{subscription_id}/{resource_id}",
        payload={"subscription": subscription_id, "event": event_id},
        priority=_PRIORITY,
    )


def subscribe(uow: UnitOfWork, subscription: Subscription) -> None:
    """Store a subscription; events published from now on are delivered.

    Raises:
        AlreadySubscribed: another one has the same callback and query at the same hub.
    """
    here = subscriptions.c
    same = (here.base == subscription.base, here.callback == subscription.callback, here.query == subscription.query)
    found = uow.connection.execute(select(here.subscription_id).where(*same)).scalar()
    if found is not None:
        raise AlreadySubscribed(f"subscription {found!r} has this callback and query already")
    values = {name: getattr(subscription, name) for name in _FIELDS} | {"created_at": uow.now}
    try:
        uow.connection.execute(insert(subscriptions).values(values))
    except IntegrityError as error:
        # Two processes at once: the other one was first.
        raise AlreadySubscribed("a subscription with this callback and query was made just now") from error


def unsubscribe(uow: UnitOfWork, base: str, subscription_id: str) -> None:
    """Remove a subscription and its letters; deliveries under way find nobody to go to.

    Raises:
        UnknownResource: this hub has no such subscription.
    """
    here = subscriptions.c
    gone = uow.connection.execute(
        delete(subscriptions).where(here.base == base, here.subscription_id == subscription_id)
    )
    if gone.rowcount != 1:
        raise UnknownResource("hub", subscription_id)
    uow.connection.execute(delete(letters).where(letters.c.subscription_id == subscription_id))


def subscription_ids(connection: Connection) -> frozenset[str]:
    """Return the ids of all subscriptions."""
    return frozenset(connection.execute(_IDS).scalars())


def read_subscriptions(connection: Connection, base: str = "") -> list[Subscription]:
    """Return the subscriptions of one hub or of all, oldest first."""
    here = subscriptions.c
    wanted = select(*(here[name] for name in _FIELDS)).order_by(here.created_at, here.subscription_id)
    if base:
        wanted = wanted.where(here.base == base)
    return [Subscription(**row) for row in connection.execute(wanted).mappings()]


def find_subscription(connection: Connection, subscription_id: str) -> Subscription | None:
    """Return the subscription with this id, or None."""
    here = subscriptions.c
    wanted = select(*(here[name] for name in _FIELDS)).where(here.subscription_id == subscription_id)
    row = connection.execute(wanted).mappings().first()
    return Subscription(**row) if row is not None else None


def parcel(connection: Connection, subscription_id: str, event_id: str) -> Parcel | None:
    """Return what a delivery needs, or None where the subscription or the event is gone."""
    given = {"subscription": subscription_id, "event": event_id}
    row = connection.execute(_PARCEL, given).mappings().first()
    if row is None:
        return None
    letter = {name: row[f"letter_{name}"] for name in Letter.__slots__}
    return Parcel(
        subscription=Subscription(**{name: row[f"hub_{name}"] for name in _FIELDS}),
        resource_id=row["resource_id"],
        event=tmf_event(row),
        letter=Letter(**letter) if letter["letter_id"] is not None else None,
    )


def waited_behind_a_dead_one(connection: Connection, subscription_id: str, resource_id: str, event_id: str) -> bool:
    """Say whether an earlier event of the same lane was given up while this one was waiting for it."""
    here = letters.c
    published_at = select(events.c.occurred_at).where(events.c.event_id == event_id).scalar_subquery()
    lane = (here.subscription_id == subscription_id, here.resource_id == resource_id, here.event_id != event_id)
    found: bool = connection.execute(select(exists().where(*lane, here.dead_at >= published_at))).scalar_one()
    return found


def keep_letter(uow: UnitOfWork, letter: Letter) -> None:
    """Store a letter, or what became of it."""
    values = {name: getattr(letter, name) for name in Letter.__slots__}
    here = letters.c
    same = (here.subscription_id == letter.subscription_id, here.event_id == letter.event_id)
    if uow.connection.execute(update(letters).where(*same).values(values)).rowcount == 0:
        uow.connection.execute(insert(letters).values(values))


def drop_letter(uow: UnitOfWork, letter_id: str) -> None:
    """Forget a letter: its event was delivered."""
    uow.connection.execute(delete(letters).where(letters.c.letter_id == letter_id))


def new_letter_id() -> str:
    """Return an id nobody has."""
    return str(uuid.uuid4())


def dead_letters(connection: Connection, query: Query) -> tuple[list[DeadLetter], int]:
    """Return one page of the letters that were given up, oldest first, and the exact total."""
    here = letters.c
    pages = RowPages(
        rows=select(letters, subscriptions.c.callback, events.c.event_type)
        .join(subscriptions, subscriptions.c.subscription_id == here.subscription_id)
        .join(events, events.c.event_id == here.event_id)
        .where(here.dead_at.is_not(None)),
        key=here.letter_id,
        order=(here.dead_at, events.c.sequence),
        columns={
            "id": here.letter_id,
            "hub": here.subscription_id,
            "callback": subscriptions.c.callback,
            "eventId": here.event_id,
            "eventType": events.c.event_type,
            "resourceId": here.resource_id,
        },
        read=lambda _, rows: list(map(_dead_letter, rows)),
        tell=letter_document,
    )
    return pages.page(connection, query)


def letter_document(dead: DeadLetter) -> dict[str, Any]:
    """Return a letter that was given up as it goes out."""
    letter = dead.letter
    return {
        "id": letter.letter_id,
        "hub": letter.subscription_id,
        "callback": dead.callback,
        "eventId": letter.event_id,
        "eventType": dead.event_type,
        "resourceId": letter.resource_id,
        "attempts": letter.failures,
        "reason": letter.reason,
        "deadSince": _time(letter.dead_at or letter.failed_at),
    }


def _time(at: datetime) -> str:
    return at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def replay(uow: UnitOfWork, letter_id: str) -> DeadLetter:
    """Try a dead letter anew, behind whatever waits in its lane; return it as it was.

    Raises:
        UnknownResource: no letter with this id was given up.
    """
    found, _ = dead_letters(uow.connection, Query(limit=1, conditions=equals(id=letter_id)))
    revived = update(letters).where(letters.c.letter_id == letter_id, letters.c.dead_at.is_not(None))
    if not found or uow.connection.execute(revived.values(dead_at=None, failures=0)).rowcount != 1:
        raise UnknownResource("deadLetter", letter_id)
    letter = found[0].letter
    uow.enqueue(delivery(letter.subscription_id, letter.event_id, letter.resource_id))
    return found[0]


_FIELDS: Final = Subscription.__slots__
_IDS: Final = select(subscriptions.c.subscription_id)
_PARCEL: Final = (
    select(
        events,
        *(subscriptions.c[name].label(f"hub_{name}") for name in _FIELDS),
        *(letters.c[name].label(f"letter_{name}") for name in Letter.__slots__),
    )
    .select_from(
        subscriptions.join(events, events.c.event_id == bindparam("event")).outerjoin(
            letters,
            (letters.c.subscription_id == subscriptions.c.subscription_id) & (letters.c.event_id == events.c.event_id),
        )
    )
    .where(subscriptions.c.subscription_id == bindparam("subscription"))
)


def _dead_letter(row: RowMapping) -> DeadLetter:
    letter = Letter(**{name: row[letters.c[name]] for name in Letter.__slots__})
    return DeadLetter(letter=letter, callback=row["callback"], event_type=row["event_type"])
