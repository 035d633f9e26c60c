"""Routes of one TMF collection: list, get and, where it takes them, create."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from api.http.attributes import ATTRIBUTES
from api.http.layer_calls import FromLayer, on_behalf
from api.http.list_query import Fields, list_request, select_fields, wanted_fields
from api.http.once import Idempotent
from api.http.requests import JSON, Acting, json_object
from api.runtime.database import Database
from inventory.documents import Document, json_text
from inventory.errors import UnknownResource
from inventory.ledger import Transactions, UnitOfWork
from inventory.paging import Page
from inventory.query import Query, sort_value, sorted_by
from inventory.store import DocumentStore

Body = Annotated[dict[str, Any], Depends(json_object)]

Page200 = Callable[[Query], Page]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One resource as stored JSON text; ``tag`` changes whenever the text does."""

    text: str
    tag: str


Find = Callable[[str], Found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection: where it stands and how it is read, as stored JSON texts.

    Attributes:
        store: where its resources are kept, unless they do not change while the process runs.
    """

    base: str
    name: str
    page: Page200
    find: Find
    store: DocumentStore | None = None

    @property
    def path(self) -> str:
        """The collection's path without a trailing slash."""
        return f"{self.base}/{self.name}"

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes its resources have."""
        return ATTRIBUTES[self.path]


def stored(transactions: Transactions, store: DocumentStore, base: str, name: str = "") -> Collection:
    """Return the collection over a document store."""

    def page(query: Query) -> Page:
        with transactions.read() as connection:
            return store.page(connection, query)

    def find(key: str) -> Found:
        with transactions.read() as connection:
            text, version = store.found(connection, key)
        return Found(text=text, tag=tag_of(version))

    return Collection(base=base, name=name or store.kind, page=page, find=find, store=store)


def fixed(documents: Sequence[Document], base: str, name: str) -> Collection:
    """Return the collection over documents that do not change while the process runs."""
    texts = {document["id"]: json_text(document) for document in documents}

    def page(query: Query) -> Page:
        matching = [
            (tuple(sort_value(document, key.attribute) for key in query.order), document["id"])
            for document in documents
            if query.holds(document)
        ]
        ids = sorted_by(query.order, matching)
        return Page(texts=tuple(texts[key] for key in ids[query.offset : query.offset + query.limit]), total=len(ids))

    def find(key: str) -> Found:
        if key not in texts:
            raise UnknownResource(name, key, texts)
        return Found(text=texts[key], tag=f'"{hashlib.sha256(texts[key].encode()).hexdigest()[:16]}"')

    return Collection(base=base, name=name, page=page, find=find)


def tag_of(version: int) -> str:
    """Return the entity tag (RFC 9110) of a stored resource: how often it was stored."""
    return f'"{version}"'


def add_list(router: APIRouter, collection: Collection) -> None:
    """Add ``GET`` of the collection."""

    def read_page(request: Request) -> Response:
        wanted = list_request(request, collection.attributes)
        page = collection.page(wanted.query)
        headers = {"X-Total-Count": str(page.total), "X-Result-Count": str(len(page.texts))}
        texts = [_narrow(text, wanted.fields) for text in page.texts]
        return Response("[" + ",".join(texts) + "]", media_type=JSON, headers=headers)

    for slash in ("", "/"):
        router.add_api_route(collection.path + slash, read_page, methods=["GET"], include_in_schema=not slash)


def add_reads(router: APIRouter, collection: Collection) -> None:
    """Add ``GET`` of the collection and of one of its resources."""
    add_list(router, collection)

    def read_one(request: Request, key: str, fields: str = "") -> Response:
        found = collection.find(key)
        headers = {"ETag": found.tag}
        if {found.tag, "*"} & tags_in(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return Response(_narrow(found.text, wanted_fields(fields)), media_type=JSON, headers=headers)

    for slash in ("", "/"):
        router.add_api_route(collection.path + "/{key}" + slash, read_one, methods=["GET"], include_in_schema=not slash)


def tags_in(header: str) -> frozenset[str]:
    """Return the entity tags in an ``If-Match`` or ``If-None-Match`` header, weak ones as strong ones."""
    return frozenset(tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip())


Create = Callable[[UnitOfWork, Document], Document]


LayerCreate = Callable[[UnitOfWork, Document, str], Document]
"""Makes what the layer above asks for; takes the correlation id besides."""


def add_create(
    router: APIRouter,
    collection: Collection,
    database: Database,
    create: Create,
    layer_create: LayerCreate | None = None,
) -> None:
    """Add ``POST``: 201 with the stored document, ``Location`` equal to its ``href``, all in one transaction.

    The same ``Idempotency-Key`` again gives what it made first, as it is by now.
    """

    def post(body: Body, actor: Acting, once: Idempotent, call: FromLayer) -> Response:
        def work(uow: UnitOfWork) -> Response:
            made: list[Document] = []

            def make() -> str:
                if call is not None and layer_create is not None:
                    made.append(layer_create(uow, body, call.correlation_id))
                else:
                    made.append(create(uow, body))
                return str(made[0]["id"])

            key = once(uow, body, make)
            return _made(uow, collection, key, made)

        return database.run(work, actor=on_behalf(actor, call))

    for slash in ("", "/"):
        router.add_api_route(
            collection.path + slash, post, methods=["POST"], status_code=201, include_in_schema=not slash
        )


def _made(uow: UnitOfWork, collection: Collection, key: str, made: Sequence[Document]) -> Response:
    if collection.store is None:
        return created(made[0] if made else json.loads(collection.find(key).text))
    row = collection.store.get(uow, key)
    return created(row.document, tag=tag_of(row.version))


def created(document: Document, status: int = 201, *, tag: str = "") -> Response:
    """Return the answer to a create: the document, ``Location`` equal to its ``href``, and its ``ETag``."""
    response = answered(document, status, tag)
    response.headers["Location"] = str(document["href"])
    return response


def answered(document: Document, status: int = 200, tag: str = "") -> Response:
    """Return the answer with a document and, where there is one, its ``ETag``."""
    return Response(json_text(document), status, {"ETag": tag} if tag else {}, JSON)


def _narrow(text: str, fields: Fields) -> str:
    return json_text(select_fields(json.loads(text), fields)) if fields else text
