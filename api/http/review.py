"""Plans that wait for people: list, read with everything one has to know, approve, reject."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter

from activation.paths import REVIEW_BASE
from activation.store import REVIEWS
from activation.verdicts import Signature, approve, reject
from api.blast_radius import BlastRadius
from api.errors import BadRequest
from api.http.collections import Body, add_list, stored
from api.http.requests import Acting
from api.plan_documents import whole_review
from api.roles import Actor
from api.system import System
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import Row

_SIGNED: Final = ("planHash", "comment")
Say = Callable[[UnitOfWork, str, Signature], Row]


def add_reviews(router: APIRouter, system: System) -> None:
    """Add the list, the whole of one review, and the two decisions."""
    add_list(router, stored(system.database, REVIEWS, REVIEW_BASE.removesuffix("/review")))
    blast_radius = BlastRadius()

    def read_one(key: str) -> Mapping[str, Any]:
        with system.database.read() as connection:
            return whole_review(connection, key, blast_radius)

    def say(verdict: Say) -> Callable[[str, Body, Acting], Document]:
        def decide(key: str, body: Body, actor: Acting) -> Document:
            signature = _signature(body, actor, comment_needed=verdict is reject)
            with system.database.begin(actor=actor.name) as uow:
                return verdict(uow, key, signature).document

        return decide

    router.add_api_route(f"{REVIEW_BASE}/{{key}}", read_one, methods=["GET"])
    router.add_api_route(f"{REVIEW_BASE}/{{key}}/approve", say(approve), methods=["POST"])
    router.add_api_route(f"{REVIEW_BASE}/{{key}}/reject", say(reject), methods=["POST"])


def _signature(body: Document, actor: Actor, *, comment_needed: bool) -> Signature:
    unknown = sorted(set(body) - set(_SIGNED))
    if unknown:
        raise BadRequest(f"{', '.join(unknown)}: not known here; legal: {', '.join(_SIGNED)}")
    plan_hash, comment = body.get("planHash"), body.get("comment", "")
    if not isinstance(plan_hash, str) or not plan_hash:
        raise BadRequest(f"planHash: {plan_hash!r}; legal: the hash of the plan you have read, as GET shows it")
    if not isinstance(comment, str):
        raise BadRequest(f"comment: {comment!r}; legal: a string")
    if comment_needed and not comment.strip():
        raise BadRequest("comment: is missing; a rejection needs one: it is what whoever ordered gets to read")
    return Signature(actor=actor.name, plan_hash=plan_hash, comment=comment)
