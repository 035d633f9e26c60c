"""E-mails as stored: what became of each; the text is made when it is sent, and not kept."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from api.mail.tables import mails
from inventory.documents import Document
from inventory.errors import UnknownResource
from inventory.ledger import UnitOfWork
from inventory.query import Query
from inventory.row_pages import RowPages


class Standing(StrEnum):
    """What became of an e-mail."""

    WAITING = "waiting"
    SENT = "sent"
    """The mail server has taken it."""
    DEAD = "dead"
    """Given up: it was refused, or too many attempts failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One e-mail: about the end of one order.

    Attributes:
        failures: failed attempts so far, counted anew after a replay.
        reason: of the last one.
    """

    mail_id: str
    order_id: str
    order_state: str
    recipient: str
    standing: Standing = Standing.WAITING
    failures: int = 0
    reason: str = ""


def add(uow: UnitOfWork, *, order_id: str, order_state: str, recipient: str) -> str | None:
    """Store a new e-mail and return its id; None where there is one about this end of the order."""
    here = mails.c
    same = select(here.mail_id).where(here.order_id == order_id, here.order_state == order_state)
    if uow.connection.execute(same).first() is not None:
        return None
    mail = Mail(mail_id=str(uuid.uuid4()), order_id=order_id, order_state=order_state, recipient=recipient)
    uow.connection.execute(insert(mails).values({**_values(mail), "changed_at": uow.now}))
    return mail.mail_id


def save(uow: UnitOfWork, mail: Mail, **changes: Any) -> Mail:  # noqa: ANN401 - as dataclasses.replace
    """Store what changed, and return it."""
    after = replace(mail, **changes)
    values = {**_values(after), "changed_at": uow.now}
    uow.connection.execute(update(mails).where(mails.c.mail_id == mail.mail_id).values(values))
    return after


def get(connection: Connection, mail_id: str) -> Mail:
    """Return the e-mail with this id.

    Raises:
        UnknownResource: there is none.
    """
    row = connection.execute(select(mails).where(mails.c.mail_id == mail_id)).mappings().first()
    if row is None:
        raise UnknownResource("mail", mail_id)
    return _mail(row)


def page(connection: Connection, query: Query, tell: Callable[[Mail], Document]) -> tuple[Sequence[Mail], int]:
    """Return one page of e-mails, oldest first, and how many there are; ``tell`` makes the document that goes out."""
    here = mails.c
    pages = RowPages(
        rows=select(mails),
        key=here.mail_id,
        order=(here.changed_at, here.mail_id),
        columns={"id": here.mail_id, "state": here.standing, "productOrder": here.order_id},
        read=lambda _, rows: list(map(_mail, rows)),
        tell=tell,
    )
    return pages.page(connection, query)


def _values(mail: Mail) -> dict[str, Any]:
    names = ("mail_id", "order_id", "order_state", "recipient", "failures", "reason")
    return {**{name: getattr(mail, name) for name in names}, "standing": str(mail.standing)}


def _mail(row: RowMapping) -> Mail:
    names = ("mail_id", "order_id", "order_state", "recipient", "failures", "reason")
    return Mail(standing=Standing(row["standing"]), **{name: row[name] for name in names})
