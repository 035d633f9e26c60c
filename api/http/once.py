"""``Idempotency-Key``: the same request again is not done again, whatever it makes and whoever was first."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import orjson
from fastapi import Depends, Request

from api.errors import BadRequest, KeyReused
from api.http.requests import Acting
from api.runtime.request_keys import Keyed, alone_with, claim, find, settle
from inventory.documents import json_text
from inventory.ledger import UnitOfWork

LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """One request that is to be done once.

    Attributes:
        key: the client's key with who sends it and what it asks for; empty: it has none, and is done each time.
    """

    key: str
    path: str

    def __call__(self, uow: UnitOfWork, body: object, work: Callable[[], str]) -> str:
        """Return what ``work`` gives, or gave when the same request came first: where to see what came of it.

        Both are one transaction: a request that fails leaves its key free.

        Raises:
            KeyReused: the key came with another body before.
        """
        if not self.key:
            self._wait_for_namesakes(uow, body)
            return work()
        asked = Keyed(key=self.key, digest=digest_of(body))
        known = claim(uow, asked)
        if known is not None:
            if known.digest != asked.digest:
                raise KeyReused(f"this Idempotency-Key came with another body before: see {known.result}")
            return known.result
        self._wait_for_namesakes(uow, body)
        result = work()
        settle(uow, asked, result)
        return result

    def known(self, uow: UnitOfWork, body: object) -> str:
        """Return what the same request gave when it came first; empty where it is new, or has no key.

        Raises:
            KeyReused: the key came with another body before.
        """
        found = find(uow, self.key) if self.key else None
        if found is not None and found.digest != digest_of(body):
            raise KeyReused(f"this Idempotency-Key came with another body before: see {found.result}")
        return found.result if found is not None else ""

    def _wait_for_namesakes(self, uow: UnitOfWork, body: object) -> None:
        name = body.get("externalId") if isinstance(body, dict) else None
        if isinstance(name, str):
            alone_with(uow, f"{self.path} {name}")


async def once(request: Request, actor: Acting) -> Once:
    """Return the request's key.

    Raises:
        BadRequest: a key that is too long or cannot be printed.
    """
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadRequest(f"Idempotency-Key: legal: up to {LONGEST_KEY} printable characters")
    path = request.url.path.rstrip("/")
    return Once(key=f"{actor.name} {request.method} {path} {key}" if key else "", path=path)


Idempotent = Annotated[Once, Depends(once)]


def digest_of(body: Any) -> str:  # noqa: ANN401 - JSON
    """Return what tells one body from another, whatever the order of its keys."""
    try:
        raw = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Integers beyond 64 bits.
        raw = json_text(body).encode()
    return hashlib.sha256(raw).hexdigest()
