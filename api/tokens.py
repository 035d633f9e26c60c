"""Access tokens: made once, shown once, stored as a hash."""

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from api.errors import NotAuthorized
from api.runtime.tables import tokens
from inventory.ledger import UnitOfWork


def create(uow: UnitOfWork, *, name: str, role: str) -> str:
    """Store a new token under ``name`` and return it; it cannot be read back later."""
    token = f"lm_{secrets.token_urlsafe(32)}"
    _store(uow, name, role, token, uow.now)
    return token


def exists(connection: Connection) -> bool:
    """Say whether any token was ever made here."""
    return connection.execute(select(func.count()).select_from(tokens)).scalar_one() > 0


def names(connection: Connection) -> frozenset[str]:
    """Return the names that have a token."""
    return frozenset(connection.execute(select(tokens.c.name)).scalars())


def check(connection: Connection, authorization: str | None) -> str:
    """Return the name of the token in an ``Authorization`` header.

    Raises:
        NotAuthorized: no such header, another scheme, or an unknown token.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthorized("send the header 'Authorization: Bearer <token>'; the first start printed an admin token")
    name: str | None = connection.execute(select(tokens.c.name).where(tokens.c.sha256 == _hash(token))).scalar()
    if name is None:
        raise NotAuthorized("nobody was given this token; 'lastmile token create' makes a new one")
    return name


def _store(uow: UnitOfWork, name: str, role: str, token: str, now: datetime) -> None:
    values = {"name": name, "role": role, "sha256": _hash(token), "created_at": now}
    uow.connection.execute(insert(tokens).values(values))


def _hash(token: str) -> str:
    # A token of 256 random bits needs no slow, salted hash: there is nothing to guess.
    return hashlib.sha256(token.strip().encode()).hexdigest()
