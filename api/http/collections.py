"""Routes of one TMF collection: list, get and, where it takes them, create."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from api.http.requests import Acting, ListRequest, json_object, list_request, select_fields
from api.roles import Actor
from api.runtime.database import Database
from inventory.documents import Document, json_text
from inventory.errors import UnknownResource
from inventory.ledger import Transactions, UnitOfWork
from inventory.store import DocumentStore, Page, Query

JSON = "application/json"
Body = Annotated[dict[str, Any], Depends(json_object)]
Wanted = Annotated[ListRequest, Depends(list_request)]

Page200 = Callable[[Query], Page]
Find = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection: where it stands and how it is read, as stored JSON texts."""

    base: str
    name: str
    page: Page200
    find: Find

    @property
    def path(self) -> str:
        """The collection's path without a trailing slash."""
        return f"{self.base}/{self.name}"


def stored(transactions: Transactions, store: DocumentStore, base: str, name: str = "") -> Collection:
    """Return the collection over a document store."""

    def page(query: Query) -> Page:
        with transactions.read() as connection:
            return store.page(connection, query)

    def find(key: str) -> str:
        with transactions.read() as connection:
            return store.text(connection, key)

    return Collection(base=base, name=name or store.kind, page=page, find=find)


def fixed(documents: Sequence[Document], base: str, name: str) -> Collection:
    """Return the collection over documents that do not change while the process runs."""
    texts = {document["id"]: json.dumps(document, ensure_ascii=False) for document in documents}

    def page(query: Query) -> Page:
        wanted = [
            texts[document["id"]]
            for document in documents
            if all(str(document.get(attribute)) == value for attribute, value in query.filters.items())
        ]
        return Page(texts=tuple(wanted[query.offset : query.offset + query.limit]), total=len(wanted))

    def find(key: str) -> str:
        if key not in texts:
            raise UnknownResource(name, key, texts)
        return texts[key]

    return Collection(base=base, name=name, page=page, find=find)


def add_reads(router: APIRouter, collection: Collection) -> None:
    """Add ``GET`` of the collection and of one of its resources."""

    def read_page(wanted: Wanted) -> Response:
        page = collection.page(wanted.query)
        headers = {"X-Total-Count": str(page.total), "X-Result-Count": str(len(page.texts))}
        texts = [_narrow(text, wanted.fields) for text in page.texts]
        return Response("[" + ",".join(texts) + "]", media_type=JSON, headers=headers)

    def read_one(key: str, fields: str = "") -> Response:
        names = tuple(name.strip() for name in fields.split(",") if name.strip())
        return Response(_narrow(collection.find(key), names), media_type=JSON)

    for slash in ("", "/"):
        router.add_api_route(collection.path + slash, read_page, methods=["GET"], include_in_schema=not slash)
        router.add_api_route(collection.path + "/{key}" + slash, read_one, methods=["GET"], include_in_schema=not slash)


def add_create(router: APIRouter, collection: Collection, create: Callable[[dict[str, Any], Actor], Document]) -> None:
    """Add ``POST``: 201 with the stored document, ``Location`` equal to its ``href``."""

    def post(body: Body, actor: Acting) -> Response:
        return created(create(body, actor))

    for slash in ("", "/"):
        router.add_api_route(
            collection.path + slash, post, methods=["POST"], status_code=201, include_in_schema=not slash
        )


def created(document: Document, status: int = 201) -> Response:
    """Return the answer to a create: the document, ``Location`` equal to its ``href``."""
    text = json_text(document)
    return Response(text, status, {"Location": str(document["href"])}, JSON)


def in_transaction(
    database: Database, work: Callable[[UnitOfWork, Document], Document]
) -> Callable[[dict[str, Any], Actor], Document]:
    """Return ``work`` as a function of the body and who sent it, in a transaction of its own."""

    def run(body: Mapping[str, Any], actor: Actor) -> Document:
        with database.begin(actor=actor.name) as uow:
            return work(uow, body)

    return run


def _narrow(text: str, fields: Sequence[str]) -> str:
    if not fields:
        return text
    return json.dumps(select_fields(json.loads(text), fields), ensure_ascii=False)
