"""The keys with which clients repeat requests: each stands for one request and what came of it, for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from api.runtime.tables import request_keys
from inventory.bulk import Bulk
from inventory.ledger import UnitOfWork

KEPT_FOR: Final = timedelta(days=30)
_CLAIM: Final = {
    "sqlite": Bulk(sqlite.insert(request_keys).on_conflict_do_nothing()),
    "postgresql": Bulk(postgresql.insert(request_keys).on_conflict_do_nothing()),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A request with a key.

    Attributes:
        key: the client's key, in its own words with whose and for what it is: keys of others are other keys.
        digest: of what was sent.
        result: where to see what came of it; empty while it is being done.
    """

    key: str
    digest: str
    result: str = ""


def claim(uow: UnitOfWork, asked: Keyed) -> Keyed | None:
    """Take the key for this request; return the request that has it already, if there is one.

    On PostgreSQL, waits while another transaction holds the same key, until that one has ended.
    """
    values = {"key": asked.key, "digest": asked.digest, "result": "", "at": uow.now}
    if _CLAIM[uow.connection.dialect.name].execute(uow.connection, [values]):
        return None
    return find(uow, asked.key)


def find(uow: UnitOfWork, key: str) -> Keyed | None:
    """Return the request that has the key, if there is one."""
    here = request_keys.c
    found = uow.connection.execute(select(here.key, here.digest, here.result).where(here.key == key)).one_or_none()
    return Keyed(key=found.key, digest=found.digest, result=found.result) if found is not None else None


def settle(uow: UnitOfWork, asked: Keyed, result: str) -> None:
    """Note what came of the request that took the key in this transaction."""
    uow.connection.execute(update(request_keys).where(request_keys.c.key == asked.key).values(result=result))


def forget_old(connection: Connection, now: datetime) -> int:
    """Forget keys that nobody will repeat any more; return how many."""
    return connection.execute(delete(request_keys).where(request_keys.c.at < now - KEPT_FOR)).rowcount


def alone_with(uow: UnitOfWork, name: str) -> None:
    """Let other transactions that ask for the same name wait until this one ends; SQLite has one writer anyway."""
    if uow.reader.dialect.name == "postgresql":
        uow.reader.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
