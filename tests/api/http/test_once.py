"""A POST with an Idempotency-Key makes one resource, however often and however parallel it is sent."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import APIRouter, FastAPI, Request

from api.errors import BadRequest
from api.http import problems
from api.http.collections import add_create, add_reads, stored
from api.http.once import digest_of
from api.roles import ANONYMOUS
from api.runtime.database import Database
from api.runtime.request_keys import KEPT_FOR, forget_old
from inventory.documents import Document
from inventory.ledger import UnitOfWork
from inventory.store import DocumentStore, Query, Row
from inventory.tables import products
from tests.api.http.in_process import InProcess

BASE = "/tmf-api/productInventory/v4"
PATH = f"{BASE}/product"
STORE = DocumentStore(table=products, kind="product", domain="inventory")
AT_ONCE = 8
Send = Callable[..., tuple[int, Document]]


def _create(uow: UnitOfWork, body: Document) -> Document:
    if body.get("name") == "bad":
        raise BadRequest("name: 'bad' is not taken")
    name = body.get("externalId")
    known = STORE.by_external_id(uow, name) if name else None
    if known is not None:
        return known.document
    key = str(uuid.uuid4())
    document = {**body, "id": key, "href": f"{PATH}/{key}", "status": "created"}
    STORE.insert(uow, Row(id=key, state="created", correlation_id=key, document=document, external_id=name))
    return document


@pytest.fixture
def client(either: Database) -> InProcess:
    app, router = FastAPI(redirect_slashes=False), APIRouter()
    app.state.max_body_bytes = 10_000
    problems.install(app)

    @app.middleware("http")
    async def know(request: Request, go_on: Callable[..., object]) -> object:
        request.state.actor = ANONYMOUS
        return await go_on(request)  # type: ignore[misc]  # Starlette types it as any callable

    collection = stored(either, STORE, BASE)
    add_reads(router, collection)
    add_create(router, collection, either, _create)
    app.include_router(router)
    return InProcess(app=app)


def _stored(database: Database) -> int:
    with database.read() as connection:
        return STORE.page(connection, Query()).total


def test_the_same_key_gives_the_same_resource(client: InProcess, either: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = client.post(PATH, json={"name": "a", "description": "b"}, headers=key)
    again = client.post(f"{PATH}/", json={"description": "b", "name": "a"}, headers=key)
    assert (first.status_code, again.status_code, _stored(either)) == (201, 201, 1)
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"] == first.json()["href"]
    assert first.headers["ETag"] == client.get(first.json()["href"]).headers["ETag"]


def test_another_body_is_refused_and_says_what_the_key_made(client: InProcess, either: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = client.post(PATH, json={"name": "a"}, headers=key).json()
    other = client.post(PATH, json={"name": "b"}, headers=key)
    assert (other.status_code, _stored(either)) == (422, 1)
    assert first["id"] in other.json()["message"]
    assert client.post(PATH, json={"name": "b"}, headers={"Idempotency-Key": "k-2"}).status_code == 201


def test_a_refused_request_leaves_its_key_free(client: InProcess) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert client.post(PATH, json={"name": "bad"}, headers=key).status_code == 400
    assert client.post(PATH, json={"name": "good"}, headers=key).status_code == 201


@pytest.mark.parametrize(
    ("body", "headers"),
    [({"name": "a"}, {"Idempotency-Key": "k-1"}), ({"name": "a", "externalId": "x-1"}, {})],
    ids=["key", "externalId"],
)
def test_of_many_at_once_one_is_done(
    client: InProcess, either: Database, body: dict[str, str], headers: dict[str, str]
) -> None:
    def send(_: int) -> tuple[int, str]:
        answer = client.post(PATH, json=body, headers=headers)
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = set(pool.map(send, range(AT_ONCE)))
    assert len(found) == 1
    assert found.pop()[0] == 201
    assert _stored(either) == 1


def test_a_key_is_printable_and_short(client: InProcess) -> None:
    for key in ("x" * 256, "a\tb"):
        refused = client.post(PATH, json={}, headers={"Idempotency-Key": key})
        assert (refused.status_code, "255 printable" in refused.json()["message"]) == (400, True)


def test_old_keys_are_forgotten(client: InProcess, either: Database) -> None:
    key = {"Idempotency-Key": "k-1"}
    client.post(PATH, json={"name": "a"}, headers=key)
    with either.begin() as unit:
        assert forget_old(unit.connection, unit.now) == 0
        assert forget_old(unit.connection, unit.now + 2 * KEPT_FOR) == 1
    assert client.post(PATH, json={"name": "b"}, headers=key).status_code == 201


def test_digest() -> None:
    assert digest_of({"a": 1, "b": [1]}) == digest_of({"b": [1], "a": 1}) != digest_of({"a": 1, "b": [2]})
    assert digest_of({"a": 2**80}) != digest_of({"a": 2**81})
