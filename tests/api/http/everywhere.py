"""Every route that the application serves, and what any answer to bad input must look like."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from fastapi import FastAPI
from sqlalchemy import func, inspect, select, table

from api.http.app import create_app
from api.system import System
from tests.bench.rig import running

BODIES: Final = frozenset({"post", "patch"})
IDS: Final = {
    "action": "amend",
    "topic": "product",
    "version": "1",
    "event_type": "x",
    "device": "olt1",
    "name": "olt1",
}
"""What parameters of paths stand for; any other one is the id of something that is there, if anything is."""
LEGAL: Final = frozenset({400, 401, 403, 404, 405, 409, 412, 413, 415, 422})
SUCCESS: Final = frozenset({200, 201, 202, 204, 304})
MOST_BYTES: Final = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path, with an id that is there.

    Attributes:
        template: the path with its parameters, as the application has it.
    """

    method: str
    path: str
    template: str

    @property
    def takes_body(self) -> bool:
        return self.method in BODIES

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request that somebody might send.

    Attributes:
        given: what httpx takes: ``content``, ``headers``, ``json``.
        query: what stands behind the question mark, byte by byte.
    """

    name: str
    given: dict[str, Any] = field(default_factory=dict)
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The application in this process, its routes, and the rows of its database."""

    app: FastAPI
    system: System
    routes: tuple[Route, ...]

    def answers(self, route: Route, requests: Sequence[Sent]) -> list[httpx.Response]:
        """Return the answers to ``requests``, sent one after the other."""
        return asyncio.run(self._answers(route, requests))

    async def _answers(self, route: Route, requests: Sequence[Sent]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://lastmile") as client:
            return [await client.request(route.method, _url(route, each), **each.given) for each in requests]

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self.system.database.read() as connection:
            names = inspect(connection).get_table_names()
            counts = {name: select(func.count()).select_from(table(name)) for name in names}
            return {name: connection.execute(count).scalar_one() for name, count in counts.items()}


@contextmanager
def everything() -> Iterator[Front]:
    """Start a whole platform on which nothing is worked off, with three orders in it."""
    with running(works=False) as rig:
        rig.place(3)
        app = create_app(rig.system)
        yield Front(app=app, system=rig.system, routes=tuple(_routes(app)))


def faults(route: Route, sent: Sent, answer: httpx.Response) -> Iterator[str]:
    """Yield what is wrong with ``answer``: neither a success nor a refusal in TM Forum's words."""
    what = f"{route} {sent.name}: {answer.status_code} {answer.text[:300]}"
    if "Traceback" in answer.text or answer.status_code not in LEGAL | SUCCESS:
        yield what
    elif answer.status_code in LEGAL:
        body = answer.json()
        is_official = {"code", "reason", "message", "status"} <= body.keys()
        if not is_official or not body["reason"].strip() or not body["message"].strip():
            yield f"no TMF error: {what}"
        elif body["status"] != str(answer.status_code) or len(answer.content) > MOST_BYTES:
            yield f"another status, or too long: {what}"


def _url(route: Route, sent: Sent) -> httpx.URL:
    return httpx.URL(f"http://lastmile{route.path}" + (f"?{sent.query}" if sent.query else ""))


def _routes(app: FastAPI) -> Iterator[Route]:
    seen: dict[str, str] = {}
    paths = app.openapi()["paths"]
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://x")
    for path in paths:
        if "get" in paths[path] and "{" not in path:
            found = asyncio.run(client.get(path)).json()
            if isinstance(found, list) and found and "id" in found[0]:
                seen[path] = found[0]["id"]
    for path, methods in paths.items():
        there = seen.get(path.split("/{", 1)[0]) or next((seen[at] for at in seen if _same(at, path)), "nobody")
        filled = _filled(path, there)
        yield from (Route(method=method, path=filled, template=path) for method in methods)


def _filled(path: str, there: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: IDS.get(name[1], there), path)


def _same(at: str, path: str) -> bool:
    """Say whether ``path`` is our own about what ``at`` lists: ``/lastmile/v1/productOrder/{key}/…``."""
    return path.split("/{", 1)[0].rpartition("/")[2] == at.rpartition("/")[2]
