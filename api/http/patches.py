"""PATCH and DELETE as every collection takes them: merge patches, JSON patches, and ``If-Match``.

A route takes ``patch: Patched`` and works on :meth:`Patch.changes`, whatever kind of patch the client sent::

    add_patch(router, collection, database, lambda uow, key, patch: orders.amend(uow, key, patch))
    add_delete(router, collection, database, orders.forget)
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Final

import jsonpatch
from fastapi import APIRouter, Depends, Request, Response

from api.errors import BadRequest, PatchConflict, PreconditionFailed
from api.http.collections import Collection, answered, tag_of, tags_in
from api.http.requests import JSON, Acting, json_name, media_type, parse_json, raw_body, refuse_unstorable
from api.runtime.database import Database
from inventory.documents import Document, json_text
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore

MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
KINDS: Final = frozenset({JSON, MERGE_PATCH, JSON_PATCH})
MAX_OPERATIONS: Final = 200
MAX_GROWTH_BYTES: Final = 1_000_000
"""What a few ``copy`` operations could make of a small document is without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A change to a document that is not known yet.

    Attributes:
        merge: the JSON merge patch (RFC 7396), where it is one.
        operations: the JSON patch (RFC 6902) otherwise.
    """

    merge: Document | None = None
    operations: tuple[Mapping[str, Any], ...] = ()

    @property
    def sent(self) -> object:
        """The patch as the client sent it."""
        return self.merge if self.merge is not None else list(self.operations)

    def applied_to(self, document: Document) -> dict[str, Any]:
        """Return what the patch makes of ``document``.

        Raises:
            BadRequest: a JSON patch that is none, or makes too large or too deep a document.
            PatchConflict: a JSON patch whose test fails, or that changes what is not there.
        """
        return _operated(document, self.operations) if self.merge is None else merge_patched(document, self.merge)

    def changes(self, document: Document) -> Document:
        """Return the patch as a JSON merge patch of ``document``: as sent, or the attributes a JSON patch changes.

        Raises:
            BadRequest, PatchConflict: as for :meth:`applied_to`.
        """
        if self.merge is not None:
            return self.merge
        after = self.applied_to(document)
        changed = {name: value for name, value in after.items() if name not in document or document[name] != value}
        return {**changed, **dict.fromkeys(document.keys() - after.keys())}


async def patch_of(request: Request) -> Patch:
    """Return the patch in the request's body; plain JSON is a merge patch, as TM Forum has it.

    Raises:
        UnsupportedMedia: another kind of patch; names the legal ones.
        BodyTooLarge, BadRequest: see :func:`api.http.requests.json_object`.
    """
    kind = media_type(request, KINDS)
    value = parse_json(await raw_body(request))
    if kind == JSON_PATCH:
        return Patch(operations=_operations(value))
    if not isinstance(value, dict):
        raise BadRequest(f"a merge patch must be a JSON object, not {json_name(value)}")
    return Patch(merge=value)


Patched = Annotated[Patch, Depends(patch_of)]


async def if_match(request: Request) -> frozenset[str]:
    """Return the entity tags of which the resource must have one; none: any will do."""
    return tags_in(", ".join(request.headers.getlist("if-match")))


Matching = Annotated[frozenset[str], Depends(if_match)]


def refuse_others(matching: frozenset[str], tag: str) -> None:
    """Do nothing where the resource with this entity tag is one that the client means.

    Raises:
        PreconditionFailed: it changed since the client saw it; names the tag it has now.
    """
    if matching and not matching & {tag, "*"}:
        raise PreconditionFailed(f"If-Match: {', '.join(sorted(matching))} is not what it is now; now: {tag}")


Change = Callable[[UnitOfWork, str, Patch], Document]
Remove = Callable[[UnitOfWork, str], None]


def add_patch(
    router: APIRouter, collection: Collection, store: DocumentStore, database: Database, change: Change
) -> None:
    """Add ``PATCH`` of one resource: 200 with what ``change`` returns, all in one transaction."""

    def patch_one(actor: Acting, matching: Matching, key: str, patch: Patched) -> Response:
        with database.begin(actor=actor.name) as uow:
            refuse_others(matching, tag_of(store.get(uow, key).version))
            document = change(uow, key, patch)
            tag = tag_of(store.get(uow, key).version)
        return answered(document, 200, tag)

    for slash in ("", "/"):
        path = collection.path + "/{key}" + slash
        router.add_api_route(path, patch_one, methods=["PATCH"], include_in_schema=not slash)


def add_delete(
    router: APIRouter, collection: Collection, store: DocumentStore, database: Database, remove: Remove
) -> None:
    """Add ``DELETE`` of one resource: 204, all in one transaction."""

    def remove_one(actor: Acting, matching: Matching, key: str) -> Response:
        with database.begin(actor=actor.name) as uow:
            refuse_others(matching, tag_of(store.get(uow, key).version))
            remove(uow, key)
        return Response(status_code=204)

    for slash in ("", "/"):
        path = collection.path + "/{key}" + slash
        router.add_api_route(path, remove_one, methods=["DELETE"], status_code=204, include_in_schema=not slash)


def merge_patched(document: Document, patch: Document) -> dict[str, Any]:
    """Return ``document`` after a JSON merge patch: null removes, objects are merged, anything else is replaced."""
    found = {name: value for name, value in document.items() if patch.get(name, ...) is not None}
    for name, value in patch.items():
        if isinstance(value, Mapping):
            before = found.get(name)
            found[name] = merge_patched(before if isinstance(before, Mapping) else {}, value)
        elif value is not None:
            found[name] = value
    return found


def _operations(value: object) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise BadRequest("a JSON patch must be an array of objects; legal: [{op, path, value or from}, …]")
    if len(value) > MAX_OPERATIONS:
        raise BadRequest(f"a JSON patch of {len(value)} operations; legal: {MAX_OPERATIONS} at most")
    return tuple(value)


def _operated(document: Document, operations: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    found: Any = parse_json(json_text(document).encode())
    largest = len(json_text(document)) + MAX_GROWTH_BYTES
    for number, operation in enumerate(operations):
        # Its value becomes part of the document, which later operations change.
        found = _after(found, deepcopy(operation), f"JSON patch, operation {number}")
        if operation.get("op") == "copy" and len(json_text(found)) > largest:
            raise BadRequest(f"JSON patch, operation {number}: makes the resource larger than {largest} bytes")
    if not isinstance(found, dict):
        raise BadRequest(f"the JSON patch makes the resource {json_name(found)}; legal: an object")
    refuse_unstorable(found)
    return found


def _after(found: object, operation: Mapping[str, Any], place: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return jsonpatch.JsonPatch([operation]).apply(found, in_place=True)
    except (jsonpatch.JsonPatchTestFailed, jsonpatch.JsonPatchConflict) as error:
        raise PatchConflict(f"{place}: {error}; nothing was changed") from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise BadRequest(f"{place}: {error}") from error
