"""Access tokens: made once, shown once, stored as a hash."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from api.errors import NotAuthorized, StartRefused
from api.roles import ANONYMOUS, Actor, Role
from api.runtime.tables import tokens
from inventory.ledger import UnitOfWork

NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownToken:
    """What is kept of a token beside its hash."""

    name: str
    role: Role
    created_at: datetime


def create(uow: UnitOfWork, *, name: str, role: str) -> str:
    """Store a new token under ``name`` and return it; it cannot be read back later.

    Raises:
        StartRefused: the name is taken or no legal one; an approval is signed with it.
    """
    if not re.fullmatch(NAME, name) or name == ANONYMOUS.name:
        raise StartRefused(f"{name!r} names nobody; legal: {NAME}, but not {ANONYMOUS.name!r}")
    if any(each.name == name for each in known(uow.connection)):
        raise StartRefused(f"a token named {name!r} exists already; choose another name, or revoke that one first")
    token = f"lm_{secrets.token_urlsafe(32)}"
    values = {"name": name, "role": Role(role).value, "sha256": _hash(token), "created_at": uow.now}
    uow.connection.execute(insert(tokens).values(values))
    return token


def revoke(uow: UnitOfWork, name: str) -> None:
    """Make the token named ``name`` worthless from now on.

    Raises:
        StartRefused: nobody has one; lists the names.
    """
    if uow.connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount == 0:
        names = ", ".join(each.name for each in known(uow.connection)) or "none"
        raise StartRefused(f"no token is named {name!r}; known: {names}")


def exists(connection: Connection) -> bool:
    """Say whether there is any token."""
    return connection.execute(select(func.count()).select_from(tokens)).scalar_one() > 0


def known(connection: Connection) -> Sequence[KnownToken]:
    """Return every token without its secret, by name."""
    found = connection.execute(select(tokens.c.name, tokens.c.role, tokens.c.created_at).order_by(tokens.c.name))
    return [KnownToken(name=row.name, role=Role(row.role), created_at=row.created_at) for row in found]


def check(connection: Connection, authorization: str | None) -> Actor:
    """Return who the token in an ``Authorization`` header belongs to.

    Raises:
        NotAuthorized: no such header, another scheme, or an unknown token.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthorized("send the header 'Authorization: Bearer <token>'; the first start printed an admin token")
    found = connection.execute(_BY_HASH, {"sha256": _hash(token)}).one_or_none()
    if found is None:
        raise NotAuthorized("nobody was given this token; 'lastmile token create' makes a new one")
    return Actor(name=found.name, role=Role(found.role))


_BY_HASH: Final = select(tokens.c.name, tokens.c.role).where(tokens.c.sha256 == bindparam("sha256"))


def _hash(token: str) -> str:
    # A token of 256 random bits needs no slow, salted hash: there is nothing to guess.
    return hashlib.sha256(token.strip().encode()).hexdigest()
