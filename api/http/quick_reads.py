"""``GET`` of one stored resource, answered from the event loop: a row of a local file, sent as it is stored.

The way through routes, dependencies and a thread costs several times what the look into the file does. Whatever is not
plain, a query say, goes that way; so does everything where the database is another machine's.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import tokens
from api.http import problems
from api.http.collections import Collection, tag_of, tags_in
from api.http.requests import JSON
from api.roles import authorize
from api.runtime.database import Database
from inventory.store import DocumentStore

KNOWN = tuple(problems.STATUS)


class QuickReads:
    """ASGI middleware over the collections that are kept in a store."""

    def __init__(self, app: ASGIApp, *, collections: Sequence[Collection], database: Database, auth: bool) -> None:
        """Answer for ``collections``; ``app`` has the rest."""
        self._app, self._database, self._auth = app, database, auth
        self._stores = {each.path: each.store for each in collections if each.store is not None}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        path, _, key = scope["path"].removesuffix("/").rpartition("/")
        store = self._stores.get(path)
        if store is None or not key:
            await self._app(scope, receive, send)
            return
        await self._answer(store, key, scope)(scope, receive, send)

    def _answer(self, store: DocumentStore, key: str, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        try:
            with self._database.read() as connection:
                if self._auth:
                    authorize(tokens.check(connection, headers.get("authorization")), "GET", scope["path"])
                text, version = store.found(connection, key)
        except KNOWN as error:
            return problems.answer(error, "GET", scope["path"])
        tag = {"ETag": tag_of(version)}
        if {tag["ETag"], "*"} & tags_in(headers.get("if-none-match", "")):
            return Response(status_code=304, headers=tag)
        return Response(text, headers=tag, media_type=JSON)
