"""The jobs behind an e-mail: notice that an order has ended, and hand the letter to the mail server."""

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from api.errors import MailRefused
from api.mail import store
from api.mail.address import recipient
from api.mail.letter import Envelope, Letters
from api.mail.post import Fate, Server, post
from api.mail.store import Mail, Standing
from api.runtime.database import Database
from api.runtime.worker import Worker
from api.settings import Settings
from inventory.ledger import Job, NewJob, Retry, Transactions, UnitOfWork
from inventory.store import DocumentStore

_log = logging.getLogger(__name__)

NOTICE: Final = "mail.notice"
SEND: Final = "mail.send"
FOLLOWED: Final = "ProductOrderStateChangeEvent"
AT_ONCE: Final = 4
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 3600.0
_GRACE_S: Final = 5.0


def enqueue(uow: UnitOfWork, mail_id: str) -> None:
    """Have an e-mail sent after the commit."""
    uow.enqueue(NewJob(kind=SEND, lane=f"mail:{mail_id}", payload={"mail": mail_id}, priority=-10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Stores an e-mail for each end of an order that is to be written about; one for each, for ever."""

    states: frozenset[str]

    def __call__(self, job: Job, uow: UnitOfWork, /) -> None:
        """Look at what became of an order."""
        order = job.event.document if job.event is not None else {}
        state = str(order.get("state", ""))
        if state not in self.states or not (address := recipient(order)):
            return
        mail_id = store.add(uow, order_id=str(order["id"]), order_state=state, recipient=address)
        if mail_id is not None:
            enqueue(uow, mail_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Hands one letter to the mail server (see :class:`inventory.ledger.DeviceHandler`).

    A letter is sent again only where the server did not take it, or its answer was lost, or this process died before it
    had written the answer down; then under the same Message-ID.
    """

    server: Server
    sender: str
    letters: Letters
    orders: DocumentStore
    attempts: int

    def __call__(self, job: Job, transactions: Transactions, /) -> Retry | None:
        """Send it, unless it was sent or given up."""
        with transactions.read() as connection:
            mail = store.get(connection, str(job.payload["mail"]))
            row = self.orders.find(connection, mail.order_id)
        if mail.standing is not Standing.WAITING:
            return None
        if row is None or row.state != mail.order_state:
            return self._failed(transactions, mail, "the order was deleted before it was sent", is_final=True)
        envelope = Envelope(
            sender=self.sender,
            recipient=mail.recipient,
            message_id=f"<{mail.mail_id}@{self.sender.rpartition('@')[2]}>",
            sent_at=datetime.now(UTC),
        )
        try:
            message = self.letters.write(row.document, envelope)
        except MailRefused as error:
            return self._failed(transactions, mail, str(error), is_final=True)
        fate, reason = post(self.server, message, sender=self.sender, recipient=mail.recipient)
        if fate is not Fate.TAKEN:
            return self._failed(transactions, mail, reason, is_final=fate is Fate.REFUSED)
        with transactions.begin() as uow:
            store.save(uow, mail, standing=Standing.SENT, reason="")
        return None

    def _failed(self, transactions: Transactions, mail: Mail, reason: str, *, is_final: bool) -> Retry | None:
        failures = mail.failures + 1
        is_dead = is_final or failures >= self.attempts
        with transactions.begin() as uow:
            standing = Standing.DEAD if is_dead else Standing.WAITING
            store.save(uow, mail, failures=failures, reason=reason, standing=standing)
        if is_dead:
            _log.error("the e-mail about order %s is given up: %s", mail.order_id, reason)
            return None
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(failures - 1, 20), LONGEST_PAUSE_S)
        return Retry(delay_s=pause_s * (0.5 + 0.5 * random.random()), reason=reason)  # noqa: S311 - spreads the retries


def notices(settings: Settings) -> Notice | None:
    """Return what notices the ends of orders; None where no e-mails are sent."""
    return Notice(states=frozenset(settings.mail_states)) if settings.mail_host else None


def sending(settings: Settings, orders: DocumentStore) -> Sending:
    """Return what sends e-mails as the settings say."""
    password = settings.mail_password.get_secret_value() if settings.mail_password is not None else ""
    server = Server(
        host=settings.mail_host,
        port=settings.mail_port,
        tls=settings.mail_tls,
        username=settings.mail_username,
        password=password,
    )
    return Sending(
        server=server,
        sender=settings.mail_sender,
        letters=Letters(folder=settings.mail_templates),
        orders=orders,
        attempts=settings.mail_attempts,
    )


@contextmanager
def mailing(settings: Settings, database: Database, orders: DocumentStore) -> Iterator[None]:
    """Send e-mails while the block runs, by a worker of their own: no order waits for a mail server."""
    if not settings.mail_host:
        yield
        return
    work = sending(settings, orders)
    worker = Worker(database=database, handlers={}, device_handlers={SEND: work}, concurrency=AT_ONCE)
    worker.start()
    try:
        yield
    finally:
        worker.stop(grace_s=work.server.timeout_s + _GRACE_S)
