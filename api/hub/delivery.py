"""Delivering one event to one subscriber: post it, try again later, or give it up and keep it."""

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from api.hub import store
from api.hub.post import Answer, Post
from api.hub.store import Letter, Parcel
from api.hub.topics import TOPICS
from api.hub.traffic import Traffic
from inventory.ledger import Job, Retry, Transactions, UnitOfWork

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

    @property
    def lasts_s(self) -> float:
        """How long all the pauses together may take; a subscriber unreachable for so long is not worth more."""
        return sum(self.pause_s(failures, 1.0) for failures in range(1, self.attempts))


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
        subscription_id = str(job.payload["subscription"])
        wait = self.traffic.enter(subscription_id, self.clock_s())
        if wait is None:
            return self._deliver(job, transactions)
        if not wait.unreachable:
            return Retry(delay_s=wait.delay_s, reason="the subscriber is busy with earlier events")
        reason = f"not tried: {wait.unreachable}"
        # Thousands may wait for a subscriber that is gone: until the end of the patience they cost next to nothing.
        if wait.lasting_s < self.patience.lasts_s:
            return Retry(delay_s=wait.delay_s, reason=reason)
        parcel = _load(job, transactions)
        return self._failed(parcel, transactions, reason, hopeless=True) if parcel is not None else None

    def _deliver(self, job: Job, transactions: Transactions) -> Retry | None:
        subscription_id = str(job.payload["subscription"])
        parcel, answer, begun_s = None, None, self.clock_s()
        try:
            parcel = _load(job, transactions)
            if parcel is not None:
                begun_s = self.clock_s()
                answer = self._send(parcel)
        finally:
            if answer is None:
                self.traffic.withdraw(subscription_id)
        if parcel is None or answer is None:
            return None
        now_s = self.clock_s()
        unreachable = "" if answer.reached else answer.reason
        self.traffic.leave(
            subscription_id, now_s, took_s=now_s - begun_s, unreachable=unreachable, pause_s=answer.pause_s
        )
        if not answer.accepted:
            return self._failed(parcel, transactions, answer.reason, at_least_s=answer.pause_s)
        if parcel.letter is not None:
            with transactions.begin() as uow:
                store.drop_letter(uow, parcel.letter.letter_id)
        return None

    def _send(self, parcel: Parcel) -> Answer:
        event = TOPICS[parcel.subscription.base].spell(parcel.event)
        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        return self.post(listener_url(parcel.subscription.callback, event["eventType"]), body)

    def _failed(
        self,
        parcel: Parcel,
        transactions: Transactions,
        reason: str,
        *,
        at_least_s: float = 0.0,
        hopeless: bool = False,
    ) -> Retry | None:
        """Keep what went wrong; return when to try again, or None where the event was given up."""
        with transactions.begin() as uow:
            letter = self._letter(uow, parcel, reason, hopeless=hopeless)
            if store.find_subscription(uow.connection, letter.subscription_id) is None:
                return None
            store.keep_letter(uow, letter)
        if letter.dead_at is not None:
            return None
        return Retry(delay_s=max(self.patience.pause_s(letter.failures, self.chance()), at_least_s), reason=reason)

    def _letter(self, uow: UnitOfWork, parcel: Parcel, reason: str, *, hopeless: bool) -> Letter:
        subscription_id, event_id = parcel.subscription.subscription_id, str(parcel.event["eventId"])
        failures = (parcel.letter.failures if parcel.letter else 0) + (0 if hopeless else 1)
        # The events behind one that was given up must not each take as long as it did.
        dead = (
            hopeless
            or failures >= self.patience.attempts
            or store.waited_behind_a_dead_one(uow.connection, subscription_id, parcel.resource_id, event_id)
        )
        return Letter(
            letter_id=parcel.letter.letter_id if parcel.letter else store.new_letter_id(),
            subscription_id=subscription_id,
            event_id=event_id,
            resource_id=parcel.resource_id,
            failures=failures,
            reason=reason,
            failed_at=uow.now,
            dead_at=uow.now if dead else None,
        )


def listener_url(callback: str, event_type: str) -> str:
    """Return where events of a type go: ``{callback}/listener/serviceOrderStateChangeEvent``."""
    return f"{callback.rstrip('/')}/{LISTENER}/{event_type[0].lower()}{event_type[1:]}"


def _load(job: Job, transactions: Transactions) -> Parcel | None:
    with transactions.read() as connection:
        parcel = store.parcel(connection, str(job.payload["subscription"]), str(job.payload["event"]))
    return None if parcel is None or (parcel.letter is not None and parcel.letter.dead_at is not None) else parcel
