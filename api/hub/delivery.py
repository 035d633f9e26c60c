"""Delivering one event to one subscriber: post it, try again later, or give it up and keep it."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from api.hub import store
from api.hub.post import Post
from api.hub.store import Letter, Subscription
from api.hub.topics import TOPICS
from api.hub.traffic import Traffic
from inventory.ledger import Job, Retry, Transactions

LISTENER: Final = "listener"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an event is tried: twenty attempts take more than an hour.

    Attributes:
        attempts: failed attempts after which an event is given up.
        first_pause_s: after the first failure; it doubles with each further one.
    """

    attempts: int = 20
    first_pause_s: float = 0.5
    longest_pause_s: float = 600.0

    def pause_s(self, failures: int, chance: float) -> float:
        """Return the pause after this many failures; ``chance``, 0 to 1, spreads those who failed together."""
        full_s = min(self.first_pause_s * 2.0 ** min(failures - 1, 30), self.longest_pause_s)
        return full_s * (0.5 + 0.5 * chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    subscription: Subscription
    resource_id: str
    event: dict[str, Any]
    letter: Letter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The job that delivers (see :class:`inventory.ledger.DeviceHandler`): no transaction is open while it posts."""

    post: Post
    traffic: Traffic
    patience: Patience = Patience()
    clock_s: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Deliver the job's event, unless its subscriber left meanwhile."""
        parcel = _load(job, transactions)
        if parcel is None:
            return None
        wait = self.traffic.enter(parcel.subscription.subscription_id, self.clock_s())
        if wait is None:
            return self._send(parcel, transactions)
        if wait.unreachable:
            return self._failed(parcel, transactions, f"not tried: {wait.unreachable}", at_least_s=wait.delay_s)
        return Retry(delay_s=wait.delay_s, reason="the subscriber is busy with earlier events")

    def _send(self, parcel: _Parcel, transactions: Transactions) -> Retry | None:
        subscription = parcel.subscription
        event = TOPICS[subscription.base].spell(parcel.event)
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        begun_s = self.clock_s()
        unreachable, pause_s = "the delivery broke off", 0.0
        try:
            answer = self.post(listener_url(subscription.callback, event["eventType"]), body)
            unreachable, pause_s = ("" if answer.reached else answer.reason), answer.pause_s
        finally:
            now_s = self.clock_s()
            self.traffic.leave(
                subscription.subscription_id, now_s, took_s=now_s - begun_s, unreachable=unreachable, pause_s=pause_s
            )
        if not answer.accepted:
            return self._failed(parcel, transactions, answer.reason, at_least_s=pause_s)
        if parcel.letter is not None:
            with transactions.begin() as uow:
                store.drop_letter(uow, parcel.letter.letter_id)
        return None

    def _failed(
        self, parcel: _Parcel, transactions: Transactions, reason: str, *, at_least_s: float = 0.0
    ) -> Retry | None:
        """Keep what went wrong; return when to try again, or None where the event was given up."""
        subscription_id, event_id = parcel.subscription.subscription_id, str(parcel.event["eventId"])
        with transactions.begin() as uow:
            if store.find_subscription(uow.connection, subscription_id) is None:
                return None
            failures = (parcel.letter.failures if parcel.letter else 0) + 1
            # The lane's events must not each take as long to be given up as the first of them.
            hopeless = store.waited_behind_a_dead_one(uow.connection, subscription_id, parcel.resource_id, event_id)
            dead = hopeless or failures >= self.patience.attempts
            letter = Letter(
                letter_id=parcel.letter.letter_id if parcel.letter else store.new_letter_id(),
                subscription_id=subscription_id,
                event_id=event_id,
                resource_id=parcel.resource_id,
                failures=failures,
                reason=reason,
                failed_at=uow.now,
                dead_at=uow.now if dead else None,
            )
            store.keep_letter(uow, letter)
        if dead:
            return None
        pause_s = self.patience.pause_s(failures, self.chance())
        return Retry(delay_s=max(pause_s, at_least_s), reason=reason)


def listener_url(callback: str, event_type: str) -> str:
    """Return where events of a type go: ``{callback}/listener/serviceOrderStateChangeEvent``."""
    return f"{callback.rstrip('/')}/{LISTENER}/{event_type[0].lower()}{event_type[1:]}"


def _load(job: Job, transactions: Transactions) -> _Parcel | None:
    subscription_id, event_id = str(job.payload["subscription"]), str(job.payload["event"])
    with transactions.read() as connection:
        subscription = store.find_subscription(connection, subscription_id)
        found = store.stored_event(connection, event_id)
        letter = store.find_letter(connection, subscription_id, event_id)
    if subscription is None or found is None or (letter is not None and letter.dead_at is not None):
        return None
    resource_id, event = found
    return _Parcel(subscription=subscription, resource_id=resource_id, event=event, letter=letter)
