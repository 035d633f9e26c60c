"""The catalog's collections (TMF620, TMF633, TMF634): every version is listed, an id alone is the offered one."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Response

from api.http.collections import Collection, Found, answered
from api.http.patches import Matching, Patched, refuse_others
from api.http.requests import Acting
from api.runtime.database import Database
from api.system import System
from inventory.documents import Document, json_text
from inventory.errors import UnknownResource
from inventory.paging import Page
from inventory.query import Query, sort_value, sorted_by
from orders.catalog.contracts import CatalogSource
from orders.catalog.model import Catalog
from orders.catalog.wire import BASES, catalog_documents, offered_version

_KEY: Final = re.compile(r"(?P<id>[^:]+)(:\(version=(?P<version>[^)]+)\))?")


@dataclass(slots=True)
class CatalogPages:
    """The documents of a catalog, made anew when it changed."""

    source: Callable[[], Catalog]
    _known: tuple[Catalog, Mapping[str, Sequence[Document]]] | None = field(default=None, init=False)

    def documents(self, kind: str) -> Sequence[Document]:
        """Return every document of ``kind``."""
        return self._current()[1][kind]

    def page(self, kind: str, query: Query) -> Page:
        """Return the documents of ``kind`` that ``query`` asks for."""
        texts = {(each["id"], each["version"]): each for each in self.documents(kind)}
        matching = [
            (tuple(sort_value(document, key.attribute) for key in query.order), _spelled(key))
            for key, document in texts.items()
            if query.holds(document)
        ]
        found = sorted_by(query.order, matching)
        wanted = [texts[_read(key)] for key in found[query.offset : query.offset + query.limit]]
        return Page(texts=tuple(json_text(each) for each in wanted), total=len(found))

    def find(self, kind: str, key: str) -> Found:
        """Return one document by ``id`` (the offered version) or ``id:(version=…)``.

        Raises:
            UnknownResource: there is none.
        """
        catalog, documents = self._current()
        match = _KEY.fullmatch(key)
        wanted = match["id"] if match else key
        version = (match["version"] if match else None) or offered_version(catalog, kind, wanted)
        of_id = {each["version"]: each for each in documents[kind] if each["id"] == wanted}
        if not of_id:
            raise UnknownResource(kind, wanted, sorted({each["id"] for each in documents[kind]}))
        if version not in of_id:
            raise UnknownResource(kind, key, [_spelled((wanted, each)) for each in of_id])
        text = json_text(of_id[version])
        return Found(text=text, tag=_tag(text))

    def _current(self) -> tuple[Catalog, Mapping[str, Sequence[Document]]]:
        catalog = self.source()
        if self._known is None or self._known[0] is not catalog:
            self._known = (catalog, catalog_documents(catalog))
        return self._known


def catalog_collections(database: Database, source: CatalogSource) -> Sequence[Collection]:
    """Return the collections of the catalog that ``source`` has."""

    def current() -> Catalog:
        with database.read() as connection:
            return source.read(connection, datetime.now(UTC))

    pages = CatalogPages(current)
    return tuple(_collection(pages, kind, path) for kind, path in BASES.items())


def add_catalog_changes(router: APIRouter, system: System) -> None:
    """Add PATCH and DELETE of catalog entries; POST is there as for every collection."""
    for collection in system.collections:
        if collection.name in system.catalog.store.stores:
            _add_changes(router, collection, system)


def _add_changes(router: APIRouter, collection: Collection, system: System) -> None:
    kind, editor, database = collection.name, system.catalog, system.database

    def patch_one(actor: Acting, matching: Matching, key: str, patch: Patched) -> Response:
        with database.begin(actor=actor.name) as uow:
            editor.store.alone(uow)
            found = collection.find(key)
            refuse_others(matching, found.tag)
            before = json.loads(found.text)
            after = patch.applied_to(before)
            changed = {name for name in before.keys() | after.keys() if before.get(name, ...) != after.get(name, ...)}
            document = editor.change(uow, kind, key, after, changed) if changed else before
        return answered(document, 200, _tag(json_text(document)))

    def remove_one(actor: Acting, matching: Matching, key: str) -> Response:
        with database.begin(actor=actor.name) as uow:
            editor.store.alone(uow)
            refuse_others(matching, collection.find(key).tag)
            editor.remove(uow, kind, key)
        return Response(status_code=204)

    for slash in ("", "/"):
        one = collection.path + "/{key}" + slash
        router.add_api_route(one, patch_one, methods=["PATCH"], include_in_schema=not slash)
        router.add_api_route(one, remove_one, methods=["DELETE"], status_code=204, include_in_schema=not slash)


def _tag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


def _collection(pages: CatalogPages, kind: str, path: str) -> Collection:
    return Collection(
        base=path.removesuffix(f"/{kind}"),
        name=kind,
        page=lambda query: pages.page(kind, query),
        find=lambda key: pages.find(kind, key),
    )


def _spelled(key: tuple[str, str]) -> str:
    return f"{key[0]}:(version={key[1]})"


def _read(key: Any) -> tuple[str, str]:  # noqa: ANN401 - what sorted_by gives back
    name, _, rest = str(key).partition(":(version=")
    return name, rest.removesuffix(")")
